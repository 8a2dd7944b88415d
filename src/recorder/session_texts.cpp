#include "recorder/session_texts.hpp"

#include <boost/asio/dispatch.hpp>
#include <memory>
#include <utility>

namespace dictum::recorder {

void SessionTexts::begin(SessionRunner runner, Settings settings, const boost::asio::any_io_executor& loop) {
  is_resumed_ = settings.is_resumed;
  // Inline where this is the loop already, so that a transcriber that answers by the audio clock is processed at that
  // very moment of it.
  auto done = [this, weak = std::weak_ptr(keep_()), loop](std::uint32_t segment, TranscriptionOutcome text) {
    boost::asio::dispatch(loop, [this, weak, segment, text = std::move(text)] {
      if (const auto owner = weak.lock()) arrived(segment, text);
    });
  };
  stage_.emplace(std::move(runner),
                 TextStage::Settings{.priority = settings.priority, .sample_rate = core_->settings().sample_rate},
                 TextStage::Callbacks{.job = [this](std::uint32_t segment) { return core_->job(segment); },
                                      .interim = [this](std::uint32_t segment, Frame start,
                                                        Frame end) { return core_->interim_job(segment, start, end); },
                                      .done = std::move(done),
                                      .failed = [this](const EventError& error) { core_.report(error); },
                                      .no_worker = [this](const EventError& why) { wait_for_worker(why); },
                                      .warned = [this](const EventError& what) { core_.report(what); }});
}

void SessionTexts::carry_out(const Action& action) {
  if (stage_) stage_->carry_out(action);
}

void SessionTexts::abandon() {
  if (stage_) stage_->abandon();
}

/// Nobody waits for texts while there is no worker: they stay queued, here and on the disk.
void SessionTexts::wait_for_worker(const EventError& why) {
  if (!std::exchange(has_no_worker_, true)) {
    core_.report(
        {why.code,
         why.message + (is_resumed_ ? " Segments are left without their texts: `dictum resume` goes on with them."
                                    : " Segments wait for their texts: recording goes on, and workers are tried "
                                      "again.")});
  }
  callbacks_.no_worker();
  callbacks_.changed();
}

void SessionTexts::arrived(std::uint32_t segment, const TranscriptionOutcome& outcome) {
  has_no_worker_ = false;
  if (!are_pending() || !core_->is_pending(segment)) return;
  core_.give([segment, outcome](RecorderCore& core, RecorderCore::Actions& actions) {
    core.transcribed(segment, outcome, actions);
  });
  callbacks_.changed();
}

}  // namespace dictum::recorder
