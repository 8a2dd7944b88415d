#include "capture/microphone.hpp"

#include <optional>
#include <utility>
#include <variant>

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
  if (auto fault = supervisor_.take_fault()) return {0, *std::move(fault)};
  if (auto fault = reader_.take_fault()) return {0, *std::move(fault)};

  Reading reading = aligner_.read(interleaved, supervisor_.expects_more() && !finishing_);
  if (finishing_ && reading.frames == 0 && std::holds_alternative<std::monostate>(reading.then)) {
    const auto gap = aligner_.close_gap(clock_->steady_now(), supervisor_.is_out(), supervisor_.gap_reason());
    if (gap) reading.then = *gap;
  }
  return reading;
}

void Microphone::follow_stream() {
  description_ = supervisor_.stream().description();
  reader_.follow(supervisor_.stream(), format_);
}

/// The current stream was read to its end, and another one delivers.
void Microphone::replace_stream() {
  const GapReason reason = supervisor_.gap_reason();
  const std::string before = reader_.device();
  std::string why = supervisor_.take_replacement();
  follow_stream();
  const std::string& device = reader_.device();
  aligner_.begin_stream(reason, device == before ? std::nullopt : std::optional(SourceDevice{device, std::move(why)}));
  receive();
}

bool Microphone::receive() {
  return reader_.receive(supervisor_.stream(), supervisor_.is_muted());
}

}  // namespace dictum::capture
