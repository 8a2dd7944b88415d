#include "audio/format.hpp"

#include <fmt/format.h>

#include "dictum/error.hpp"

namespace dictum::audio {

void require_usable(AudioFormat format, std::string_view what) {
  if (format.sample_rate < kLowestRate || format.sample_rate > kHighestRate) {
    throw RecorderError(Errc::input_unreadable,
                        fmt::format("{} has a sample rate of {} Hz: convert it to one between {} and {} Hz.", what,
                                    format.sample_rate, kLowestRate, kHighestRate));
  }
  if (format.channels < 1 || format.channels > kMaxChannels) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{} has {} channels: convert it to between 1 and {}.", what,
                                                            format.channels, kMaxChannels));
  }
}

}  // namespace dictum::audio
