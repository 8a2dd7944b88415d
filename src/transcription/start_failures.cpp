#include "transcription/start_failures.hpp"

#include <fmt/format.h>

#include <utility>

namespace dictum::transcription {

using namespace std::chrono_literals;

constexpr auto kRefusalTime = 30s;

void StartFailures::clear() {
  starts_ = 0;
  refusal_.reset();
}

std::optional<WorkerFailure> StartFailures::add(WorkerFailure failure, Time now) {
  if (failure.cause == FailureCause::settings) {
    refusal_ = failure;
    refused_until_ = now + kRefusalTime;
    return failure;
  }
  if (starts_++ == 0) first_ = now;
  const auto patience = failure.cause == FailureCause::outside ? rules_.outage_patience : rules_.start_patience;
  if (starts_ < rules_.starts || now - first_ < patience) return std::nullopt;
  failure.message =
      fmt::format("No worker could be started, {} times in a row. Last error: {}", starts_, failure.message);
  return failure;
}

std::optional<WorkerFailure> StartFailures::refusal(Time now) const {
  return now < refused_until_ ? refusal_ : std::nullopt;
}

}  // namespace dictum::transcription
