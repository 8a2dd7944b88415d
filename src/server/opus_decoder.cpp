#include "server/opus_decoder.hpp"

#include <algorithm>
#include <array>

#ifdef DICTUM_HAS_OPUS
#include <opus.h>

#include <new>
#endif

namespace dictum::server {

bool OpusDecoder::has_format(AudioFormat format) noexcept {
  static constexpr std::array<int, 5> kRates = {8000, 12000, 16000, 24000, 48000};
  return std::ranges::find(kRates, format.sample_rate) != kRates.end() && format.channels >= 1 && format.channels <= 2;
}

#ifdef DICTUM_HAS_OPUS

namespace {

const unsigned char* bytes_of(std::string_view packet) {
  return reinterpret_cast<const unsigned char*>(packet.data());
}

}  // namespace

struct OpusDecoder::State {
  struct Free {
    void operator()(::OpusDecoder* unused) const { opus_decoder_destroy(unused); }
  };
  std::unique_ptr<::OpusDecoder, Free> decoder;
};

bool OpusDecoder::is_available() noexcept {
  return true;
}

std::optional<Frame> OpusDecoder::frames_in(std::string_view packet, int sample_rate) noexcept {
  if (packet.empty() || packet.size() > kMaxPacketBytes) return std::nullopt;
  const int frames = opus_packet_get_nb_samples(bytes_of(packet), static_cast<opus_int32>(packet.size()), sample_rate);
  if (frames <= 0) return std::nullopt;
  return frames;
}

OpusDecoder::OpusDecoder(AudioFormat format) : format_(format), state_(std::make_unique<State>()) {
  int error = OPUS_OK;
  state_->decoder.reset(opus_decoder_create(format.sample_rate, format.channels, &error));
  if (!state_->decoder) throw std::bad_alloc();
}

OpusDecoder::~OpusDecoder() = default;

std::optional<std::vector<float>> OpusDecoder::decode(std::string_view packet) {
  const auto frames = frames_in(packet, format_.sample_rate);
  if (!frames) return std::nullopt;
  std::vector<float> samples(static_cast<std::size_t>(*frames * format_.channels));
  const int decoded = opus_decode_float(state_->decoder.get(), bytes_of(packet), static_cast<opus_int32>(packet.size()),
                                        samples.data(), static_cast<int>(*frames), 0);
  if (decoded != *frames) return std::nullopt;
  return samples;
}

void OpusDecoder::reset() {
  opus_decoder_ctl(state_->decoder.get(), OPUS_RESET_STATE);
}

#else

struct OpusDecoder::State {};

bool OpusDecoder::is_available() noexcept {
  return false;
}

std::optional<Frame> OpusDecoder::frames_in(std::string_view /*packet*/, int /*sample_rate*/) noexcept {
  return std::nullopt;
}

OpusDecoder::OpusDecoder(AudioFormat format) : format_(format) {}
OpusDecoder::~OpusDecoder() = default;

std::optional<std::vector<float>> OpusDecoder::decode(std::string_view /*packet*/) {
  return std::nullopt;
}

void OpusDecoder::reset() {}

#endif

}  // namespace dictum::server
