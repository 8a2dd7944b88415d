#include "decoder_input.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

namespace dictum::decoder {

namespace {

constexpr std::size_t kTail = 64 * 1024;
constexpr std::size_t kAtOnce = 64 * 1024;
constexpr std::int64_t kMaxSpool = std::int64_t{16} << 30;
constexpr std::size_t kHead = 4096;
constexpr std::string_view kASF("\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\0\xAA\0\x62\xCE\x6C", 16);
constexpr std::size_t kMaxParts = 10'000;
constexpr int kMaxPieces = 1'000'000;  // boxes or chunks that are looked at

bool holds(std::span<const std::byte> bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

unsigned value(std::byte byte) {
  return std::to_integer<unsigned>(byte);
}

// The header of a frame of layer III, of any version, rate and bit rate.
bool is_mp3_frame(std::span<const std::byte> bytes) {
  return bytes.size() >= 4 && value(bytes[0]) == 0xFF && (value(bytes[1]) & 0xE6) == 0xE2 &&
         (value(bytes[2]) & 0xF0) != 0xF0 && (value(bytes[2]) & 0x0C) != 0x0C;
}

// The length of the ID3 tag that begins here; 0 where none does.
std::uint64_t id3_length(std::span<const std::byte> bytes) {
  if (!holds(bytes, 0, "ID3") || bytes.size() < 10 || value(bytes[3]) < 2 || value(bytes[3]) > 4) return 0;
  if (value(bytes[4]) != 0 || (value(bytes[5]) & 0x0F) != 0) return 0;
  std::uint64_t size = 0;
  for (std::size_t i = 6; i < 10; ++i) {
    if (value(bytes[i]) > 0x7F) return 0;
    size = size << 7 | value(bytes[i]);
  }
  return size + 10;
}

// Where in the frame at `at` the name of an MP3's description is; 0 where it is none.
std::size_t find_description(std::span<const std::byte> bytes, std::size_t at) {
  constexpr std::size_t kBeforeName[] = {36, 21, 13, 38, 23, 15};  // header, checksum and side information
  if (!is_mp3_frame(bytes.subspan(at))) return 0;
  for (const std::size_t name : kBeforeName) {
    if (holds(bytes, at + name, "Xing") || holds(bytes, at + name, "Info")) return at + name;
  }
  return 0;
}

// The first place at or behind `from` where another MP3 file begins: a tag, or the frame that describes the whole file.
std::size_t find_mp3(std::span<const std::byte> bytes, std::size_t from) {
  for (std::size_t at = from; at + 4 <= bytes.size(); ++at) {
    if (holds(bytes, at, "ID3") && id3_length(bytes.subspan(at)) > 0) return at;
    if (find_description(bytes, at) > 0) return at;
  }
  return bytes.size();
}

// What begins a further file, where the demuxer does not find it.
std::string_view mark_of(Kind kind) {
  switch (kind) {
    case Kind::flac:
      return "fLaC";
    case Kind::wav:
      return "RIFF";
    case Kind::asf:
      return kASF;
    case Kind::amr:
      return "#!AMR\n";
    case Kind::amr_wide:
      return "#!AMR-WB\n";
    default:
      return {};
  }
}

Kind kind_of(std::span<const std::byte> bytes) {
  for (const char* const box : {"ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"}) {
    if (holds(bytes, 4, box)) return Kind::iso_media;
  }
  if (holds(bytes, 0, "caff")) return Kind::caf;
  if (holds(bytes, 0, "fLaC")) return Kind::flac;
  if (holds(bytes, 0, "#!AMR\n")) return Kind::amr;
  if (holds(bytes, 0, "#!AMR-WB\n")) return Kind::amr_wide;
  if (holds(bytes, 0, "OggS")) return Kind::ogg;
  if (holds(bytes, 0, "\x1A\x45\xDF\xA3")) return Kind::matroska;
  if (holds(bytes, 0, "RIFF") && holds(bytes, 8, "WAVE")) return Kind::wav;
  if (holds(bytes, 0, kASF.substr(0, 8))) return Kind::asf;
  if (holds(bytes, 0, "ID3") || is_mp3_frame(bytes)) return Kind::mp3;
  return Kind::other;
}

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  for (const std::byte byte : bytes) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

// A file without a name: nothing of it is left when this process ends, however it does.
int temporary_file() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || folder[0] != '/') folder = "/tmp";
  const int fd = ::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  return fd >= 0 ? fd : ::memfd_create("dictum-decoder", MFD_CLOEXEC);
}

}  // namespace

DecoderInput::DecoderInput(std::vector<std::byte> taken) : buffer_(std::move(taken)) {
  while (buffer_.size() < 12 && !has_ended_) fill(12 - buffer_.size());
  kind_ = kind_of(buffer_);
  begin_part();
}

