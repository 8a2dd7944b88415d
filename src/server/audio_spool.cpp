#include "server/audio_spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/disk_error.hpp"
#include "base/private_folders.hpp"
#include "dictum/error.hpp"

namespace dictum::server {
namespace {

static_assert(std::endian::native == std::endian::little, "samples are written as they are in memory");

constexpr std::uint32_t kUnknownSize = 0xFFFFFFFF;
constexpr std::uint16_t kFloat = 3;
constexpr std::size_t kHeaderBytes = 44;
constexpr std::uint64_t kDiskCheck = std::uint64_t{1} << 20;  // bytes
constexpr Frame kPunchFrames = 1 << 18;                       // space is given back in pieces of so many

void add(std::string& bytes, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
}

/// Of a file of unknown length.
std::string wav_header(AudioFormat format, std::size_t frame_bytes) {
  const auto rate = static_cast<std::uint32_t>(format.sample_rate);
  const auto block = static_cast<std::uint32_t>(frame_bytes);
  std::string header = "RIFF";
  add(header, kUnknownSize, 4);
  header += "WAVEfmt ";
  add(header, 16, 4);
  add(header, kFloat, 2);
  add(header, static_cast<std::uint32_t>(format.channels), 2);
  add(header, rate, 4);
  add(header, rate * block, 4);
  add(header, block, 2);
  add(header, 8 * sizeof(float), 2);
  header += "data";
  add(header, kUnknownSize, 4);
  return header;
}

void write_all(int fd, const char* bytes, std::size_t size, std::size_t offset, const std::filesystem::path& file) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t wrote = ::pwrite(fd, bytes + done, size - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) throw_disk_error(wrote == 0 ? ENOSPC : errno, file);
    done += static_cast<std::size_t>(wrote);
  }
}

}  // namespace

AudioSpool::AudioSpool(std::filesystem::path file, AudioFormat format, std::function<void()> on_change,
                       std::uint64_t reserve)
    : file_(std::move(file)),
      format_(format),
      frame_bytes_(static_cast<std::size_t>(format.channels) * sizeof(float)),
      on_change_(std::move(on_change)),
      reserve_(reserve),
      unchecked_(kDiskCheck) {
  if (const auto error = make_private_folders(file_.parent_path())) throw_disk_error(error.value(), file_);
  fd_ = UniqueFD(::open(file_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) throw_disk_error(errno, file_);
  const std::string header = wav_header(format_, frame_bytes_);
  write_all(fd_.get(), header.data(), header.size(), 0, file_);
}

AudioSpool::~AudioSpool() {
  std::error_code ignored;
  if (released_ >= end()) std::filesystem::remove(file_, ignored);
}

void AudioSpool::append(std::span<const float> interleaved) {
  const auto frames = static_cast<Frame>(interleaved.size() / static_cast<std::size_t>(format_.channels));
  const Frame at = end();
  try {
    if (unchecked_ >= kDiskCheck) {
      const std::string why = why_below_reserve(file_.parent_path(), interleaved.size_bytes(), reserve_);
      if (!why.empty()) throw RecorderError(Errc::disk_full, why);
      unchecked_ = 0;
    }
    unchecked_ += interleaved.size_bytes();
    write_all(fd_.get(), reinterpret_cast<const char*>(interleaved.data()), interleaved.size_bytes(),
              kHeaderBytes + static_cast<std::size_t>(at) * frame_bytes_, file_);
  } catch (...) {
    skip(frames);
    throw;
  }
  state_.lock()->end = at + frames;
  on_change_();
}

void AudioSpool::skip(Frame frames) {
  if (frames <= 0) return;
  {
    const auto state = state_.lock();
    if (!state->gaps.empty() && state->gaps.back().end == state->end) {
      state->gaps.back().end += frames;
    } else {
      state->gaps.push_back({state->end, state->end + frames});
    }
    state->end += frames;
  }
  on_change_();
}

void AudioSpool::finish() {
  {
    const auto state = state_.lock();
    // No frame follows a gap at the end, so the server never learns of it.
    if (!state->gaps.empty() && state->gaps.back().end == state->end) {
      state->end = state->gaps.back().begin;
      state->gaps.pop_back();
    }
    state->is_finished = true;
  }
  on_change_();
}

Frame AudioSpool::end() const {
  return state_.lock()->end;
}

bool AudioSpool::is_finished() const {
  return state_.lock()->is_finished;
}

std::optional<AudioSpool::Block> AudioSpool::read(Frame from, Frame frames) const {
  Frame end = 0;
  {
    const auto state = state_.lock();
    end = state->end;
    // In order, so the first gap that ends behind `from` is the only one that matters.
    auto gap = std::ranges::upper_bound(state->gaps, from, {}, &Gap::end);
    if (gap != state->gaps.end() && gap->begin <= from) {
      from = gap->end;
      ++gap;
    }
    if (gap != state->gaps.end()) end = std::min(end, gap->begin);
  }
  const auto count = std::min(frames, end - from);
  if (count <= 0) return std::nullopt;
  Block block{.first = from, .bytes = std::string(static_cast<std::size_t>(count) * frame_bytes_, '\0')};
  const std::size_t offset = kHeaderBytes + static_cast<std::size_t>(from) * frame_bytes_;
  for (std::size_t done = 0; done < block.bytes.size();) {
    const ssize_t got =
        ::pread(fd_.get(), block.bytes.data() + done, block.bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw RecorderError(Errc::input_unreadable,
                          fmt::format("'{}' cannot be read: {}.", file_.string(),
                                      got == 0 ? "it is shorter than it was" : std::generic_category().message(errno)));
    }
    done += static_cast<std::size_t>(got);
  }
  return block;
}

void AudioSpool::release(Frame before) {
  before = std::min(before, end());
  if (before <= released_) return;
  // A file system that cannot give space back keeps it until the end.
  const Frame begin = released_ / kPunchFrames * kPunchFrames;
  const Frame punched = before / kPunchFrames * kPunchFrames;
  if (punched > begin) {
    ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(kHeaderBytes + static_cast<std::size_t>(begin) * frame_bytes_),
                static_cast<off_t>(static_cast<std::size_t>(punched - begin) * frame_bytes_));
  }
  released_ = before;
}

}  // namespace dictum::server
