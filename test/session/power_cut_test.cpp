#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "journal/journal_reader.hpp"
#include "session/recovery.hpp"
#include "session/scribe.hpp"
#include "support/disk_recorder.hpp"
#include "support/temporary_directory.hpp"

/// A recording whose power is cut behind each of its calls, in every state that the disk may then be in.
namespace dictum::session {
namespace {

namespace fs = std::filesystem;
using test::DiskRecorder;
using test::Scribe;

constexpr auto kLater = test::kStarted + std::chrono::hours(1);

/// What is on the disk for certain from a moment on.
struct Safe {
  std::size_t since{};  // calls
  std::map<std::uint32_t, std::string> audio;
  std::uint64_t events{};
};

/// Records as the recorder does: what was written is flushed at the end of each segment, and while one is open.
class CutRecording {
 public:
  explicit CutRecording(const fs::path& root) : disk_(root) {
    {
      SessionWriter writer = SessionWriter::create(root, test::kStarted, test::info());
      session_ = writer.path();
      Scribe scribe(writer);
      note_safe(writer);
      scribe.start();
      flush(writer);
      for (std::uint32_t turn = 0; turn < 4; ++turn) {
        const std::uint32_t index = scribe.speak(800 + 300 * static_cast<Frame>(turn), turn != 2, 300);
        flush(writer);
        if (turn % 2 == 0 && turn != 2) scribe.transcribe(index, "some words");
        if (turn == 1) scribe.note("Note", "some words", {0});
        if (turn == 1) writer.save_manifest();
      }
      writer.open_segment(4, scribe.now());
      writer.append_segment(4, std::vector<std::int16_t>(700, 5));
      scribe.emit(scribe.now() + 300, SpeechDetected{4, scribe.now()});
      flush(writer);
      writer.append_segment(4, std::vector<std::int16_t>(900, 5));
      writer.close_segment(4, 1500);
      scribe.emit(scribe.now() + 1200, SpeechEnded{4, 1500.0 / test::kRate, true, scribe.now(), scribe.now() + 1500});
      scribe.queue(4);
      flush(writer);
      for (const std::uint32_t index : {1u, 3u, 4u}) scribe.transcribe(index, "more words");
      scribe.stop();
      writer.finish(std::nullopt);
      note_safe(writer);
    }
  }

  const DiskRecorder& disk() const { return disk_; }
  fs::path name() const { return session_.filename(); }

  const Safe& safe_at(std::size_t moment) const {
    const Safe* found = &safe_.front();
    for (const Safe& each : safe_) {
      if (each.since <= moment) found = &each;
    }
    return *found;
  }
  bool exists_at(std::size_t moment) const { return safe_.front().since <= moment; }

 private:
  void flush(SessionWriter& writer) {
    SessionWriter::sync(writer.folder(), writer.take_unsynced());
    note_safe(writer);
  }

  void note_safe(const SessionWriter& writer) {
    Safe safe{.since = disk_.moments(), .audio = {}, .events = writer.next_sequence()};
    for (const Segment& segment : writer.manifest().segments) {
      if (!segment.is_kept()) continue;
      safe.audio[segment.index] = test::content_of(writer.path() / journal::segment_file(segment.index)).substr(44);
    }
    safe_.push_back(std::move(safe));
  }