bool DecoderInput::has_marks() const {
  return kind_ == Kind::mp3 || !mark_of(kind_).empty();
}

// Front to back only. A tag may hold anything, also what looks like the beginning of a file.
void DecoderInput::begin_part() {
  part_ended_ = false;
  bytes_read_ = 0;
  tag_bytes_ = 0;
  head_.clear();
  tail_.clear();
  if (kind_ == Kind::mp3) tag_bytes_ = id3_length(std::span(buffer_).subspan(begin_));
}

// Where in the buffer the next part begins; its size where none does. What begins a file occurs by chance in no other.
std::size_t DecoderInput::next_mark() const {
  const std::uint64_t own = tag_bytes_ + 1;  // the beginning of this part
  const std::size_t from = begin_ + static_cast<std::size_t>(own > bytes_read_ ? own - bytes_read_ : 0);
  if (from >= buffer_.size()) return buffer_.size();
  if (kind_ == Kind::mp3) return find_mp3(buffer_, from);
  const std::string_view mark = mark_of(kind_);
  for (auto search = buffer_.begin() + static_cast<std::ptrdiff_t>(from);;) {
    const auto found = std::search(search, buffer_.end(), mark.begin(), mark.end(),
                                   [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
    if (found == buffer_.end()) return buffer_.size();
    const auto at = static_cast<std::size_t>(found - buffer_.begin());
    // These marks are short: with what always follows them they are long enough.
    const bool is_flac = holds(buffer_, at + 5, std::string_view("\0\0\x22", 3)) && at + 4 < buffer_.size() &&
                         (value(buffer_[at + 4]) & 0x7F) == 0;
    const bool is_wav = holds(buffer_, at + 8, "WAVEfmt ");
    if ((kind_ != Kind::flac || is_flac) && (kind_ != Kind::wav || is_wav)) return at;
    search = found + 1;
  }
}

void DecoderInput::fill(std::size_t count) {
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  const std::size_t before = buffer_.size();
  buffer_.resize(before + count);
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data() + before, count);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) has_ended_ = true;
  if (got < 0) error_ = errno;
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
}

std::string DecoderInput::prepare(void (*progress)(void*), void* context) {
  if (kind_ != Kind::iso_media && kind_ != Kind::caf) return {};
  struct stat status{};
  can_seek_ = true;
  const off_t reached = ::lseek(fd_, 0, SEEK_CUR);
  if (::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) && reached >= static_cast<off_t>(buffer_.size())) {
    base_ = reached - static_cast<off_t>(buffer_.size());
    size_ = status.st_size - base_;
  } else {
    const int file = temporary_file();
    if (file < 0) return "needs a temporary file to be read from a pipe, which cannot be made: send it as a file.";
    std::int64_t reported = 0;
    while (true) {
      std::span<const std::byte> rest = std::span(buffer_).subspan(begin_);
      while (!rest.empty()) {
        const ssize_t written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
          return "needs a temporary file to be read from a pipe, which cannot be written (" +
                 std::generic_category().message(errno) + "): send it as a file.";
        }
        size_ += written;
        rest = rest.subspan(static_cast<std::size_t>(written));
      }
      if (size_ > kMaxSpool) return "holds more than 16 GiB, too much for a pipe: send it as a file.";
      begin_ = buffer_.size();
      if (has_ended_) break;
      if (size_ - reported >= std::int64_t{1} << 20) {
        progress(context);
        reported = size_;
      }
      fill(kAtOnce);
    }
    fd_ = file;
  }
  find_parts();
  part_begin_ = 0;
  part_end_ = part_begins_.size() > 1 ? part_begins_[1] : size_;
  return {};
}

void DecoderInput::find_parts() {
  part_begins_ = {0};
  if (kind_ == Kind::caf) return find_caf_parts();
  find_media_parts();
}

// Every file header but the first begins another file. Chunks lie behind one another, each with its size; one without
// a size goes on to the end.
void DecoderInput::find_caf_parts() {
  constexpr std::int64_t kFileHeader = 8;
  constexpr std::int64_t kChunkHeader = 12;
  std::int64_t at = kFileHeader;
  for (int i = 0; i < kMaxPieces && at + kChunkHeader <= size_; ++i) {
    std::byte head[kChunkHeader]{};
    if (read_at(at, head) < sizeof head) return;
    if (holds(head, 0, "caff")) {
      if (part_begins_.size() < kMaxParts) part_begins_.push_back(at);
      at += kFileHeader;
      continue;
    }
    const std::uint64_t size = big_endian(std::span(head).subspan(4));
    if (size > static_cast<std::uint64_t>(size_ - at - kChunkHeader)) return;
    at += kChunkHeader + static_cast<std::int64_t>(size);
  }
}

