#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "dictum/transcriber.hpp"
#include "pipeline/stream_item.hpp"
#include "recorder/preview_schedule.hpp"
#include "recorder/recorder_core.hpp"
#include "recorder/session_runner.hpp"
#include "transcription/job_runner.hpp"

namespace dictum::recorder {

/// Hands a session's segments to who transcribes them, which may be the user's own: what it throws becomes a failed
/// text or a fault.
///
/// Threads: lives on the `loop` strand. Owner: the session. Without a runner it does nothing.
class TextStage {
 public:
  struct Settings {
    transcription::Priority priority{};
    int sample_rate{};
  };
  struct Callbacks {
    std::function<std::optional<TranscriptionJob>(std::uint32_t segment)> job;  // not after our end
    /// Of the segment that is being spoken, as far as it has come. Not after our end.
    std::function<TranscriptionJob(std::uint32_t segment, Frame start_frame, Frame end_frame)> interim;
    std::function<void(std::uint32_t segment, TranscriptionOutcome)> done;  // from any thread, also after our end
    std::function<void(const EventError&)> failed;                          // once
    std::function<void(const EventError&)> no_worker{};                     // texts wait for one; not after our end
    std::function<void(const EventError&)> warned{};  // texts come all the same; not after our end
  };

  TextStage(SessionRunner runner, Settings settings, Callbacks callbacks);
  ~TextStage();
  TextStage(const TextStage&) = delete;
  TextStage& operator=(const TextStage&) = delete;

  /// What the core asks of a transcriber; anything else is ignored.
  void carry_out(const Action& action);

  void submit(std::uint32_t segment);
  void begin_early(std::uint32_t segment);
  void cancel_early(std::uint32_t segment);
  void warm_up();

  /// What capture reports: the audio clock, and the segment that is growing.
  void process(const pipeline::StreamItem& item);
  void end_of_audio();

  /// Gives up what is pending: no job is submitted and no result is wanted any more.
  void abandon() noexcept;
  bool is_abandoned() const { return runner_.is_abandoned(); }

 private:
  class Jobs;

  bool is_active() const { return runner_ && !is_abandoned(); }
  template <class Call>
  std::optional<EventError> guarded(Call call);
  void progress(Frame now);

  SessionRunner runner_;
  const Settings settings_;
  const std::function<void(const EventError&)> failed_;
  const std::function<TranscriptionJob(std::uint32_t, Frame, Frame)> interim_;
  const std::shared_ptr<Jobs> jobs_;  // the runner shares it while it has a segment
  PreviewSchedule previews_;
  std::uint32_t growing_ = 0;  // the segment that is being spoken
  Frame growing_from_ = 0;
  bool has_thrown_ = false;
};

}  // namespace dictum::recorder
