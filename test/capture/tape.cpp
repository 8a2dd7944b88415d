#include "capture/tape.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

namespace dictum::capture::test {

Tape::Tape(AudioSource& source) : source_(source) {}

AudioFormat Tape::open() {
  format_ = source_.open();
  opened_ = std::chrono::steady_clock::now();
  buffer_.resize(static_cast<std::size_t>(format_.sample_rate / 10 * format_.channels));
  return format_;
}

bool Tape::read_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    while (read_once()) {
    }
    lags_.emplace_back(elapsed(), elapsed() - timeline());
    while (lags_.front().first < lags_.back().first - 0.25) lags_.pop_front();
    if (done()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(source_.pace());  // the reader's pace, as the source states it
  }
}

void Tape::read_for(std::chrono::milliseconds time) {
  read_until([] { return false; }, time);
}

std::chrono::milliseconds Tape::finish() {
  finished_ = elapsed();
  source_.finish();
  while (read_once()) {
  }
  if (elapsed() - timeline() < behind()) lags_ = {{elapsed(), elapsed() - timeline()}};
  const auto start = std::chrono::steady_clock::now();
  source_.close();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

double Tape::elapsed() const {
  if (finished_ >= 0) return finished_;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - opened_).count();
}

double Tape::behind() const {
  return std::ranges::min(lags_, {}, &std::pair<double, double>::second).second;
}

bool Tape::has_sound_after(double seconds) const {
  return last_sound_ > seconds;
}

bool Tape::read_once() {
  const Reading reading = source_.read(buffer_);
  for (std::size_t i = 0; i < reading.frames; ++i) {
    const float sample = buffer_[i * static_cast<std::size_t>(format_.channels)];
    samples.push_back(sample);
    captured += 1;
    if (std::abs(sample) > 0.01F) last_sound_ = timeline();
  }
  if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
    gaps.push_back({captured + missing, *gap});
    missing += gap->frames;
  } else if (const auto* fault = std::get_if<SourceFault>(&reading.then)) {
    faults.push_back({elapsed(), *fault});
  } else if (const auto* device = std::get_if<SourceDevice>(&reading.then)) {
    devices.push_back(*device);
  }
  return reading.frames > 0 || reading.then.index() != 0;
}

}  // namespace dictum::capture::test