  DiskRecorder disk_;
  fs::path session_;
  std::vector<Safe> safe_;
};

std::string snapshot(const fs::path& session) {
  std::string all;
  for (const char* file : {"events.jsonl", "manifest.json", "transcript_raw.txt", "transcript_incremental.txt"}) {
    all += test::content_of(session / file);
  }
  return all;
}

/// Recovers what a cut left, and returns what is wrong then; empty where nothing is.
std::vector<std::string> faults_after_recovery(const fs::path& root, const CutRecording& recording,
                                               std::size_t moment) {
  std::vector<std::string> faults;
  const fs::path session = root / recording.name();
  if (!fs::exists(session)) {
    if (recording.exists_at(moment)) faults.emplace_back("the session is gone");
    return faults;
  }
  const Safe& safe = recording.safe_at(moment);
  const auto unfinished = find_unfinished(root);
  try {
    if (!unfinished.empty()) {
      SessionWriter writer = SessionWriter::reopen(session);
      recover(writer, kLater);
      writer.finish(std::nullopt);
    }
    // Cut before the session was complete: a folder with nothing in it that anybody could miss.
    if (unfinished.empty() && !recording.exists_at(moment) && !fs::exists(session / "manifest.json")) return faults;
    const Manifest manifest = read_manifest(session);
    if (!manifest.stopped_at) faults.emplace_back("it is not stopped");
    for (const auto& [index, audio] : recording.exists_at(moment) ? safe.audio : decltype(safe.audio){}) {
      const Segment* const segment = manifest.find(index);
      if (segment == nullptr || !segment->is_kept()) {
        faults.push_back(fmt::format("segment {} is lost", index));
        continue;
      }
      const std::string found = test::content_of(session / journal::segment_file(index));
      if (found.size() < 44 || !found.substr(44).starts_with(audio)) {
        faults.push_back(fmt::format("the audio of segment {} is damaged", index));
      }
    }
    journal::JournalReader reader(session);
    std::uint64_t events = 0;
    for (; const auto event = reader.next(); ++events) {
      if (*event->sequence != events) break;
    }
    if (recording.exists_at(moment) && events < safe.events) {
      faults.push_back(fmt::format("{} of {} flushed events are there", events, safe.events));
    }
    const std::string before = snapshot(session);
    {
      SessionWriter writer = SessionWriter::reopen(session);
      recover(writer, kLater);
      writer.finish(std::nullopt);
    }
    if (!unfinished.empty() && snapshot(session) != before) faults.emplace_back("a second recovery changes it");
  } catch (const std::exception& error) {
    faults.emplace_back(error.what());
  }
  return faults;
}

class PowerCutAtEveryCall : public testing::TestWithParam<DiskRecorder::Unflushed> {};

TEST_P(PowerCutAtEveryCall, LeavesASessionThatRecoversWithAllThatWasFlushed) {
  const test::TemporaryDirectory root;
  std::optional<CutRecording> made(root.path());
  const CutRecording& recording = *made;
  const std::size_t moments = recording.disk().moments();
  ASSERT_GT(moments, 100u);
  // Each value of the parameter takes every third call, beginning with another one; a long run takes all of them.
  const bool is_long = std::getenv("DICTUM_SOAK") != nullptr;
  const std::size_t step = is_long ? 1 : 3;
  const int turns = is_long && GetParam() == DiskRecorder::Unflushed::some ? 200 : 1;
  for (std::size_t moment = is_long ? 0 : static_cast<std::size_t>(GetParam()); moment <= moments; moment += step) {
    for (int turn = 0; turn < turns; ++turn) {
      const auto seed = static_cast<unsigned>(moment * 1000 + static_cast<std::size_t>(turn));
      std::mt19937 dice(seed);
      const test::TemporaryDirectory after;
      recording.disk().rebuild(moment, GetParam(), dice, after.path());
      ASSERT_THAT(faults_after_recovery(after.path(), recording, moment), testing::IsEmpty())
          << "cut behind call " << moment << " of " << moments << ", seed " << seed;
    }
  }
}

std::string name_of(const testing::TestParamInfo<DiskRecorder::Unflushed>& each) {
  constexpr std::array kNames = {"NothingElse", "EverythingElse", "SomeOfTheRest"};
  return kNames.at(static_cast<std::size_t>(each.param));
}

INSTANTIATE_TEST_SUITE_P(Unflushed, PowerCutAtEveryCall,
                         testing::Values(DiskRecorder::Unflushed::none, DiskRecorder::Unflushed::all,
                                         DiskRecorder::Unflushed::some),
                         name_of);

}  // namespace
}  // namespace dictum::session
