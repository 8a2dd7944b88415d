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

class TappedSource final : public detail::ForwardingSource {
 public:
  TappedSource(std::unique_ptr<AudioSource> source, AudioTap tap)
      : ForwardingSource(std::move(source)), tap_(std::move(tap)) {}

  AudioFormat open() override { return format_ = ForwardingSource::open(); }

  Reading read(std::span<float> interleaved) override {
    Reading reading = ForwardingSource::read(interleaved);
    const std::size_t values = reading.frames * static_cast<std::size_t>(format_.channels);
    if (values > 0) tap_(interleaved.first(std::min(values, interleaved.size())), format_);
    return reading;
  }

 private:
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
