#pragma once

#include <fmt/format.h>

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "dictum/transcriber.hpp"
#include "support/virtual_time.hpp"

namespace dictum::recorder {

namespace asio = boost::asio;

/// Answers when it likes, in any order.
class UnreliableTranscriber final : public Transcriber {
 public:
  UnreliableTranscriber(std::shared_ptr<const test::VirtualTime> time, asio::any_io_executor loop, unsigned seed)
      : time_(std::move(time)), loop_(std::move(loop)), dice_(seed) {}

  void transcribe(TranscriptionJob job, Done done) override {
    constexpr unsigned kOf = 20;
    const unsigned fate = dice_() % kOf;
    if (fate == 0) return;  // never
    TranscriptionOutcome outcome;
    if (fate < 3) {
      outcome.error = EventError{"transcription_failed", "The engine could not."};
    } else {
      outcome.text = fmt::format("text of segment {}", job.segment_index);
    }
    auto& timer = timers_.emplace_back(time_->make_timer(loop_));
    timer->start(std::chrono::milliseconds(dice_() % 4000),
                 [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
  }
  void abandon() override { timers_.clear(); }

 private:
  const std::shared_ptr<const test::VirtualTime> time_;
  const asio::any_io_executor loop_;
  std::mt19937 dice_;
  std::vector<std::unique_ptr<Timer>> timers_;
};

}  // namespace dictum::recorder
