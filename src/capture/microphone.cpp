#include "capture/microphone.hpp"

#include <cmath>
#include <utility>

namespace dictum::capture {

Microphone::Microphone(std::vector<Backend> backends, std::string device, std::shared_ptr<const Clock> clock)
    : clock_(std::move(clock)),
      description_(device.empty() ? "default input device" : device),
      supervisor_(std::move(backends), std::move(device), clock_) {}

AudioFormat Microphone::open() {
  supervisor_.open();
  finishing_ = false;
  if (format_ == AudioFormat{}) format_ = supervisor_.stream().format();  // after a pause, the session keeps its own
  aligner_.start(format_, clock_->steady_now());
  follow_stream();
  return format_;
}

void Microphone::finish() noexcept {
  finishing_ = true;
  supervisor_.stop_replacing();
}

Reading Microphone::read(std::span<float> interleaved) {
  if (!supervisor_.is_open()) return {};
  const bool received = receive();
  supervisor_.watch(received);
  if (supervisor_.has_replacement()) {
    // The current stream may have delivered until now: it is replaced only once everything of it has been taken.
    const bool has_delivered_since = receive();
    if (!has_delivered_since) replace_stream();
  }
  if (auto fault = take_fault()) return {0, std::move(*fault)};

  Reading reading = aligner_.read(interleaved, supervisor_.expects_more() && !finishing_);
  if (finishing_ && reading.frames == 0 && std::holds_alternative<std::monostate>(reading.then)) {
    const auto gap = aligner_.close_gap(clock_->steady_now(), supervisor_.is_out(), supervisor_.gap_reason());
    if (gap) reading.then = *gap;
  }
  return reading;
}

void Microphone::follow_stream() {
  const DeviceStream& stream = supervisor_.stream();
  device_ = stream.status().device;
  description_ = stream.description();
  converter_.reset();
  if (stream.format() != format_) converter_.emplace(stream.format(), format_);
  integer_samples_ = {};
  monitor_.start(stream.format(), description_);
}

/// The current stream was read to its end, and another one delivers.
void Microphone::replace_stream() {
  const GapReason reason = supervisor_.gap_reason();
  const std::string before = device_;
  std::string why = supervisor_.take_replacement();
  follow_stream();
  aligner_.begin_stream(reason,
                        device_ == before ? std::nullopt : std::optional(SourceDevice{device_, std::move(why)}));
  receive();
}

/// Takes everything that has arrived, so that the stream's ring has room however long the aligner holds audio back.
/// Returns whether anything had.
bool Microphone::receive() {
  bool received = false;
  for (Delivery delivery; supervisor_.stream().ring().take(delivery); received = true) receive(delivery);
  return received;
}

void Microphone::receive(const Delivery& delivery) {
  DeviceStream& stream = supervisor_.stream();
  raw_.resize(static_cast<std::size_t>(delivery.frames) * static_cast<std::size_t>(stream.format().channels));
  stream.ring().pop(raw_);
  if (integer_samples_.scale(raw_)) monitor_.report_integer_samples();
  monitor_.process(raw_, supervisor_.is_muted());
  converted_.clear();
  if (converter_) converter_->process(raw_, converted_);
  const double ratio = static_cast<double>(format_.sample_rate) / stream.format().sample_rate;
  const auto dropped = static_cast<Frame>(std::llround(static_cast<double>(delivery.dropped) * ratio));
  aligner_.push(delivery.arrived, delivery.discontinuity, dropped, converter_ ? converted_ : raw_);
  if (!delivery.discontinuity) return;
  const std::string device = stream.status().device;  // the server may have moved the stream
  if (device != std::exchange(device_, device)) {
    aligner_.set_last_device({device, "the sound server moved the recording to it"});
  }
}

std::optional<SourceFault> Microphone::take_fault() {
  auto fault = supervisor_.take_fault();
  return fault ? std::move(fault) : monitor_.take_fault();
}

}  // namespace dictum::capture
