#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "dictum/transcriber.hpp"
#include "pipeline/stream_item.hpp"
#include "recorder/preview_schedule.hpp"

namespace dictum::recorder {

/// Hands a session's segments to its transcriber, which may be the user's own: what it throws becomes a failed text or
/// a fault.
///
/// Threads: lives on the `loop` strand. Owner: the session. Without a transcriber it does nothing.
class TextStage {
 public:
  struct Settings {
    std::size_t max_submitted{};  // jobs that the transcriber has at once; what waits for its turn is a number
    bool owns_transcriber{};      // else it is the recorder's pool, which outlives the session
  };
  struct Callbacks {
    std::function<TranscriptionJob(std::uint32_t segment)> job;
    std::function<void(std::uint32_t segment, TranscriptionOutcome)> done;  // from any thread, also after our end
    std::function<void(const EventError&)> failed;                          // once
  };

  TextStage(std::shared_ptr<Transcriber> transcriber, TranscriptionJob growing, Settings settings, Callbacks callbacks);
  ~TextStage();
  TextStage(const TextStage&) = delete;
  TextStage& operator=(const TextStage&) = delete;

  void submit(std::uint32_t segment);

  /// A job has ended: the next one has its turn.
  void finished_one();

  /// What capture reports: the audio clock, and the segment that is growing.
  void process(const pipeline::StreamItem& item);
  void end_of_audio();

  /// Gives up what is pending: no job is submitted and no result is wanted any more.
  void abandon() noexcept;
  bool is_abandoned() const { return abandoned_; }

 private:
  template <class Call>
  std::optional<EventError> guarded(Call call);
  void submit_next();
  void progress(Frame now);

  const std::shared_ptr<Transcriber> transcriber_;
  const Settings settings_;
  const Callbacks callbacks_;
  std::deque<std::uint32_t> waiting_;
  std::size_t submitted_ = 0;
  PreviewSchedule previews_;
  TranscriptionJob growing_;  // the segment that is being spoken
  bool abandoned_ = false;
  bool has_thrown_ = false;
};

}  // namespace dictum::recorder
