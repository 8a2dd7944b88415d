#include "capture/format_converter.hpp"

#include <numeric>

namespace dictum::capture {

FormatConverter::FormatConverter(AudioFormat from, AudioFormat to)
    : from_channels_(static_cast<std::size_t>(from.channels)), to_channels_(static_cast<std::size_t>(to.channels)) {
  const std::size_t distinct = from_channels_ == to_channels_ ? to_channels_ : 1;
  resampled_.resize(distinct);
  for (std::size_t i = 0; i < distinct; ++i) resamplers_.emplace_back(from.sample_rate, to.sample_rate);
}

void FormatConverter::process(std::span<const float> in, std::vector<float>& out) {
  const std::size_t frames = in.size() / from_channels_;
  for (std::size_t c = 0; c < resamplers_.size(); ++c) {
    channel_.resize(frames);
    for (std::size_t i = 0; i < frames; ++i) {
      const auto frame = in.subspan(i * from_channels_, from_channels_);
      channel_[i] = resamplers_.size() == from_channels_
                        ? frame[c]
                        : std::accumulate(frame.begin(), frame.end(), 0.0F) / static_cast<float>(from_channels_);
    }
    resampled_[c].clear();
    resamplers_[c].process(channel_, resampled_[c]);
  }
  for (std::size_t i = 0; i < resampled_.front().size(); ++i) {
    for (std::size_t c = 0; c < to_channels_; ++c) out.push_back(resampled_[c % resampled_.size()][i]);
  }
}

}  // namespace dictum::capture
