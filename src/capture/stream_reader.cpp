#include "capture/stream_reader.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

namespace dictum::capture {

void StreamReader::follow(const DeviceStream& stream, const AudioFormat& wanted) {
  device_ = stream.status().device;
  ratio_ = static_cast<double>(wanted.sample_rate) / stream.format().sample_rate;
  converter_.reset();
  if (stream.format() != wanted) converter_.emplace(stream.format(), wanted);
  integer_samples_ = {};
  monitor_.start(stream.format(), stream.description());
}

bool StreamReader::receive(DeviceStream& stream, bool is_muted) {
  bool received = false;
  for (Delivery delivery; stream.ring().take(delivery); received = true) receive(stream, delivery, is_muted);
  return received;
}

void StreamReader::receive(DeviceStream& stream, const Delivery& delivery, bool is_muted) {
  raw_.resize(static_cast<std::size_t>(delivery.frames) * static_cast<std::size_t>(stream.format().channels));
  stream.ring().pop(raw_);
  if (integer_samples_.scale(raw_)) monitor_.report_integer_samples();
  monitor_.process(raw_, is_muted);
  converted_.clear();
  if (converter_) converter_->process(raw_, converted_);
  const auto dropped = static_cast<Frame>(std::llround(static_cast<double>(delivery.dropped) * ratio_));
  aligner_.push(delivery.arrived, delivery.discontinuity, dropped, converter_ ? converted_ : raw_);
  if (!delivery.discontinuity) return;
  const std::string device = stream.status().device;
  if (device != std::exchange(device_, device)) {
    aligner_.set_last_device({device, "the sound server moved the recording to it"});
  }
}

}  // namespace dictum::capture
