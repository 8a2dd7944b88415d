#include "server/remote_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <utility>

#include "dictum/text.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr double kProgressHz = 4;  // of audio: how often frames are acknowledged, at least
constexpr double kMarginSec = 1;   // beyond the pre-roll, for what the detector and the disk still hold

std::string describe(const StreamHello& hello) {
  std::string text = "stream:" + (hello.device.empty() ? std::string("unnamed") : hello.device);
  if (hello.clock) text += fmt::format(" from {}", iso_time(time_of(*hello.clock)));
  return text;
}

/// What the recorder of a stream does: as the server's own, but for where its audio comes from.
RecorderConfig config_of(const StreamServices& services, const std::shared_ptr<RemoteAudio>& audio) {
  RecorderConfig config = services.config;
  const std::string channel = config.capture.channel;
  config.capture = {};
  config.capture.channel = channel;
  config.source = [audio] { return audio->make_source(); };
  config.events.level_hz = std::max(config.events.level_hz, kProgressHz);
  return config;
}

}  // namespace

RemoteStream::RemoteStream(StreamServices services, StreamHello hello, std::string token)
    : services_(std::move(services)),
      hello_(std::move(hello)),
      token_(std::move(token)),
      room_(services_.loop, asio::steady_timer::time_point::max()),
      ended_(services_.loop, asio::steady_timer::time_point::max()),
      over_(services_.loop, asio::steady_timer::time_point::max()),
      safe_(std::llround((services_.config.vad.pre_roll_ms / 1000.0 + kMarginSec) * hello_.format.sample_rate)) {
  services_.metrics.begin(this, hello_.format.sample_rate);
}

RemoteStream::~RemoteStream() {
  services_.metrics.end(this);
  if (audio_) audio_->detach();
  give_back();
}

void RemoteStream::receive(std::string_view message) {
  if (hello_.encoding == StreamFormat::opus) {
    const StreamPacket packet = parse_stream_packet(message, hello_.format.sample_rate);
    audio_->write_packet(packet.first, packet.frames, std::string(packet.packet));
    return;
  }
  const std::size_t frame_bytes = sample_bytes(hello_.encoding) * static_cast<std::size_t>(hello_.format.channels);
  const StreamFrames frames = parse_stream_frames(message, frame_bytes);
  audio_->write(frames.first, decode_samples(hello_.encoding, frames.samples));
}

asio::awaitable<std::optional<Response>> RemoteStream::start() {
  const std::weak_ptr<RemoteStream> weak = weak_from_this();
  audio_ = std::make_shared<RemoteAudio>(hello_.format, describe(hello_), [weak, loop = services_.loop] {
    asio::post(loop, [weak] {
      if (const auto self = weak.lock()) self->room_.cancel();
    });
  });
  const auto take_event = [weak](const Event& event) {
    if (const auto self = weak.lock()) self->take(event);
  };
  backend_ = std::make_unique<AsyncRecorderBackend>(services_.loop, config_of(services_, audio_), take_event,
                                                    services_.recorders());
  auto [error] = co_await backend_->start_recording(kAwait);
  if (!backend_) co_return stopping_problem();
  session_ = backend_->get_session_path().filename().string();
  if (!error) co_return std::nullopt;
  const std::string sentence = backend_->last_error();
  co_return problem(std::error_code(error), sentence.empty() ? error.message() : sentence);
}

asio::awaitable<void> RemoteStream::wait_for_room() {
  while (audio_->is_full()) co_await room_.async_wait(kAwait);
}

void RemoteStream::attach(std::shared_ptr<WebSocket> connection, std::function<void()> on_progress) {
  if (connection_) connection_->cancel();
  ++connections_;
  connection_ = std::move(connection);
  on_progress_ = std::move(on_progress);
}

bool RemoteStream::detach(const std::shared_ptr<WebSocket>& connection) {
  if (connection_ != connection) return false;
  connection_.reset();
  on_progress_ = nullptr;
  return true;
}

void RemoteStream::finish() {
  audio_->finish();
  if (std::exchange(is_finishing_, true)) return;
  asio::co_spawn(services_.loop, [self = shared_from_this()] { return self->end(std::nullopt); }, asio::detached);
}

asio::awaitable<void> RemoteStream::stop() {
  if (!backend_) co_return;
  audio_->finish();
  is_finishing_ = true;
  co_await end(std::chrono::seconds(0));
  give_back();
}

/// Where it may block. What still waits for its end may not keep the threads of the recorders from being joined.
void RemoteStream::give_back() {
  if (backend_) asio::post(services_.files, [backend = std::move(backend_)] {});
}

asio::awaitable<void> RemoteStream::end(std::optional<std::chrono::duration<double>> drain) {
  // The end of the audio stops the recording, once all of it is recorded; a stop that came first would cut it off.
  while (!drain && is_recording_) co_await ended_.async_wait(kAwait);
  if (!backend_) co_return;
  co_await backend_->stop_recording(drain, kAwait);
  feed_.close();
  over_.cancel();
}

asio::awaitable<void> RemoteStream::wait_until_over() {
  while (!is_over()) co_await over_.async_wait(kAwait);
}

void RemoteStream::take(const Event& event) {
  feed_.take(event);
  if (observer_) observer_(event);
  services_.metrics.take(this, event);
  services_.log.add(event);
  const bool is_more_safe = safe_.take(event);
  if (const auto* const changed = std::get_if<RecordingStateChanged>(&event.body); changed && !changed->is_recording) {
    is_recording_ = false;
    ended_.cancel();
    finish();  // where it has ended by itself
  }
  if (is_more_safe && on_progress_) on_progress_();
}

}  // namespace dictum::server
