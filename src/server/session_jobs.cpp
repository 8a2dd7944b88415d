#include "server/session_jobs.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "api/resume.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"
#include "recorder/redo.hpp"
#include "server/on_pool.hpp"
#include "server/problem.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr double kNoLimit = -1;

recorder::Redo redo_of(TranscribeSession::Texts texts) {
  switch (texts) {
    case TranscribeSession::Texts::missing:
      return recorder::Redo::nothing;
    case TranscribeSession::Texts::missing_and_failed:
      return recorder::Redo::failed;
    case TranscribeSession::Texts::all:
      return recorder::Redo::everything;
    case TranscribeSession::Texts::all_and_edits:
      return recorder::Redo::everything_and_edits;
  }
  return recorder::Redo::nothing;
}

}  // namespace

/// Counts one, for as long as it lives.
class SessionJobs::Job {
 public:
  explicit Job(SessionJobs& all) : all_(all) { ++all_.jobs_; }
  ~Job() {
    if (--all_.jobs_ == 0) all_.none_left_.cancel();
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

 private:
  SessionJobs& all_;
};

SessionJobs::SessionJobs(RecorderConfig config, asio::any_io_executor loop, std::size_t max_jobs)
    : config_(std::move(config)),
      loop_(std::move(loop)),
      max_jobs_(max_jobs),
      none_left_(loop_, asio::steady_timer::time_point::max()) {}

SessionJobs::~SessionJobs() {
  stop();
}

asio::thread_pool& SessionJobs::threads() {
  return threads_ ? *threads_ : threads_.emplace(max_jobs_);
}

RecorderConfig SessionJobs::config_for(const TranscribeSession& wanted) const {
  RecorderConfig config = config_;
  if (!wanted.transcriber.empty()) {
    config.custom_transcriber = nullptr;
    set_setting(config, "transcription.transcriber", wanted.transcriber, "\"transcriber\"");
    config.transcription.model.clear();  // was that of another one
  }
  if (!wanted.model.empty()) set_setting(config, "transcription.model", wanted.model, "\"model\"");
  if (!wanted.language.empty()) set_setting(config, "transcription.language", wanted.language, "\"language\"");
  config.validate();
  const bool is_all =
      wanted.texts == TranscribeSession::Texts::all || wanted.texts == TranscribeSession::Texts::all_and_edits;
  if (is_all && !transcription::transcribes(config)) {
    throw RecorderError(Errc::invalid_argument, "This server transcribes nothing: name a \"transcriber\".");
  }
  return config;
}

asio::awaitable<std::optional<Response>> SessionJobs::run(TranscribeSession wanted) {
  using Result = std::optional<Response>;
  if (stop_.stop_requested()) co_return stopping_problem();
  if (jobs_ >= max_jobs_) {
    co_return Result(problem(
        503, "too_many_jobs",
        fmt::format("The server transcribes {} sessions again already: try again once one is done.", max_jobs_)));
  }
  RecorderConfig config;
  Result refused;
  try {
    config = config_for(wanted);
  } catch (const RecorderError&) {
    refused = problem_of_current_exception();
  }
  if (refused) co_return refused;
  auto transcribe = [config = std::move(config), wanted = std::move(wanted), stop = stop_.get_token()]() -> Result {
    try {
      api::resume_session(config, wanted.session, redo_of(wanted.texts), {}, kNoLimit, stop);
    } catch (...) {
      return problem_of_current_exception();
    }
    return std::nullopt;
  };
  const Job counted(*this);
  Result result = co_await on_pool(threads().get_executor(), std::move(transcribe));
  if (stop_.stop_requested()) co_return stopping_problem();
  co_return result;
}

void SessionJobs::stop() {
  stop_.request_stop();
}

asio::awaitable<void> SessionJobs::stopped() {
  while (jobs_ > 0) co_await none_left_.async_wait(kAwait);
}

}  // namespace dictum::server
