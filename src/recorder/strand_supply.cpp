#include "recorder/strand_supply.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::recorder {

std::optional<boost::asio::any_io_executor> StrandSupply::begin_call() {
  const auto shared = shared_.lock();
  if (!shared->strands) return std::nullopt;
  ++shared->calls;
  return shared->strands->loop;
}

boost::asio::any_io_executor StrandSupply::begin_first_call(const ExceptionHandler& on_exception) {
  const auto shared = shared_.lock();
  if (shared->is_shut_down) throw RecorderError(Errc::invalid_state, "This recorder has been shut down.");
  if (!shared->strands) {
    if (!given_work_) shared->threads = std::make_unique<WorkThreads>();
    shared->strands =
        shared->threads ? shared->threads->make_strands(on_exception) : make_strands(given_work_, on_exception);
  }
  ++shared->calls;
  return shared->strands->loop;
}

void StrandSupply::end_call() {
  --shared_.lock()->calls;
}

bool StrandSupply::give_back(const std::function<void()>& release) {
  const auto shared = shared_.lock();  // until they are gone: a call that begins meanwhile makes others
  if (!shared->threads || shared->calls > 0 || shared->is_shut_down || shared->were_replaced) return false;
  release();
  shared->strands.reset();
  shared->threads.reset();  // not joined: this may be one of them
  return true;
}

Strands StrandSupply::strands() const {
  const auto shared = shared_.lock();
  if (!shared->strands) throw RecorderError(Errc::cancelled, "The recorder was destroyed.");
  return *shared->strands;
}

bool StrandSupply::post_to_disk(std::function<void()> work) const {
  const auto shared = shared_.lock();
  if (!shared->strands) return false;
  boost::asio::post(shared->strands->disk, std::move(work));
  return true;
}

void StrandSupply::replace() {
  const auto shared = shared_.lock();
  shared->were_replaced = true;
  if (shared->threads) shared->threads->replace_stuck();
  if (shared->strands) renew(*shared->strands);
}

std::optional<boost::asio::any_io_executor> StrandSupply::shut_down() {
  const auto shared = shared_.lock();
  if (std::exchange(shared->is_shut_down, true) || !shared->strands) return std::nullopt;
  ++shared->calls;
  return shared->strands->loop;
}

void StrandSupply::join(std::chrono::steady_clock::time_point deadline) noexcept {
  WorkThreads* const threads = shared_.lock()->threads.get();  // stay: after a shut-down they are not given back
  if (threads != nullptr) threads->join(deadline);
  shared_.lock()->strands.reset();  // nothing is posted any longer to threads that may have ended
}

}  // namespace dictum::recorder
