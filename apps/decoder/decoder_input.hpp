#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dictum::decoder {

/// What is known of the input's kind from its first bytes, as far as it matters for how it is read.
enum class Kind { iso_media, caf, flac, mp3, wav, asf, amr, amr_wide, ogg, matroska, other };

/// Standard input, behind bytes that the recorder has read already, as a sequence of parts: files that were joined
/// (`cat a.flac b.flac`) are given one after the other where a demuxer would not find the second.
///
/// ISO media (MP4, M4A, 3GP) and CAF keep their index at the end, so they are read with seeking, from a pipe by way of
/// a temporary file without a name. Everything else is read from front to back, from files and pipes alike: so that
/// both give the same sound.
class DecoderInput {
 public:
  explicit DecoderInput(std::vector<std::byte> taken);

  Kind kind() const { return kind_; }
  bool can_seek() const { return can_seek_; }

  /// Fills a temporary file where the input must be seekable and is not. `progress` is called now and then. Returns an
  /// empty text, or why it cannot be done.
  std::string prepare(void (*progress)(void*), void* context);

  /// Up to `bytes.size()` bytes of this part; 0 at its end.
  std::size_t read(std::span<std::byte> bytes);

  /// Position in this part. Only where `can_seek`.
  bool seek(std::int64_t position);
  std::int64_t part_size() const { return part_end_ - part_begin_; }

  /// Goes to the next part. False where there is none.
  bool next_part();

  /// The errno of a failed read; else 0.
  int error() const { return error_; }

  /// What the last bytes of the input were, up to 64 KiB; for seekable input, nothing.
  std::span<const std::byte> tail() const { return tail_; }

  /// How many bytes of this part were read.
  std::uint64_t bytes_read() const { return bytes_read_; }

  /// How long an MP3 announces to be in its first frame, in seconds; 0 where it announces none.
  double mp3_seconds() const;

 private:
  void fill(std::size_t count);
  void begin_part();
  bool has_marks() const;
  std::size_t next_mark() const;
  void find_parts();
  void find_media_parts();
  void find_caf_parts();
  std::size_t read_at(std::int64_t position, std::span<std::byte> bytes) const;

  int fd_ = 0;
  std::vector<std::byte> buffer_;  // front to back: read and not delivered
  std::size_t begin_ = 0;
  bool has_ended_ = false;
  int error_ = 0;
  Kind kind_ = Kind::other;
  bool part_ended_ = false;
  std::uint64_t tag_bytes_ = 0;  // of this part, before its first frame
  std::uint64_t bytes_read_ = 0;
  std::vector<std::byte> head_;  // of an MP3's part, behind its tag
  std::vector<std::byte> tail_;

  bool can_seek_ = false;
  std::int64_t base_ = 0;  // where the input begins in its file
  std::int64_t position_ = 0;
  std::int64_t size_ = 0;
  std::int64_t part_begin_ = 0;
  std::int64_t part_end_ = 0;
  std::vector<std::int64_t> part_begins_;
  std::size_t part_ = 0;
};

}  // namespace dictum::decoder
