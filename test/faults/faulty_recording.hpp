#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "../program/program_fixture.hpp"
#include "dictum/frame.hpp"
#include "session/manifest.hpp"

namespace dictum::test {

using Segments = std::deque<session::Segment>;

/// Recordings of beeps by a program that something is wrong with: what it says against what is on the disk.
class FaultyRecording : public ProgramTest {
 protected:
  static constexpr int kRate = 16000;
  static constexpr double kSeconds = 3;  // of beeps: three segments, the last of which the end closes

  FaultyRecording();

  /// `dictum record` with these arguments on top.
  ProgramSettings recording(std::vector<std::string> arguments) const;
  ProgramSettings recording_file() const { return recording({"--input", sound_}); }
  ProgramSettings recording_stream() const { return recording({"--input", "-", "--input-format", "s16le:16000:1"}); }
  ProgramSettings resuming(const std::string& drain_sec = "30") const;

  /// What is spoken in the first `seconds`, as bytes.
  std::string samples(double seconds) const;

  /// The kept segments of a recording without a fault.
  Segments undisturbed(ProgramSettings settings) const;

  /// What is wrong with what a recording under a fault left and said, once `dictum resume` has completed it. One
  /// sentence each.
  std::vector<std::string> problems(const ProgramResult& result, const Segments& undisturbed,
                                    bool may_lose = true) const;

  /// Kept frames of `wanted` that a session does not have as they were spoken. `spoken`: all of it, as bytes.
  static Frame lost_frames(const std::filesystem::path& session, const Segments& wanted, const std::string& spoken);

  std::filesystem::path root() const { return folder / "sessions"; }

  /// Removes the sessions.
  void clear() const;

 private:
  std::filesystem::path sound_;
};

/// The events of standard output; those that did not get into the journal have no sequence.
std::vector<Event> parsed(const std::string& out);

/// The frames of the gaps that the disk made.
Frame stated_loss(const std::vector<Event>& events);

}  // namespace dictum::test
