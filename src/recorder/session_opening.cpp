#include "recorder/session_opening.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "recorder/session_errors.hpp"

namespace dictum::recorder {
namespace {

constexpr std::chrono::seconds kMaxTranscriberCheck{10};

/// What an error of a worker that says that its settings are wrong is to the caller of the start.
Errc code_named(std::string_view name) {
  for (const Errc code : {Errc::model_missing, Errc::transcriber_missing, Errc::invalid_argument}) {
    if (name == to_string(code)) return code;
  }
  return Errc::config_invalid;
}

void check_not_cancelled(const StrandCalls& calls) {
  if (calls.lifecycle().is_cancelled()) throw start_was_cancelled();
}

/// Settings that somebody wrote may be such that no segment can ever be transcribed: the worker knows. A worker that is
/// slow, or fails for another reason, does not hold up the start for long.
boost::asio::awaitable<void> check_transcriber(const SessionRunner* transcriber,
                                               const RecorderConfig::Transcription* settings, const Timers* timers,
                                               boost::asio::any_io_executor loop, StrandCalls* calls) {
  const bool has_wishes = !settings->model.empty() || !(settings->language.empty() || settings->language == "auto");
  if (!*transcriber || !has_wishes) co_return;
  const auto answer = std::make_shared<std::optional<std::optional<EventError>>>();
  (*transcriber)->prepare([answer, notify = calls->notifier()](std::optional<EventError> error) {
    answer->emplace(std::move(error));
    notify();
  });
  bool is_late = false;
  const auto limit = timers->make_timer(loop);
  limit->start(kMaxTranscriberCheck, [&is_late, notify = calls->notifier()] {
    is_late = true;
    notify();
  });
  while (!*answer && !is_late && !calls->lifecycle().is_cancelled()) co_await calls->changed();
  if (*answer && **answer) throw RecorderError(code_named((**answer)->code), (**answer)->message);
}

}  // namespace

boost::asio::awaitable<OpenedSession> open_session(std::shared_ptr<SessionHost> host, Strands strands, TimeSource time,
                                                   StrandCalls* calls) {
  OpenedSession opened;
  const RecorderConfig config = host->config();
  host->state_changed(RecordingState::starting, {});

  const auto prepare_parts = [config] { return prepare(config); };
  auto prepared = co_await calls->on(strands.listen, prepare_parts);
  check_not_cancelled(*calls);
  opened.warnings = std::move(prepared->warnings);

  auto open_source = [config, time, listen = strands.listen, detector = std::move(prepared->detector)]() mutable {
    return open_capture(config, time, std::move(detector), listen);
  };
  auto capture = co_await calls->on(strands.listen, std::move(open_source));
  check_not_cancelled(*calls);
  opened.capture = *std::move(capture);

  opened.transcriber = host->transcriber(prepared->pool, Urgency::live);
  co_await check_transcriber(&opened.transcriber, &config.transcription, time.timers.get(), strands.loop, calls);
  check_not_cancelled(*calls);

  const auto make_files = [config, clock = time.clock, disk = strands.disk, capture = opened.capture] {
    return owned_by_strand(disk, std::make_unique<NewSession>(config, clock->now(), capture.format.sample_rate,
                                                              capture.loop->description()));
  };
  auto files = co_await calls->on(strands.disk, make_files);
  check_not_cancelled(*calls);
  opened.files = *std::move(files);

  opened.settings = core_settings(config, opened.files->path(), opened.capture.format.sample_rate,
                                  static_cast<bool>(opened.transcriber));
  opened.settings.session = opened.files->name();
  opened.settings.vocabulary = std::move(prepared->vocabulary);
  co_return opened;
}

boost::asio::awaitable<ReopenedParts> reopen_session(std::shared_ptr<SessionHost> host, Strands strands,
                                                     TimeSource time, StrandCalls* calls, std::filesystem::path path) {
  const RecorderConfig config = host->config();
  const auto recover = [path = std::move(path), config, clock = time.clock] {
    return reopen(config, path, clock->now());
  };
  auto reopened = co_await calls->on(strands.disk, recover);
  check_not_cancelled(*calls);
  auto transcriber = host->transcriber(reopened->pool, Urgency::later);
  auto settings = core_settings(config, reopened->writer, static_cast<bool>(transcriber));
  settings.vocabulary = std::move(reopened->vocabulary);
  co_return ReopenedParts{.settings = std::move(settings),
                          .writer = std::move(reopened->writer),
                          .journal = std::move(reopened->journal),
                          .transcriber = std::move(transcriber)};
}

}  // namespace dictum::recorder
