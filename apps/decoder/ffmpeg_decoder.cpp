#include "ffmpeg_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
}

#include "audio/format.hpp"

namespace dictum::decoder {

namespace {

// Kinds of file that hold sound themselves. Others name further files or addresses (playlists, concatenations, live
// streams), or are pictures.
constexpr const char* kDemuxers =
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,eac3,flac,flv,gsm,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpc,mpc8,mpeg,mpegts,ogg,rm,tta,voc,w64,wav,wv";

constexpr int kIOBuffer = 64 * 1024;

struct FreeFormat {
  void operator()(AVFormatContext* context) const {
    AVIOContext* io = context->pb;
    avformat_close_input(&context);
    if (io != nullptr) av_freep(static_cast<void*>(&io->buffer));
    avio_context_free(&io);
  }
};
struct FreeCodec {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreeResampler {
  void operator()(SwrContext* context) const { swr_free(&context); }
};

using FormatContext = std::unique_ptr<AVFormatContext, FreeFormat>;
using CodecContext = std::unique_ptr<AVCodecContext, FreeCodec>;

// What demuxers only log: that the file ended in the middle of something. One decoder runs in this process.
bool a_part_was_cut = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void watch_log(void* /*source*/, int level, const char* format, va_list /*values*/) {
  if (level > AV_LOG_WARNING) return;
  const std::string_view text = format;
  for (const std::string_view sign : {"ended prematurely", "partial file", "truncat", "Truncat", "Packet corrupt"}) {
    if (text.find(sign) != text.npos) a_part_was_cut = true;
  }
}

int read_input(void* input, std::uint8_t* bytes, int size) {
  const std::size_t got = static_cast<DecoderInput*>(input)->read(
      {reinterpret_cast<std::byte*>(bytes), static_cast<std::size_t>(std::max(size, 0))});
  return got > 0 ? static_cast<int>(got) : AVERROR_EOF;
}

std::int64_t seek_input(void* opaque, std::int64_t offset, int whence) {
  auto* const input = static_cast<DecoderInput*>(opaque);
  if ((whence & AVSEEK_SIZE) != 0) return input->part_size();
  if ((whence & ~AVSEEK_FORCE) != SEEK_SET || !input->seek(offset)) return AVERROR(EINVAL);
  return offset;
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

FormatContext open_format(DecoderInput& input) {
  FormatContext context(avformat_alloc_context());
  auto* const buffer = static_cast<unsigned char*>(av_malloc(kIOBuffer));
  if (!context || buffer == nullptr) return nullptr;
  context->pb =
      avio_alloc_context(buffer, kIOBuffer, 0, &input, read_input, nullptr, input.can_seek() ? seek_input : nullptr);
  if (context->pb == nullptr) return nullptr;
  context->pb->seekable = input.can_seek() ? AVIO_SEEKABLE_NORMAL : 0;
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->io_open = refuse_to_open;
  context->max_streams = 64;
  context->probesize = 1 << 20;
  context->format_whitelist = av_strdup(kDemuxers);
  context->protocol_whitelist = av_strdup("none");
  AVIOContext* io = context->pb;
  AVFormatContext* opened = context.release();
  if (avformat_open_input(&opened, nullptr, nullptr, nullptr) < 0) {  // frees the context, not what is ours
    av_freep(static_cast<void*>(&io->buffer));
    avio_context_free(&io);
    return nullptr;
  }
  return FormatContext(opened);
}

CodecContext open_codec(const AVStream& stream, const AVCodec* codec) {
  CodecContext context(avcodec_alloc_context3(codec));
  if (!context || avcodec_parameters_to_context(context.get(), stream.codecpar) < 0) return nullptr;
  context->thread_count = 1;
  context->pkt_timebase = stream.time_base;
  context->err_recognition |= AV_EF_CRCCHECK;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return nullptr;
  return context;
}

/// To interleaved floats of the first frame's rate and channels, whatever the later ones have.
class Converter {
 public:
  ~Converter() { av_channel_layout_uninit(&layout_); }
  Converter() = default;
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  /// Empty where the frame cannot be converted; also for null (the end), when nothing is held back.
  std::span<const float> convert(const AVFrame* frame, DecoderOutput& output) {
    const auto channels = static_cast<std::size_t>(output.channels());
    if (frame != nullptr && !fits(*frame) && !adopt(*frame, output)) return {};
    if (!resampler_) return {};
    const int most = swr_get_out_samples(resampler_.get(), frame != nullptr ? frame->nb_samples : 0);
    if (most <= 0) return {};
    samples_.resize(static_cast<std::size_t>(most) * channels);
    auto* out = reinterpret_cast<std::uint8_t*>(samples_.data());
    const int got = swr_convert(resampler_.get(), &out, most,
                                frame != nullptr ? const_cast<const std::uint8_t**>(frame->extended_data)
                                                 : nullptr,  // NOLINT: the C API's type
                                frame != nullptr ? frame->nb_samples : 0);
    return std::span(samples_).first(static_cast<std::size_t>(std::max(got, 0)) * channels);
  }

 private:
  bool fits(const AVFrame& frame) const {
    return resampler_ && frame.sample_rate == rate_ && frame.format == format_ &&
           av_channel_layout_compare(&frame.ch_layout, &layout_) == 0;
  }

  bool adopt(const AVFrame& frame, const DecoderOutput& output) {
    av_channel_layout_uninit(&layout_);
    if (av_channel_layout_copy(&layout_, &frame.ch_layout) < 0) return false;
    rate_ = frame.sample_rate;
    format_ = frame.format;
    AVChannelLayout to{};
    if (layout_.nb_channels == output.channels()) {
      av_channel_layout_copy(&to, &layout_);  // the channels as they are
    } else {
      av_channel_layout_default(&to, output.channels());
    }
    SwrContext* made = nullptr;
    const int result = swr_alloc_set_opts2(&made, &to, AV_SAMPLE_FMT_FLT, output.sample_rate(), &layout_,
                                           static_cast<AVSampleFormat>(format_), rate_, 0, nullptr);
    av_channel_layout_uninit(&to);
    resampler_.reset(made);
    if (result < 0 || swr_init(made) < 0) resampler_.reset();
    return resampler_ != nullptr;
  }

  std::unique_ptr<SwrContext, FreeResampler> resampler_;
  AVChannelLayout layout_{};
  int rate_ = 0;
  int format_ = -1;
  std::vector<float> samples_;
};

// Whether an Ogg stream ends as its writer meant it to: with a whole page that is marked as the last one.
bool ogg_is_complete(std::span<const std::byte> tail) {
  constexpr std::size_t kHead = 27;
  for (std::size_t i = tail.size() < kHead ? 0 : tail.size() - kHead + 1; i-- > 0;) {
    if (std::memcmp(tail.data() + i, "OggS", 4) != 0) continue;
    const auto segments = std::to_integer<std::size_t>(tail[i + 26]);
    std::size_t size = kHead + segments;
    if (i + size > tail.size()) return false;
    for (std::size_t k = 0; k < segments; ++k) size += std::to_integer<std::size_t>(tail[i + kHead + k]);
    return i + size <= tail.size() && (std::to_integer<unsigned>(tail[i + 5]) & 4) != 0;
  }
  return true;
}

/// One part of the input: demuxed, decoded, sent, and compared with what it announced.
class Part {
 public:
  Part(DecoderInput& input, DecoderOutput& output) : input_(input), output_(output) {}

  /// False where nothing of it is known.
  bool open() {
    format_ = open_format(input_);
    if (!format_) return false;
    if (avformat_find_stream_info(format_.get(), nullptr) < 0) return false;
    const AVCodec* codec = nullptr;
    const int index = av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
    if (index < 0 || codec == nullptr) {
      fail(index == AVERROR_DECODER_NOT_FOUND
               ? "holds sound of a kind that cannot be decoded: convert it to WAV or FLAC."
               : "holds no sound.");
      return true;
    }
    stream_ = format_->streams[index];
    codec_ = open_codec(*stream_, codec);
    if (!codec_) fail("holds sound that cannot be decoded: convert it to WAV or FLAC.");
    return true;
  }

  void decode() {
    if (!codec_) return;
    a_part_was_cut = false;
    sent_before_ = output_.frames_sent();
    const std::unique_ptr<AVPacket, FreePacket> packet(av_packet_alloc());
    int result = 0;
    for (;;) {
      result = av_read_frame(format_.get(), packet.get());
      if (result == AVERROR(EAGAIN)) continue;
      if (result < 0) break;
      note_time(*packet);
      if (packet->stream_index == stream_->index) {
        is_last_corrupt_ = (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
        const bool is_sound = holds_sound(*packet);
        if (is_pause(*packet)) {
          send_pause();
        } else {
          if (avcodec_send_packet(codec_.get(), packet.get()) < 0) damaged_places_ += is_sound ? 1 : 0;
          receive(is_sound);
        }
      }
      av_packet_unref(packet.get());
    }
    avcodec_send_packet(codec_.get(), nullptr);
    receive(true);
    if (output_.has_format()) output_.send_audio(converter_.convert(nullptr, output_));
    compare(result);
  }

 private:
  // A further part that cannot be read does not take back what was sent.
  void fail(std::string_view text) {
    if (!output_.has_format()) output_.refuse(text);
    output_.send_notice(fmt::format("is followed by another part, which {}", text));
  }

  // Demuxers also pass on the tags and headers between joined files, and the bytes that pad a chunk.
  bool holds_sound(const AVPacket& packet) const {
    for (const std::string_view name : {"ID3", "TAG", "APETAGEX", "OpusHead", "OpusTags"}) {
      if (packet.size >= static_cast<int>(name.size()) && std::memcmp(packet.data, name.data(), name.size()) == 0) {
        return false;
      }
    }
    return packet.size >= codec_->block_align || codec_->block_align > 8192;
  }

  // The AMR codecs send a description of the background noise, or nothing, while nobody speaks (3GPP TS 26.101 and
  // 26.201: frame types from 8 and from 9 on). FFmpeg refuses these frames.
  bool is_pause(const AVPacket& packet) const {
    if (packet.size < 1) return false;
    const int type = packet.data[0] >> 3 & 0x0F;
    return (codec_->codec_id == AV_CODEC_ID_AMR_NB && type >= 8) ||
           (codec_->codec_id == AV_CODEC_ID_AMR_WB && type >= 9);
  }

  /// 20 ms of silence, as long as a frame of sound.
  void send_pause() {
    const std::unique_ptr<AVFrame, FreeFrame> frame(av_frame_alloc());
    frame->format = codec_->sample_fmt;
    frame->sample_rate = codec_->sample_rate;
    frame->nb_samples = codec_->sample_rate / 50;
    if (av_channel_layout_copy(&frame->ch_layout, &codec_->ch_layout) < 0 || av_frame_get_buffer(frame.get(), 0) < 0) {
      ++damaged_places_;
      return;
    }
    av_samples_set_silence(frame->extended_data, 0, frame->nb_samples, frame->ch_layout.nb_channels,
                           codec_->sample_fmt);
    send(*frame);
  }

  void note_time(const AVPacket& packet) {
    if (packet.pts == AV_NOPTS_VALUE) return;
    const AVRational base = format_->streams[packet.stream_index]->time_base;
    const std::int64_t start = format_->start_time == AV_NOPTS_VALUE ? 0 : format_->start_time;
    reached_ = std::max(reached_, av_rescale_q(packet.pts + packet.duration, base, AV_TIME_BASE_Q) - start);
  }

  void receive(bool is_sound) {
    const std::unique_ptr<AVFrame, FreeFrame> frame(av_frame_alloc());
    for (;;) {
      const int result = avcodec_receive_frame(codec_.get(), frame.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
      if (result < 0) {
        damaged_places_ += is_sound ? 1 : 0;
        return;
      }
      send(*frame);
      av_frame_unref(frame.get());
    }
  }

  void send(AVFrame& frame) {
    if (frame.ch_layout.nb_channels < 1 || frame.sample_rate < 1 || frame.nb_samples < 1) return;
    if (!output_.has_format()) {
      const AudioFormat format{.sample_rate = frame.sample_rate, .channels = frame.ch_layout.nb_channels};
      const std::int64_t announced = announced_frames(format.sample_rate);
      output_.send_format(format.sample_rate, format.channels, announced);
    }
    const auto samples = converter_.convert(&frame, output_);
    if (samples.empty() && frame.nb_samples > 64) ++damaged_places_;
    output_.send_audio(samples);
  }

  // -1 where nothing announces it: an estimate from the bit rate is none.
  std::int64_t announced_frames(int rate) const {
    if (input_.kind() == Kind::mp3) {
      const double seconds = input_.mp3_seconds();
      return seconds > 0 ? std::llround(seconds * rate) : -1;
    }
    if (format_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) return -1;
    if (stream_->duration != AV_NOPTS_VALUE && stream_->duration > 0) {
      return av_rescale_q(stream_->duration, stream_->time_base, {1, rate});
    }
    return format_->duration > 0 ? av_rescale_q(format_->duration, AV_TIME_BASE_Q, {1, rate}) : -1;
  }

  void compare(int result) {
    const int rate = output_.has_format() ? output_.sample_rate() : 0;
    if (rate == 0) return;
    const double seconds = static_cast<double>(output_.frames_sent() - sent_before_) / rate;
    const double announced = static_cast<double>(announced_frames(rate)) / rate;
    // Encoders add up to 3000 samples that decoders take away again, and containers round.
    const double tolerance = std::max(0.1, 3000.0 / rate);
    const bool is_alone = format_->nb_streams == 1;
    const double whole = static_cast<double>(format_->duration) / AV_TIME_BASE;
    const bool is_short = is_alone ? announced > seconds + tolerance
                                   : format_->duration > 0 &&
                                         format_->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE &&
                                         whole > static_cast<double>(reached_) / AV_TIME_BASE + 0.5;
    if (input_.error() != 0) {
      output_.send_notice(
          fmt::format("could not be read any further: {}.", std::generic_category().message(input_.error())));
    } else if (is_short) {
      const double missing = is_alone ? announced - seconds : whole - static_cast<double>(reached_) / AV_TIME_BASE;
      output_.send_notice(fmt::format("was cut off: about {:.1f} s of {:.1f} s are missing; what is there was read.",
                                      missing, is_alone ? announced : whole));
    } else if ((result < 0 && result != AVERROR_EOF) || is_last_corrupt_ || a_part_was_cut ||
               (input_.kind() == Kind::ogg && !ogg_is_complete(input_.tail()))) {
      output_.send_notice(fmt::format(
          "was cut off after {:.1f} s, how much is missing it does not say; what is there was read.", seconds));
    }
    if (damaged_places_ > 0) {
      output_.send_notice(fmt::format("is damaged in {} places: sound may be missing there.", damaged_places_));
    }
  }

  DecoderInput& input_;
  DecoderOutput& output_;
  FormatContext format_;
  AVStream* stream_ = nullptr;
  CodecContext codec_;
  Converter converter_;
  std::int64_t sent_before_ = 0;
  std::int64_t reached_ = 0;  // microseconds of the container's time
  std::int64_t damaged_places_ = 0;
  bool is_last_corrupt_ = false;
};

}  // namespace

bool decode_with_ffmpeg(DecoderInput& input, DecoderOutput& output) {
  av_log_set_callback(watch_log);
  constexpr std::uint64_t kNoSound = 4096;  // bytes: a tag alone, or what a damaged file begins with
  bool is_known = false;
  do {
    Part part(input, output);
    if (part.open()) {
      is_known = true;
      part.decode();
    } else if (is_known && input.bytes_read() > kNoSound) {
      output.send_notice("is followed by another part, which cannot be read.");
    }
  } while (input.next_part());
  if (!is_known) return false;
  if (!output.has_format()) output.refuse("holds no audio that can be decoded: it is cut off or damaged.");
  return true;
}

}  // namespace dictum::decoder
