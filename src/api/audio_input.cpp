#include "dictum/audio_input.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "capture/make_source.hpp"
#include "dictum/clock.hpp"
#include "dictum/error.hpp"

namespace dictum {
namespace {

class TappedSource final : public AudioSource {
 public:
  TappedSource(std::unique_ptr<AudioSource> source, AudioTap tap) : source_(std::move(source)), tap_(std::move(tap)) {}

  AudioFormat open() override { return format_ = source_->open(); }

  Reading read(std::span<float> interleaved) override {
    Reading reading = source_->read(interleaved);
    const std::size_t values = reading.frames * static_cast<std::size_t>(format_.channels);
    if (values > 0) tap_(interleaved.first(std::min(values, interleaved.size())), format_);
    return reading;
  }

  void finish() noexcept override { source_->finish(); }
  void close() noexcept override { source_->close(); }
  std::chrono::milliseconds pace() const override { return source_->pace(); }
  std::chrono::milliseconds quiet_pace() const override { return source_->quiet_pace(); }
  void set_device(const std::string& device) override { source_->set_device(device); }
  std::string description() const override { return source_->description(); }
  double drift_ppm() const override { return source_->drift_ppm(); }

 private:
  const std::unique_ptr<AudioSource> source_;
  const AudioTap tap_;
  AudioFormat format_;
};

}  // namespace

std::unique_ptr<AudioSource> make_source(const RecorderConfig& config) {
  return capture::make_source(config, config.clock ? config.clock : std::make_shared<SystemClock>());
}

std::unique_ptr<AudioSource> tap_source(std::unique_ptr<AudioSource> source, AudioTap tap) {
  if (!source) throw RecorderError(Errc::invalid_argument, "tap_source needs a source, and was given a null pointer.");
  if (!tap) throw RecorderError(Errc::invalid_argument, "tap_source needs a function to call, and was given none.");
  return std::make_unique<TappedSource>(std::move(source), std::move(tap));
}

}  // namespace dictum
