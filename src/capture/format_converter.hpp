#pragma once

#include <span>
#include <vector>

#include "audio/resampler.hpp"
#include "dictum/source.hpp"

namespace dictum::capture {

/// Converts the format of one device to that of another, for a recording that continues with a device of another kind.
/// Where the numbers of channels differ, each new channel is the mean of the old ones.
///
/// Threads: the reader's. Owner: the microphone. Throws RecorderError(invalid_argument) for unsupported rates.
class FormatConverter {
 public:
  FormatConverter(AudioFormat from, AudioFormat to);

  /// Appends to `out` the frames that `in` completes.
  void process(std::span<const float> in, std::vector<float>& out);

 private:
  const std::size_t from_channels_;
  const std::size_t to_channels_;
  std::vector<audio::Resampler> resamplers_;  // one for each channel that differs from the others
  std::vector<float> channel_;
  std::vector<std::vector<float>> resampled_;
};

}  // namespace dictum::capture
