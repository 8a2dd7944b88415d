#include "server/remote_audio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>

#include "dictum/error.hpp"

namespace dictum::server {
namespace {

constexpr Frame kSecondsOfHour = 3600;
constexpr std::chrono::milliseconds kQuietPace{100};  // as often as clients usually send
constexpr std::chrono::milliseconds kFastPace{1};     // of one that sends what was recorded before, and waits for room

}  // namespace

class RemoteAudio::Source final : public AudioSource {
 public:
  explicit Source(std::shared_ptr<RemoteAudio> audio) : audio_(std::move(audio)) {}
  ~Source() override { close(); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  AudioFormat open() override { return audio_->format_; }
  Reading read(std::span<float> interleaved) override { return audio_->read(interleaved); }
  void close() noexcept override { audio_->close(); }
  std::chrono::milliseconds pace() const override { return audio_->is_fast_ ? kFastPace : AudioSource::pace(); }
  std::chrono::milliseconds quiet_pace() const override { return audio_->is_fast_ ? kFastPace : kQuietPace; }
  std::string description() const override { return audio_->description_; }

 private:
  const std::shared_ptr<RemoteAudio> audio_;
};

RemoteAudio::RemoteAudio(AudioFormat format, std::string description, std::function<void()> on_room)
    : format_(format),
      description_(std::move(description)),
      capacity_(static_cast<std::size_t>(format.sample_rate) * static_cast<std::size_t>(format.channels)) {
  queue_.lock()->on_room = std::move(on_room);
}

void RemoteAudio::write(Frame first, std::vector<float> interleaved) {
  const auto frames = static_cast<Frame>(interleaved.size()) / format_.channels;
  if (first < received_) {
    const auto again = std::min(samples_in(received_ - first), interleaved.size());
    interleaved.erase(interleaved.begin(), interleaved.begin() + static_cast<std::ptrdiff_t>(again));
  }
  append(first, frames, {.gap = {}, .samples = std::move(interleaved), .packet = {}});
}

void RemoteAudio::write_packet(Frame first, Frame frames, std::string packet) {
  Packet taken{.bytes = std::move(packet),
               .frames = frames,
               .dropped = std::clamp<Frame>(received_ - first, 0, frames),
               .is_next = first == received_};
  append(first, frames, {.gap = {}, .samples = {}, .packet = std::move(taken)});
}

/// `piece` has those of the frames that were not received yet.
void RemoteAudio::append(Frame first, Frame frames, Piece piece) {
  const Frame gap = std::max<Frame>(0, first - received_);
  const Frame captured = received_ - missed_;
  if (gap > Frame{kMaxGapHours} * kSecondsOfHour * format_.sample_rate + captured - missed_) {
    throw RecorderError(
        Errc::invalid_argument,
        fmt::format("Frame {} follows frame {}: more than {} hours of the stream are missing. Count the frames of the "
                    "stream from 0.",
                    first, received_, kMaxGapHours));
  }
  if (first + frames <= received_) return;
  piece.gap = gap;
  const std::size_t samples = samples_in(first + frames - received_ - gap);
  missed_ += gap;
  received_ = first + frames;
  const auto queue = queue_.lock();
  if (queue->is_closed || queue->is_finished) return;
  queue->samples += samples;
  queue->pieces.push_back(std::move(piece));
  queue->was_full = queue->samples >= capacity_;
}

void RemoteAudio::finish() {
  queue_.lock()->is_finished = true;
}

bool RemoteAudio::is_full() const {
  const auto queue = queue_.lock();
  return !queue->is_closed && queue->was_full;
}

void RemoteAudio::detach() {
  queue_.lock()->on_room = nullptr;
}

std::unique_ptr<AudioSource> RemoteAudio::make_source() {
  return std::make_unique<Source>(shared_from_this());
}

Reading RemoteAudio::read(std::span<float> interleaved) {
  Reading reading;
  while (const auto packet = fill(&reading, interleaved)) put_decoded(*packet);
  return reading;
}

/// What is there, up to the next packet that has to be decoded.
std::optional<RemoteAudio::Packet> RemoteAudio::fill(Reading* reading, std::span<float> interleaved) {
  const auto queue = queue_.lock();
  const auto channels = static_cast<std::size_t>(format_.channels);
  if (queue->pieces.empty() && reading->frames == 0) is_fast_ = std::exchange(taken_, 0) >= capacity_;
  while (!queue->pieces.empty()) {
    Piece& piece = queue->pieces.front();
    if (piece.gap > 0) {
      reading->then = SourceGap{.frames = std::exchange(piece.gap, 0), .reason = GapReason::overflow};
      break;
    }
    if (piece.packet) return std::exchange(piece.packet, std::nullopt);
    const std::size_t at = reading->frames * channels;
    const std::size_t room = (interleaved.size() - at) / channels * channels;
    const std::size_t size = std::min(room, piece.samples.size() - queue->read);
    std::copy_n(piece.samples.begin() + static_cast<std::ptrdiff_t>(queue->read), size,
                interleaved.begin() + static_cast<std::ptrdiff_t>(at));
    queue->read += size;
    queue->samples -= size;
    taken_ += size;
    reading->frames += size / channels;
    if (queue->read < piece.samples.size()) break;
    queue->pieces.pop_front();
    queue->read = 0;
  }
  if (queue->pieces.empty() && queue->is_finished && reading->then.index() == 0) reading->then = SourceEnd{};
  if (queue->was_full && queue->samples <= capacity_ / 2) {
    queue->was_full = false;
    if (queue->on_room) queue->on_room();
  }
  return std::nullopt;
}

/// Decodes the packet of the first piece, while others are written behind it.
void RemoteAudio::put_decoded(const Packet& packet) {
  if (!decoder_) decoder_.emplace(format_);
  if (!packet.is_next || !has_decoded_) decoder_->reset();
  auto samples = decoder_->decode(packet.bytes);
  has_decoded_ = samples.has_value();
  const Frame frames = packet.frames - packet.dropped;
  const auto queue = queue_.lock();
  if (queue->pieces.empty()) return;  // it was closed
  Piece& piece = queue->pieces.front();
  if (samples) {
    samples->erase(samples->begin(), samples->begin() + static_cast<std::ptrdiff_t>(samples_in(packet.dropped)));
    piece.samples = std::move(*samples);
  } else {
    piece.gap = frames;
    queue->samples -= samples_in(frames);
  }
}

void RemoteAudio::close() {
  const auto queue = queue_.lock();
  queue->is_closed = true;
  queue->pieces.clear();
  if (queue->on_room) queue->on_room();
}

}  // namespace dictum::server
