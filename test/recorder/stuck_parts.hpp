#pragma once

#include <algorithm>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dictum/source.hpp"
#include "dictum/transcriber.hpp"

/// Parts that do not answer.
namespace dictum::test {

/// Delivers silence for three blocks, then blocks inside `read` until it is let go.
class StuckSource final : public AudioSource {
 public:
  struct Control {
    std::promise<void> stuck;
    std::promise<void> release;
    std::shared_future<void> released{release.get_future().share()};
  };
  explicit StuckSource(std::shared_ptr<Control> control) : control_(std::move(control)) {}
  AudioFormat open() override { return {.sample_rate = 16000, .channels = 1}; }
  Reading read(std::span<float> samples) override {
    if (reads_++ == 3) {
      control_->stuck.set_value();
      control_->released.wait();
    }
    std::ranges::fill(samples, 0.0F);
    return {.frames = samples.size()};
  }
  void close() noexcept override {}
  std::string description() const override { return "stuck"; }

 private:
  const std::shared_ptr<Control> control_;
  int reads_ = 0;
};

/// Never answers.
class SilentTranscriber final : public Transcriber {
 public:
  void transcribe(TranscriptionJob, Done done) override { waiting_.push_back(std::move(done)); }
  void abandon() override { waiting_.clear(); }

 private:
  std::vector<Done> waiting_;
};

}  // namespace dictum::test
