#include "server/session_jobs.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dictum/error.hpp"
#include "dictum/settings.hpp"
#include "recorder/runtime.hpp"
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

struct SessionJobs::Job {
  explicit Job(const asio::any_io_executor& loop) : done(loop, asio::steady_timer::time_point::max()) {}
  std::shared_ptr<recorder::Runtime> runtime;
  std::optional<detail::Outcome> outcome;
  asio::steady_timer done;  // never expires; cancelled once there is an outcome
};

SessionJobs::SessionJobs(RecorderConfig config, asio::any_io_executor loop, asio::thread_pool& files,
                         std::size_t max_jobs)
    : config_(std::move(config)),
      loop_(std::move(loop)),
      files_(files),
      max_jobs_(max_jobs),
      none_left_(loop_, asio::steady_timer::time_point::max()) {}

SessionJobs::~SessionJobs() = default;

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
  if (is_stopping_) co_return stopping_problem();
  if (jobs_.size() >= max_jobs_) {
    co_return Result(problem(
        503, "too_many_jobs",
        fmt::format("The server transcribes {} sessions again already: try again once one is done.", max_jobs_)));
  }
  const auto job = std::make_shared<Job>(loop_);
  Result refused;
  try {
    job->runtime = std::make_shared<recorder::Runtime>(config_for(wanted), asio::any_io_executor());
  } catch (const RecorderError&) {
    refused = problem_of_current_exception();
  }
  if (refused) co_return refused;
  jobs_.insert(job);
  auto done = [job, loop = loop_](detail::Outcome outcome) mutable {
    asio::post(loop, [job, outcome = std::move(outcome)]() mutable {
      if (!job->outcome) job->outcome = std::move(outcome);
      job->done.cancel();
    });
  };
  job->runtime->resume_session(wanted.session, redo_of(wanted.texts), kNoLimit, std::move(done));
  // Whoever waits may be cancelled; the job is not.
  auto ended = asio::co_spawn(loop_, give_back(job), asio::use_awaitable);
  co_await std::move(ended);
  if (is_stopping_) co_return stopping_problem();
  if (job->outcome->code) co_return Result(problem(job->outcome->code, job->outcome->sentence));
  co_return std::nullopt;
}

asio::awaitable<void> SessionJobs::give_back(std::shared_ptr<Job> job) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!job->outcome && !is_stopping_) co_await job->done.async_wait(kAwait);
  auto shut_down = [job] {
    job->runtime->shut_down(detail::Engine::Subscribers::cannot_be_awaited);
    job->runtime.reset();
    return true;
  };
  co_await on_pool(files_.get_executor(), std::move(shut_down));
  if (!job->outcome) job->outcome = detail::Outcome{make_error_code(Errc::cancelled), "The server is stopping."};
  jobs_.erase(job);
  if (jobs_.empty()) none_left_.cancel();
}

void SessionJobs::stop() {
  is_stopping_ = true;
  for (const auto& job : jobs_) job->done.cancel();
}

asio::awaitable<void> SessionJobs::stopped() {
  while (!jobs_.empty()) co_await none_left_.async_wait(kAwait);
}

}  // namespace dictum::server