// Every file type box but the first begins another file. Boxes lie behind one another, each with its size.
void DecoderInput::find_media_parts() {
  std::int64_t at = 0;
  for (int i = 0; i < kMaxPieces && at + 8 <= size_; ++i) {
    std::byte head[16]{};
    if (read_at(at, head) < 8) return;
    if (at > 0 && holds(head, 4, "ftyp") && part_begins_.size() < kMaxParts) part_begins_.push_back(at);
    std::uint64_t size = big_endian(std::span(head).first(4));
    if (size == 1) size = big_endian(std::span(head).subspan(8));
    if (size < 8 || size > static_cast<std::uint64_t>(size_ - at)) return;
    at += static_cast<std::int64_t>(size);
  }
}

std::size_t DecoderInput::read_at(std::int64_t position, std::span<std::byte> bytes) const {
  ssize_t got = 0;
  do {
    got = ::pread(fd_, bytes.data(), bytes.size(), base_ + position);
  } while (got < 0 && errno == EINTR);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::size_t DecoderInput::read(std::span<std::byte> bytes) {
  if (can_seek_) {
    const std::int64_t left = part_end_ - part_begin_ - position_;
    if (left <= 0) return 0;
    const std::size_t got =
        read_at(part_begin_ + position_, bytes.first(std::min(bytes.size(), static_cast<std::size_t>(left))));
    position_ += static_cast<std::int64_t>(got);
    bytes_read_ += got;
    return got;
  }
  if (part_ended_) return 0;
  // A mark may begin in the bytes that are here and end in those that follow.
  const std::size_t margin = has_marks() ? 64 : 0;
  while (buffer_.size() - begin_ <= margin && !has_ended_) fill(kAtOnce);
  std::size_t count = std::min(buffer_.size() - begin_, bytes.size());
  if (has_marks()) {
    if (!has_ended_) count = std::min(count, buffer_.size() - begin_ - margin);
    if (const std::size_t mark = next_mark(); mark < buffer_.size() && mark - begin_ <= count) {
      count = mark - begin_;
      part_ended_ = count == 0;
    }
  }
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), count, bytes.begin());
  if (kind_ == Kind::mp3 && head_.size() < kHead && bytes_read_ + count > tag_bytes_) {
    const auto own = static_cast<std::size_t>(tag_bytes_ > bytes_read_ ? tag_bytes_ - bytes_read_ : 0);
    head_.insert(head_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(own),
                 bytes.begin() + static_cast<std::ptrdiff_t>(std::min(count, own + kHead)));
  }
  begin_ += count;
  bytes_read_ += count;
  tail_.insert(tail_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  if (tail_.size() > 2 * kTail) tail_.erase(tail_.begin(), tail_.end() - static_cast<std::ptrdiff_t>(kTail));
  return count;
}

double DecoderInput::mp3_seconds() const {
  constexpr double kRates[] = {44100, 48000, 32000};
  for (std::size_t at = 0; at + 4 <= head_.size(); ++at) {
    if (!is_mp3_frame(std::span(head_).subspan(at))) continue;
    const std::size_t name = find_description(head_, at);
    if (name == 0 || name + 12 > head_.size() || (value(head_[name + 7]) & 1) == 0) return 0;
    double frames = 0;
    for (std::size_t i = 8; i < 12; ++i) frames = frames * 256 + value(head_[name + i]);
    const unsigned version = value(head_[at + 1]) >> 3 & 3;  // 3: MPEG 1; 2: MPEG 2; 0: MPEG 2.5
    const double rate = kRates[value(head_[at + 2]) >> 2 & 3] / (version == 3 ? 1 : version == 2 ? 2 : 4);
    return frames * (version == 3 ? 1152 : 576) / rate;
  }
  return 0;
}

bool DecoderInput::seek(std::int64_t position) {
  if (!can_seek_ || position < 0) return false;
  position_ = position;
  return true;
}

bool DecoderInput::next_part() {
  if (can_seek_) {
    if (++part_ >= part_begins_.size()) return false;
    part_begin_ = part_begins_[part_];
    part_end_ = part_ + 1 < part_begins_.size() ? part_begins_[part_ + 1] : size_;
    position_ = 0;
    bytes_read_ = 0;
    return true;
  }
  if (!has_marks()) return false;
  // The decoder may have left the rest of a damaged part.
  std::byte rest[4096];
  while (!part_ended_ && read(rest) > 0) {
  }
  if (!part_ended_) return false;
  begin_part();
  return true;
}

}  // namespace dictum::decoder
