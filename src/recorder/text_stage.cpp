#include "recorder/text_stage.hpp"

#include <utility>

#include "base/outcome.hpp"
#include "session/session_writer.hpp"

namespace dictum::recorder {

TextStage::TextStage(std::shared_ptr<Transcriber> transcriber, TranscriptionJob growing, Settings settings,
                     Callbacks callbacks)
    : transcriber_(std::move(transcriber)),
      settings_(settings),
      callbacks_(std::move(callbacks)),
      previews_(growing.sample_rate),
      growing_(std::move(growing)) {}

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
    if (!std::exchange(has_thrown_, true)) callbacks_.failed(error);
    return error;
  }
}

void TextStage::submit(std::uint32_t segment) {
  if (!transcriber_ || abandoned_) return;
  waiting_.push_back(segment);
  submit_next();
}

void TextStage::finished_one() {
  if (submitted_ > 0) --submitted_;
  submit_next();
}

void TextStage::submit_next() {
  if (waiting_.empty() || submitted_ >= settings_.max_submitted) return;
  const std::uint32_t segment = waiting_.front();
  waiting_.pop_front();
  ++submitted_;
  const Transcriber::Done done = [done = callbacks_.done, segment](TranscriptionOutcome outcome) {
    done(segment, std::move(outcome));
  };
  TranscriptionOutcome thrown;
  thrown.error = guarded([&] { transcriber_->transcribe(callbacks_.job(segment), done); });
  if (thrown.error) done(std::move(thrown));
}

void TextStage::process(const pipeline::StreamItem& item) {
  if (!transcriber_ || abandoned_) return;
  if (const auto* opened = std::get_if<vad::SegmentOpened>(&item)) {
    growing_.segment_index = opened->index;
    growing_.wav_path.replace_filename(session::SessionWriter::segment_file(opened->index));
    growing_.start_frame = opened->kept_start;
    previews_.segment_opened(opened->kept_start);
  } else if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
    previews_.segment_closed();
    guarded([&] { transcriber_->end_preview(closed->index); });
  } else if (const auto* passed = std::get_if<pipeline::Progress>(&item)) {
    progress(passed->now);
  }
}

void TextStage::progress(Frame now) {
  if (previews_.is_due(now)) {
    growing_.end_frame = now;
    guarded([&] { transcriber_->preview(growing_); });
  }
  guarded([&] { transcriber_->audio_time(now); });
}

void TextStage::end_of_audio() {
  if (transcriber_ && !abandoned_) guarded([&] { transcriber_->audio_time(kEndOfAudio); });
}

void TextStage::abandon() noexcept {
  if (std::exchange(abandoned_, true) || !transcriber_ || !settings_.owns_transcriber) return;
  waiting_.clear();
  try {
    transcriber_->abandon();
  } catch (...) {  // it is given up all the same
  }
}

}  // namespace dictum::recorder
