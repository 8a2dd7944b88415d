#include "playback/player.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "audio/format.hpp"

namespace dictum::playback {
namespace {

constexpr double kBufferSeconds = 0.2;

auto deadline() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(3);
}

}  // namespace

Player::Player(int sample_rate, std::stop_token stop)
    : stop_(std::move(stop)),
      connection_("dictum", deadline(), [this] { return stop_.stop_requested(); }),
      interrupt_(stop_, [this] { connection_.interrupt(); }) {
  audio::require_usable({sample_rate, 1}, "The sound to play");
  const pa_sample_spec spec{
      .format = PA_SAMPLE_FLOAT32NE, .rate = static_cast<std::uint32_t>(sample_rate), .channels = 1};
  stream_.reset(pulse::libpulse().pa_stream_new(connection_.context(), "playback", &spec, nullptr));
  if (!stream_) fail();
  pa_buffer_attr attributes;
  attributes.tlength = static_cast<std::uint32_t>(kBufferSeconds * sample_rate) * sizeof(float);
  attributes.maxlength = attributes.prebuf = attributes.minreq = attributes.fragsize = static_cast<std::uint32_t>(-1);
  if (pulse::libpulse().pa_stream_connect_playback(stream_.get(), nullptr, &attributes, PA_STREAM_ADJUST_LATENCY,
                                                   nullptr, nullptr) < 0) {
    fail();
  }
}

Player::~Player() {
  if (stream_) pulse::libpulse().pa_stream_disconnect(stream_.get());
}

bool Player::play(std::span<const float> mono) {
  while (!mono.empty()) {
    std::size_t room = 0;
    const auto has_room = [&] {
      const bool ready = pulse::libpulse().pa_stream_get_state(stream_.get()) == PA_STREAM_READY;
      const std::size_t bytes = ready ? pulse::libpulse().pa_stream_writable_size(stream_.get()) : 0;
      room = bytes == static_cast<std::size_t>(-1) ? 0 : bytes / sizeof(float);
      return room > 0 || !is_good();
    };
    const bool is_served = connection_.run_until(has_room, deadline());
    if (stop_.stop_requested()) return false;
    if (!is_served || room == 0) fail();
    const auto now = mono.first(std::min(room, mono.size()));
    if (pulse::libpulse().pa_stream_write(stream_.get(), now.data(), now.size_bytes(), nullptr, 0, PA_SEEK_RELATIVE) <
        0)
      fail();
    mono = mono.subspan(now.size());
  }
  return true;
}

bool Player::drain() {
  try {
    connection_.complete(pulse::OperationHandle(pulse::libpulse().pa_stream_drain(
                             stream_.get(), [](pa_stream*, int, void*) {}, nullptr)),
                         deadline());
  } catch (const RecorderError&) {
    if (!stop_.stop_requested()) throw;
  }
  return !stop_.stop_requested();
}

bool Player::is_good() const {
  return connection_.is_alive() &&
         (!stream_ || PA_STREAM_IS_GOOD(pulse::libpulse().pa_stream_get_state(stream_.get())));
}

void Player::fail() const {
  if (is_good())
    throw RecorderError(
        Errc::timed_out,
        "The sound output accepts no more audio: it may be suspended or hung. Restart the sound server.");
  throw RecorderError(Errc::device_lost, fmt::format("The sound output cannot be used: {}.", connection_.reason()));
}

}  // namespace dictum::playback
