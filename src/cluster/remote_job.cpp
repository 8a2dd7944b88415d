#include "cluster/remote_job.hpp"

#include <algorithm>

namespace dictum::cluster {

void RemoteJob::start(Actions& actions) {
  if (state_ != State::idle) return;
  state_ = State::looking;
  actions.emplace_back(LookUpResult{});
}

void RemoteJob::result_looked_up(std::optional<Result> stored, Actions& actions) {
  switch (state_) {
    case State::looking:
      // A job that failed before is tried again where it is asked for again.
      if (!stored) return publish(0, actions);
      if (stored->is_error) return publish(stored->generation + 1, actions);
      return finish(*stored, actions);
    case State::checking:
      // Neither the job nor its result: it was withdrawn, too old for its stream, or lost with its server.
      if (!stored || !is_answer(*stored)) return publish(generation_ + 1, actions);
      return finish(*stored, actions);
    case State::waiting:
      if (stored && is_answer(*stored)) finish(*stored, actions);
      return;
    case State::idle:
    case State::publishing:
    case State::over:
      return;
  }
}

void RemoteJob::result_is_incomplete(Actions& actions) {
  if (state_ == State::over) publish(generation_ + 1, actions);
}

void RemoteJob::published(std::uint64_t sequence, bool was_there, Actions& actions) {
  if (state_ != State::publishing) return;
  state_ = State::waiting;
  sequence_ = sequence;
  if (was_there) actions.emplace_back(LookUpJob{sequence});
}

void RemoteJob::job_looked_up(bool is_there, Actions& actions) {
  if (state_ != State::waiting || is_there) return;
  state_ = State::checking;
  actions.emplace_back(LookUpResult{});
}

void RemoteJob::result_arrived(Result result, Actions& actions) {
  if (state_ == State::idle || state_ == State::over || !is_answer(result)) return;
  finish(result, actions);
}

void RemoteJob::check_due(Actions& actions) {
  if (state_ == State::waiting) actions.emplace_back(LookUpJob{sequence_});
}

void RemoteJob::cancel(Actions& actions) {
  const bool is_stored = state_ == State::waiting || state_ == State::checking;
  state_ = State::over;
  if (is_stored) actions.emplace_back(Withdraw{sequence_});
}

void RemoteJob::publish(std::uint32_t generation, Actions& actions) {
  state_ = State::publishing;
  generation_ = generation;
  actions.emplace_back(Publish{generation});
}

void RemoteJob::finish(const Result& result, Actions& actions) {
  state_ = State::over;
  generation_ = std::max(generation_, result.generation);
  actions.emplace_back(Finish{});
}

}  // namespace dictum::cluster
