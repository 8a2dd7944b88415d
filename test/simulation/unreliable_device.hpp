#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "dictum/source.hpp"

namespace dictum::recorder {

/// A device that is lost, stalls or is held for a while, and comes back, perhaps as another one. What is said meanwhile
/// is missing, and reported as a gap of just as many frames, so that the timeline stays that of what is said.
class UnreliableDevice final : public AudioSource {
 public:
  UnreliableDevice(std::unique_ptr<AudioSource> inner, unsigned seed) : inner_(std::move(inner)), dice_(seed) {}

  AudioFormat open() override { return inner_->open(); }

  Reading read(std::span<float> interleaved) override {
    if (has_ended_) return {.then = SourceEnd{}};
    if (is_another_device_) {
      is_another_device_ = false;
      return {.then = SourceDevice{.device = "another one", .reason = "The device is gone."}};
    }
    if (readings_left_ > 0) return read_lost();
    constexpr unsigned kReadingsBetween = 100;
    if (dice_() % kReadingsBetween != 0) return inner_->read(interleaved);
    constexpr std::array kReasons = {GapReason::device_lost, GapReason::stalled, GapReason::overflow};
    reason_ = kReasons.at(dice_() % kReasons.size());
    readings_left_ = 1 + static_cast<int>(dice_() % 40);
    if (reason_ != GapReason::device_lost) return {};
    return {.then = SourceFault{.code = "device_lost", .message = "The device is gone.", .recoverable = true}};
  }

  void finish() noexcept override {
    inner_->finish();
    if (readings_left_ > 0) readings_left_ = 1;
  }
  void close() noexcept override { inner_->close(); }
  std::chrono::milliseconds pace() const override { return inner_->pace(); }
  std::string description() const override { return inner_->description(); }

 private:
  /// Takes the audio that is missed. The gap is reported when the device is back, or at the end.
  Reading read_lost() {
    std::array<float, 4096> missed{};
    for (;;) {
      const Reading reading = inner_->read(missed);
      lost_ += static_cast<Frame>(reading.frames);
      has_ended_ = std::holds_alternative<SourceEnd>(reading.then);
      if (reading.frames == 0 || has_ended_) break;
    }
    if (--readings_left_ > 0 && !has_ended_) return {};
    readings_left_ = 0;
    is_another_device_ = !has_ended_ && reason_ == GapReason::device_lost && dice_() % 2 == 0;
    const Frame lost = std::exchange(lost_, 0);
    if (lost == 0) return {};
    return {.then = SourceGap{.frames = lost, .reason = reason_}};
  }

  const std::unique_ptr<AudioSource> inner_;
  std::mt19937 dice_;
  GapReason reason_{};
  int readings_left_ = 0;  // until the device is back; 0: it is there
  Frame lost_ = 0;
  bool is_another_device_ = false;  // to be reported
  bool has_ended_ = false;
};

}  // namespace dictum::recorder
