#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/timer.hpp"
#include "delivery/event_queue.hpp"
#include "pipeline/capture_loop.hpp"
#include "recorder/disk_stage.hpp"
#include "recorder/disk_watch.hpp"
#include "recorder/strand_calls.hpp"
#include "recorder/strands.hpp"
#include "recorder/time_source.hpp"

namespace dictum::recorder {

/// The files of one session, seen from its loop: gives audio and events to the `disk` strand, tries again what the disk
/// did not take, and notices a disk that does not answer. What was written comes back by the callbacks.
///
/// Threads: lives on the `loop` strand, but for what `take_audio_of` returns, which is called on `listen`. Owner: the
/// session, which every handler keeps. What goes wrong is reported, never thrown.
class SessionFiles {
 public:
  /// All on `loop`.
  struct Callbacks {
    /// Before the others: somebody has moved the folder.
    std::function<void(const std::filesystem::path& from, const std::filesystem::path& to)> moved;
    std::function<void(const std::vector<pipeline::StreamItem>&)> audio_written;
    std::function<void(const WrittenEvents&)> events_written;
    std::function<void(const std::vector<EventError>&)> report;
    std::function<void(const EventError&)> end_broken;
    std::function<void()> stopped_answering;  ///< the disk, which has audio to write
  };

  /// `calls` is the session's.
  SessionFiles(Keeper keep, TimeSource time, StrandCalls& calls, Callbacks callbacks);

  /// Begins to write, behind `journaled` events. Before that, and after `release`, nothing is written.
  void open(const Strands& strands, session::SessionWriter writer, std::uint64_t journaled);

  /// Takes the audio of `capture`, whose backlog bounds what waits for the disk.
  pipeline::CaptureLoop::Sink take_audio_of(OnStrand<pipeline::CaptureLoop> capture, int sample_rate);

  /// Writes events into the journal; without any, tries again those that could not be written. False where nothing can
  /// be written any more.
  bool write_events(std::vector<EventPointer> events);

  /// Whether the disk still has to answer a `write_events`.
  bool is_writing_events() const { return event_writes_ > 0; }

  /// Capture is closed: makes its files complete and safe. False where the disk was left behind.
  boost::asio::awaitable<bool> complete();

  boost::asio::awaitable<std::optional<std::vector<RevisedNote>>> revised_notes(notes::NotePhrases phrases);

  /// Writes the last and gives the session free. Returns what went wrong; empty where the disk was left behind.
  boost::asio::awaitable<std::optional<std::vector<EventError>>> close();

  void release();

  std::filesystem::path path() const { return *journal_->session.lock(); }
  const delivery::JournalPointer& journal() const { return journal_; }

  /// Whether audio is lost for good.
  bool has_lost_audio() const { return has_lost_audio_; }

 private:
  void watch();
  void write(const OnStrand<DiskStage>& disk);
  void written(Written& written);
  void report_full_memory();
  void wrote_events(const WrittenEvents& written);
  void follow_folder();
  std::string memory_sentence() const;
  void write_later();
  void report_later(std::vector<EventError> faults);

  const Keeper keep_;
  const TimeSource time_;
  const delivery::JournalPointer journal_ = std::make_shared<delivery::JournalView>();
  const Callbacks callbacks_;
  StrandCalls& calls_;
  const std::unique_ptr<Timer> retry_;
  Strands strands_;
  OnStrand<DiskStage> disk_;
  OnStrand<pipeline::CaptureLoop> capture_;  // null: a session that is resumed, not recorded
  int sample_rate_ = 0;
  std::size_t event_writes_ = 0;  // that the disk has not answered
  bool has_lost_audio_ = false;
  bool memory_is_full_ = false;
  std::filesystem::path former_path_;
  DiskWatch watch_;
};

}  // namespace dictum::recorder
