#pragma once

#include <fmt/format.h>

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <variant>
#include <vector>

#include "support/virtual_time.hpp"
#include "transcription/worker.hpp"

namespace dictum::recorder {

namespace asio = boost::asio;

/// A worker process that hangs, dies, is killed, fails, answers twice, late or nonsense.
class UnreliableWorker final : public transcription::Worker {
 public:
  UnreliableWorker(std::shared_ptr<const test::VirtualTime> time, asio::any_io_executor loop, std::mt19937& dice,
                   transcription::WorkerEvents events)
      : time_(std::move(time)), loop_(std::move(loop)), dice_(dice), events_(std::move(events)) {
    say(dice_() % 300, transcription::Hello{.engine = "fake", .cancel_ms = 100});
  }

  void send(const transcription::Message& message) override {
    if (hangs_) return;
    if (const auto* ping = std::get_if<transcription::Ping>(&message)) say(1, transcription::Pong{ping->nonce});
    if (const auto* job = std::get_if<transcription::Job>(&message)) take(*job);
  }
  void limit_frames(std::size_t /*bytes*/) override {}

 private:
  void say(unsigned ms, transcription::Message message) {
    later(ms, [on_message = events_.on_message, message = std::move(message)] { on_message(message); });
  }
  void end(unsigned ms, transcription::FailureCause cause) {
    const transcription::WorkerFailure failure{.cause = cause, .code = "worker_died", .message = "Gone.", .died = true};
    later(ms, [on_end = events_.on_end, failure] { on_end(failure); });
  }
  void later(unsigned ms, std::function<void()> what) {
    auto& timer = timers_.emplace_back(time_->make_timer(loop_));
    timer->start(std::chrono::milliseconds(ms), std::move(what));
  }
  void take(const transcription::Job& job) {
    const unsigned ms = dice_() % 4000;
    const transcription::Result result{.id = job.id, .text = fmt::format("text of segment {}", job.segment_index)};
    switch (dice_() % 12) {
      case 0:
        hangs_ = true;
        return;
      case 1:
        return end(ms, transcription::FailureCause::outside);
      case 2:
        return end(ms, transcription::FailureCause::worker);
      case 3:
        return say(ms, transcription::Error{.id = job.id, .message = "The engine could not."});
      case 4:
        say(ms, result);
        return say(ms + 1, result);
      case 5:
        return say(ms, transcription::Result{.id = job.id + 1000, .text = "text of nobody"});
      default:
        return say(ms, result);
    }
  }

  const std::shared_ptr<const test::VirtualTime> time_;
  const asio::any_io_executor loop_;
  std::mt19937& dice_;
  const transcription::WorkerEvents events_;
  std::vector<std::unique_ptr<Timer>> timers_;
  bool hangs_ = false;
};

}  // namespace dictum::recorder
