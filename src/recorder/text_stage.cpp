#include "recorder/text_stage.hpp"

#include <utility>
#include <variant>

#include "base/outcome.hpp"

namespace dictum::recorder {

/// The session as its runner knows it.
class TextStage::Jobs final : public transcription::JobSource {
 public:
  explicit Jobs(Callbacks callbacks)
      : job_(std::move(callbacks.job)),
        done_(std::move(callbacks.done)),
        no_worker_(std::move(callbacks.no_worker)),
        warned_(std::move(callbacks.warned)) {}

  void abandon() {
    job_ = nullptr;
    no_worker_ = nullptr;
    warned_ = nullptr;
  }

  std::optional<TranscriptionJob> job(std::uint32_t segment) override { return job_ ? job_(segment) : std::nullopt; }
  void transcribed(std::uint32_t segment, TranscriptionOutcome outcome) override { done_(segment, std::move(outcome)); }
  void has_no_worker(const EventError& why) override {
    if (no_worker_) no_worker_(why);
  }
  void warn(const EventError& what) override {
    if (warned_) warned_(what);
  }

 private:
  std::function<std::optional<TranscriptionJob>(std::uint32_t segment)> job_;
  const std::function<void(std::uint32_t segment, TranscriptionOutcome)> done_;  // from any thread
  std::function<void(const EventError&)> no_worker_;
  std::function<void(const EventError&)> warned_;
};

TextStage::TextStage(SessionRunner runner, Settings settings, Callbacks callbacks)
    : runner_(std::move(runner)),
      settings_(settings),
      failed_(std::move(callbacks.failed)),
      interim_(std::move(callbacks.interim)),
      jobs_(std::make_shared<Jobs>(std::move(callbacks))),
      previews_(settings.sample_rate) {}

TextStage::~TextStage() {
  abandon();
}

template <class Call>
std::optional<EventError> TextStage::guarded(Call call) {
  try {
    call();
    return std::nullopt;
  } catch (...) {
    EventError error = error_of_current_exception();
    if (!std::exchange(has_thrown_, true)) failed_(error);
    return error;
  }
}

void TextStage::carry_out(const Action& action) {
  if (const auto* job = std::get_if<Transcribe>(&action)) {
    submit(job->segment);
  } else if (const auto* early = std::get_if<BeginEarly>(&action)) {
    begin_early(early->segment);
  } else if (const auto* cancelled = std::get_if<CancelEarly>(&action)) {
    cancel_early(cancelled->segment);
  } else if (std::holds_alternative<WarmUp>(action)) {
    warm_up();
  }
}

void TextStage::submit(std::uint32_t segment) {
  if (!is_active()) return;
  TranscriptionOutcome thrown;
  thrown.error = guarded([&] { runner_->submit(jobs_, segment, settings_.priority); });
  if (thrown.error) jobs_->transcribed(segment, std::move(thrown));
}

void TextStage::begin_early(std::uint32_t segment) {
  if (is_active()) guarded([&] { runner_->begin_early(jobs_, segment); });
}

void TextStage::cancel_early(std::uint32_t segment) {
  if (is_active()) guarded([&] { runner_->cancel_early(segment); });
}

void TextStage::warm_up() {
  if (is_active()) guarded([&] { runner_->warm_up(); });
}

void TextStage::process(const pipeline::StreamItem& item) {
  if (!is_active()) return;
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&item)) {
    growing_ = opened->index;
    growing_from_ = opened->kept_start;
    previews_.segment_opened(opened->kept_start);
  } else if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
    previews_.segment_closed();
    guarded([&] { runner_->end_preview(closed->index); });
  } else if (const auto* passed = std::get_if<pipeline::Progress>(&item)) {
    progress(passed->now);
  }
}

void TextStage::progress(Frame now) {
  if (previews_.is_due(now)) guarded([&] { runner_->preview(interim_(growing_, growing_from_, now)); });
  guarded([&] { runner_->audio_time(now); });
}

void TextStage::end_of_audio() {
  if (is_active()) guarded([&] { runner_->audio_time(kEndOfAudio); });
}

void TextStage::abandon() noexcept {
  jobs_->abandon();
  runner_.abandon();
}

}  // namespace dictum::recorder
