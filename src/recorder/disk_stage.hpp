#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/guarded.hpp"
#include "delivery/event_queue.hpp"
#include "pipeline/stream_item.hpp"
#include "recorder/in_flight.hpp"
#include "recorder/journal_tail.hpp"
#include "recorder/revised_notes.hpp"
#include "recorder/stated_gaps.hpp"
#include "recorder/time_source.hpp"
#include "session/session_writer.hpp"

namespace dictum::recorder {

/// What became of events that were to be written into the journal.
struct WrittenEvents {
  std::size_t count = 0;    // so many of the oldest that waited are in the file now
  bool is_blocked = false;  // the next one could not be written
  std::vector<EventError> faults;
  std::optional<EventError> broken;  // an invariant: the session ends
};

/// What capture reports, on its way over the disk to the loop.
struct Batch {
  std::vector<pipeline::StreamItem> items;
  InFlight in_flight;
  bool source_can_wait = false;  ///< it is a file, which can be read again
};

/// What became of batches.
struct Written {
  std::vector<Batch> batches;  // written as far as they have to be; for the loop, audio left out
  std::vector<EventError> faults;
  bool is_waiting = false;  // for the disk: try again
  bool has_lost = false;    // audio is lost for good
  std::optional<EventError> broken;
};

/// Writes what the pipeline reports and what the core emits to the session's files.
///
/// What cannot be written (the disk is full, a call fails) waits in memory in its order, with everything behind it, and
/// is tried again: so what reaches the loop is on the disk, and nothing is missing where space is made in time. How
/// much may wait is bounded by the capture loop's backlog. The waiting has an end once capture is closed, and for a
/// source that can wait: then a segment is closed with what was written of it, and the rest becomes a gap of the reason
/// `disk`.
///
/// A folder that somebody moves is followed, one that is removed is made again with what is open in it; both are
/// noticed when a segment begins or ends, and within half a second, and reported.
///
/// Threads: lives on the `disk` strand, but for `sync`. Owner: the session. A failure is answered as a fault, once
/// until a write succeeds again.
class DiskStage {
 public:
  /// How long the end of a recording, or a file, waits for a disk that takes nothing.
  static constexpr auto kMaxWait = std::chrono::seconds(1);

  DiskStage(session::SessionWriter writer, TimeSource time, delivery::JournalPointer journal);

  /// Takes the next batch; `write` writes it, and what waits before it.
  void push(Batch batch);
  [[nodiscard]] Written write();

  /// Writes events into the journal, behind those that could not be written before; without any, tries those again.
  [[nodiscard]] WrittenEvents write_events(std::vector<EventPointer> events);

  /// Whether events wait that could not be written.
  bool has_waiting() const { return !waiting_.empty(); }

  /// Refreshes the manifest where that is due; off the way from speech to its transcription.
  [[nodiscard]] std::vector<EventError> save_if_due();

  /// The files to sync while recording, for `sync`: those of `take_unsynced` where that is due and the last `sync` has
  /// ended; else empty.
  std::vector<std::string> due_for_sync();

  /// Capture is closed: every file but the transcripts is complete, once what `take_unsynced` then returns is synced.
  [[nodiscard]] std::vector<EventError> capture_ended();

  /// The files that were written since they were last taken, for `sync`, whether that is due or not. Empty where the
  /// session need not survive a power cut.
  std::vector<std::string> take_unsynced();

  /// On the `sync` strand: waits for the disk, which may take seconds, beside the writing.
  [[nodiscard]] std::vector<EventError> sync(const std::vector<std::string>& files);

  /// The notes that have to follow revised texts, as the journal has them.
  std::vector<RevisedNote> revised_notes(const notes::NotePhrases& phrases) const;

  /// The session is given free; what follows is not written.
  [[nodiscard]] std::vector<EventError> finish();

  /// After `finish`, from any thread: brings the search index up to date. May wait for other processes, so nothing
  /// waits for this.
  void update_index();

 private:
  template <class Write>
  void attempt(bool& fails, std::vector<EventError>& faults, Write write);
  void keep_folder(std::vector<EventError>& faults);
  bool should_keep_folder() const;
  void write_extra(const pipeline::StreamItem& item);
  void write_segment(const pipeline::StreamItem& item);
  bool write_item(pipeline::StreamItem& item, std::vector<pipeline::StreamItem>& done, Written& written);
  bool is_lost(const pipeline::StreamItem& item) const;
  void give_up(const pipeline::StreamItem& item);
  void close_cut(vad::SegmentClosed& closed, std::vector<pipeline::StreamItem>& done, Written& written);
  Frame state_gap(const pipeline::GapEnded& gap, std::vector<pipeline::StreamItem>& done);
  std::vector<pipeline::StreamItem> take_urgent();

  std::optional<session::SessionWriter> writer_;  // empty once finished
  const TimeSource time_;
  const delivery::JournalPointer journal_;
  Guarded<std::shared_ptr<const journal::SessionFolder>> folder_;  // for `sync`
  std::deque<EventPointer> waiting_;                               // for the journal
  std::deque<Batch> batches_;    // whose items from the first on are still to be written
  std::set<std::uint32_t> cut_;  // open segments of which something is lost: nothing is appended any more
  Frame lost_ = 0;               // frames of the audio that was captured
  StatedGaps gaps_;
  Frame written_until_ = 0;                                           // the newest progress behind what is written
  bool wait_ends_ = false;                                            // capture is closed, or can wait
  std::optional<std::chrono::steady_clock::time_point> fails_since_;  // of the segments
  std::optional<std::chrono::steady_clock::time_point> closed_at_;    // one wait for all that is left then
  std::chrono::steady_clock::time_point last_manifest_;
  std::chrono::steady_clock::time_point last_sync_;
  std::optional<std::chrono::steady_clock::time_point> last_folder_check_;
  bool to_sync_ = false;
  std::atomic<bool> syncs_{false};  // a `sync` has not ended
  bool sync_fails_ = false;         // the newest one; of the `sync` strand
  // Whether the newest writing of its kind failed: a full disk is reported once, not with every block.
  bool audio_fails_ = false;
  bool extra_fails_ = false;    // the timeline and the probabilities
  bool restore_fails_ = false;  // of a file that no audio waits for
  bool journal_fails_ = false;
  bool summary_fails_ = false;
  std::optional<EventError> broken_;  // an invariant, until it is reported
  std::optional<std::chrono::system_clock::time_point> stopped_at_;
};

}  // namespace dictum::recorder
