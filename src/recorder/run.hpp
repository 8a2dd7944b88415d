#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "delivery/event_queue.hpp"
#include "pipeline/capture_loop.hpp"
#include "recorder/disk_stage.hpp"
#include "recorder/executors.hpp"
#include "recorder/recorder_core.hpp"

namespace dictum::recorder {

/// One session while it is alive: carries the core's actions out and brings it the parts' inputs.
///
/// Threads: lives on the `loop` strand, where every method is called; hands audio to `listen` and files to `disk`.
/// Owner: the runtime, and the handlers under way, so that a stuck device or disk is left behind with what it holds.
class Run : public std::enable_shared_from_this<Run> {
 public:
  struct Parts {
    Executors executors;
    std::shared_ptr<const Clock> clock;
    RecorderCore::Settings core;
    std::shared_ptr<pipeline::CaptureLoop> capture;  // null: a session that is resumed, not recorded
    std::shared_ptr<DiskStage> disk;
    std::shared_ptr<Transcriber> transcriber;  // null: no transcription
    std::shared_ptr<delivery::JournalView> journal;
    bool in_background{};     // an old session: its jobs go one at a time, between those of the one that is recorded
    bool owns_transcriber{};  // else it is the backend's pool, which outlives the session
  };

  /// `publish` takes an event to the subscribers; `changed` is called after every input.
  Run(Parts parts, std::function<void(const Event&)> publish, std::function<void()> changed);

  /// The first events, then audio.
  void begin(const std::vector<EventError>& warnings);

  /// For a session without capture: what `RecorderCore::resume` does.
  void resume_session(const std::vector<Event>& journal, Redo redo);

  /// Ends the capture; closed within two seconds, whatever the device or the disk does.
  void stop();
  void pause(detail::Completion done);
  void resume(detail::Completion done);

  /// Gives an input to the core. Inputs that arrive while one is handled wait their turn, so `give` owns what it needs.
  void input(std::function<void(RecorderCore&, RecorderCore::Actions&)> give);

  /// Nobody waits for outstanding texts any longer; they go on being transcribed. Says what is left, once.
  void end_drain();

  /// Gives up outstanding texts; the session stays unfinished on disk.
  void abandon_transcription();

  /// Whether notes are being made to follow texts that were revised: once they do, they are told.
  bool revises_notes();

  /// Everything is told: `finish` follows, and faults that come now have no journal to go to.
  void mark_finishing() { finishing_ = true; }

  /// Closes the files; then `is_finished`.
  void finish();

  void set_muted(bool muted);
  void set_device(const std::string& device);

  const Executors& executors() const { return parts_.executors; }
  const RecorderCore& core() const { return core_; }
  const std::filesystem::path& path() const { return parts_.journal->session; }
  bool is_closed() const { return files_complete_; }
  bool is_done() const { return files_complete_ && (core_.outstanding() == 0 || transcription_abandoned_); }
  bool is_finished() const { return finished_; }
  bool drain_is_over() const { return drain_over_; }
  bool is_finishing() const { return finishing_; }

  /// True once where the device or the disk was left behind: whoever owns the strands replaces them.
  bool take_abandonment() { return std::exchange(untold_abandonment_, false); }

 private:
  void hear(std::vector<pipeline::StreamItem> items);
  void ask_capture(detail::Outcome (pipeline::CaptureLoop::*question)(), detail::Completion done);
  void tell_transcriber(Frame now);
  template <class Call>
  std::optional<EventError> guarded(Call call);
  void preview(const pipeline::StreamItem& item);
  void carry_out(RecorderCore::Actions& actions);
  void transcribe(Transcribe action);
  void submit_next();
  void to_disk(std::function<std::vector<EventError>(DiskStage&)> write, std::function<void()> then = {});
  void report(const std::vector<EventError>& faults);
  void force_close();

  const Parts parts_;
  const std::function<void(const Event&)> publish_;
  const std::function<void()> changed_;
  RecorderCore core_;
  std::deque<std::function<void(RecorderCore&, RecorderCore::Actions&)>> inputs_;
  bool handling_ = false;

  boost::asio::steady_timer stop_bound_;
  bool stopping_ = false;
  bool abandoned_ = false;  // the device or the disk did not answer in time: what still comes from them is ignored
  bool untold_abandonment_ = false;
  bool files_complete_ = false;
  bool drain_over_ = false;
  bool transcription_abandoned_ = false;
  bool revising_notes_ = false;
  bool finishing_ = false;
  bool finished_ = false;
  bool transcriber_threw_ = false;  // told once

  std::deque<std::uint32_t> waiting_;  // segments whose turn has not come: a backlog is numbers, the rest is on disk
  std::size_t submitted_ = 0;          // jobs that the transcriber has

  std::optional<TranscriptionJob> growing_;  // the open segment, for interim text
  Frame next_preview_ = 0;
};

}  // namespace dictum::recorder
