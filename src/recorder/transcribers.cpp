#include "recorder/transcribers.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "dictum/error.hpp"
#include "transcription/custom_runner.hpp"
#include "transcription/fallback_runner.hpp"

namespace dictum::recorder {
namespace {

constexpr std::chrono::milliseconds kUnloadLaterAfter = std::chrono::seconds(10);

transcription::WorkerPoolSettings settings_for_later(transcription::WorkerPoolSettings settings) {
  settings.environment["DICTUM_WORKER_NICE"] = "5";
  settings.unload_after = std::min(settings.unload_after.value_or(kUnloadLaterAfter), kUnloadLaterAfter);
  if (settings.fallback) {
    settings.fallback =
        std::make_shared<const transcription::WorkerPoolSettings>(settings_for_later(*settings.fallback));
  }
  return settings;
}

transcription::WorkerPoolEvents events_to(const std::function<void(CoreDriver::Input)>& to_core) {
  return {.on_status =
              [to_core](WorkerStatus status) {
                to_core([status = std::move(status)](RecorderCore& core, RecorderCore::Actions& actions) {
                  core.worker_changed(status, actions);
                });
              },
          .on_partial =
              [to_core](std::string session, std::uint32_t segment, std::string text, std::size_t stable) {
                to_core([session, segment, text, stable](RecorderCore& core, RecorderCore::Actions& actions) {
                  core.partial(session, segment, text, stable, actions);
                });
              }};
}

}  // namespace

SessionRunner Transcribers::runner(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency,
                                   const boost::asio::any_io_executor& loop,
                                   const std::function<void(CoreDriver::Input)>& to_core) {
  if (config_.custom_transcriber) return custom();
  if (!pool) return {};
  if (urgency == Urgency::later) {
    if (!later_) later_ = transcription::make_pool(loop, settings_for_later(*pool), clock_, {});
    return SessionRunner(*later_);
  }
  if (!live_) live_ = transcription::make_pool(loop, *pool, clock_, events_to(to_core));
  return SessionRunner(*live_);
}

SessionRunner Transcribers::custom() const {
  auto made = config_.custom_transcriber();
  if (!made) {
    throw RecorderError(Errc::invalid_argument,
                        "The configuration's transcriber factory returned a null pointer: let it return a Transcriber, "
                        "or set the transcriber \"none\".");
  }
  return SessionRunner(std::make_unique<transcription::CustomRunner>(std::move(made)));
}

void Transcribers::abandon() {
  for (const auto* pool : {&live_, &later_}) {
    if (*pool) (*pool)->abandon();
  }
}

void Transcribers::reset() {
  live_.reset();
  later_.reset();
}

}  // namespace dictum::recorder
