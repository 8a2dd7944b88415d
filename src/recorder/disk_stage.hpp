#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delivery/event_queue.hpp"
#include "dictum/clock.hpp"
#include "pipeline/stream_item.hpp"
#include "recorder/journal_tail.hpp"
#include "recorder/revised_notes.hpp"
#include "session/session_writer.hpp"

namespace dictum::recorder {

/// What became of events that were to be written into the journal.
struct Recorded {
  std::size_t written = 0;  // so many of the oldest that waited are in the file now
  bool is_blocked = false;  // the next one could not be written
  std::vector<EventError> faults;
};

/// Writes what the pipeline reports and what the core emits to the session's files.
///
/// Threads: lives on the `disk` strand, but for `sync`. Owner: the session. A write that fails (disk full) is answered
/// as a fault, once until a write succeeds again; what comes after it is tried all the same.
class DiskStage {
 public:
  DiskStage(session::SessionWriter writer, std::shared_ptr<const Clock> clock,
            std::shared_ptr<delivery::JournalView> journal);

  [[nodiscard]] std::vector<EventError> write(const std::vector<pipeline::StreamItem>& items);

  /// Writes events into the journal, behind those that could not be written before; without any, tries those again.
  [[nodiscard]] Recorded record(std::vector<EventPointer> events);

  /// Whether events wait that could not be written.
  bool has_waiting() const { return !waiting_.empty(); }

  /// Refreshes the manifest where that is due; off the way from speech to its transcription.
  [[nodiscard]] std::vector<EventError> save_if_due();

  /// What is to be synced now, for `sync`: empty where that is not due, or the last one has not ended.
  std::vector<std::string> due_for_sync();

  /// Capture is closed: every file but the transcripts is complete, once what `due_for_sync` says is synced.
  [[nodiscard]] std::vector<EventError> capture_ended();
  std::vector<std::string> take_unsynced();

  /// On the `sync` strand: waits for the disk, which may take seconds, beside the writing.
  [[nodiscard]] std::vector<EventError> sync(const std::vector<std::string>& files);

  /// The notes that have to follow revised texts, as the journal has them.
  std::vector<RevisedNote> revised_notes(const notes::NotePhrases& phrases) const;

  /// The session is given free; what follows is not written.
  [[nodiscard]] std::vector<EventError> finish();

  /// After `finish`: brings the search index up to date. May wait for other processes, so nothing waits for this.
  void update_index();

 private:
  template <class Write>
  void attempt(bool& fails, std::vector<EventError>& faults, Write write);
  void write_item(const pipeline::StreamItem& item);

  std::optional<session::SessionWriter> writer_;  // empty once finished
  const std::shared_ptr<const Clock> clock_;
  const std::shared_ptr<delivery::JournalView> journal_;
  std::deque<EventPointer> waiting_;  // for the journal
  std::chrono::steady_clock::time_point last_manifest_;
  std::chrono::steady_clock::time_point last_sync_;
  bool to_sync_ = false;
  std::atomic<bool> syncs_{false};  // a `sync` has not ended
  bool sync_fails_ = false;         // the newest one; of the `sync` strand
  // Whether the newest writing of its kind failed: a full disk is reported once, not with every block.
  bool audio_fails_ = false;
  bool journal_fails_ = false;
  bool summary_fails_ = false;
  std::optional<std::chrono::system_clock::time_point> stopped_at_;
};

}  // namespace dictum::recorder
