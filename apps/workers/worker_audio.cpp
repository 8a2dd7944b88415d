#include "worker_audio.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <soxr.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::workers {
namespace {

constexpr double kMaxSeconds = 2 * 3600;  // the longest segment that can be configured is one hour
constexpr int kMaxChannels = 64;

struct CloseFile {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

std::vector<float> resampled(std::vector<float> samples, int rate) {
  if (rate == kEngineRate || samples.empty()) return samples;
  const double ratio = static_cast<double>(kEngineRate) / rate;
  std::vector<float> out(static_cast<std::size_t>(std::ceil(static_cast<double>(samples.size()) * ratio)) + 1);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  std::size_t produced = 0;
  if (const soxr_error_t error = soxr_oneshot(rate, kEngineRate, 1, samples.data(), samples.size(), nullptr, out.data(),
                                              out.size(), &produced, nullptr, &quality, nullptr)) {
    throw RecorderError(Errc::input_unreadable, fmt::format("cannot resample from {} Hz: {}", rate, error));
  }
  out.resize(produced);
  return out;
}

}  // namespace

Frame WorkerAudio::frame_at(double second) const {
  const double offset = std::clamp(second * sample_rate, 0.0, static_cast<double>(frames));
  return first_frame + static_cast<Frame>(std::llround(offset));
}

WorkerAudio read_worker_audio(const std::filesystem::path& wav, std::optional<transcription::FrameRange> range) {
  // A session's audio is never a link, and nothing waits for a pipe.
  UniqueFD opened(::open(wav.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!opened || ::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw RecorderError(Errc::input_not_found, fmt::format("{}: there is no such file", wav.string()));
  }
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, CloseFile> file(sf_open_fd(opened.release(), SFM_READ, &info, SF_TRUE));
  if (!file) throw RecorderError(Errc::input_unreadable, fmt::format("{}: {}", wav.string(), sf_strerror(nullptr)));
  if (info.channels < 1 || info.channels > kMaxChannels || info.samplerate < 1 || info.frames < 0) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: {} channels at {} Hz cannot be transcribed",
                                                            wav.string(), info.channels, info.samplerate));
  }

  Frame start = 0;
  Frame end = info.frames;
  if (range) {
    if (range->start < 0 || range->end < range->start) {
      throw RecorderError(Errc::invalid_argument,
                          fmt::format("frames {} to {} are no range", range->start, range->end));
    }
    start = std::min<Frame>(range->start, info.frames);
    end = std::min<Frame>(range->end, info.frames);
  }
  if (static_cast<double>(end - start) / info.samplerate > kMaxSeconds) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: longer than two hours", wav.string()));
  }
  if (start > 0 && sf_seek(file.get(), start, SEEK_SET) != start) {
    throw RecorderError(Errc::input_unreadable, fmt::format("{}: {}", wav.string(), sf_strerror(file.get())));
  }

  // In blocks: a header can promise more than the file holds, and memory follows what is really there.
  constexpr Frame kBlock = 16384;
  const auto channels = static_cast<std::size_t>(info.channels);
  std::vector<float> block(static_cast<std::size_t>(kBlock) * channels);
  std::vector<float> mono;
  for (Frame left = end - start; left > 0;) {
    const Frame got = sf_readf_float(file.get(), block.data(), std::min(left, kBlock));
    if (got <= 0) break;
    for (std::size_t frame = 0; frame < static_cast<std::size_t>(got); ++frame) {
      float sum = 0;
      for (std::size_t channel = 0; channel < channels; ++channel) sum += block[frame * channels + channel];
      const float mean = sum / static_cast<float>(channels);
      mono.push_back(std::isfinite(mean) ? std::clamp(mean, -1.0F, 1.0F) : 0.0F);
    }
    left -= got;
  }

  WorkerAudio audio;
  audio.sample_rate = info.samplerate;
  audio.first_frame = start;
  audio.frames = static_cast<Frame>(mono.size());
  audio.samples = resampled(std::move(mono), info.samplerate);
  return audio;
}

std::vector<std::int16_t> to_pcm16(std::span<const float> samples) {
  std::vector<std::int16_t> out(samples.size());
  std::ranges::transform(samples, out.begin(), [](float sample) {
    return static_cast<std::int16_t>(std::lround(std::clamp(sample * 32768.0F, -32768.0F, 32767.0F)));
  });
  return out;
}

}  // namespace dictum::workers
