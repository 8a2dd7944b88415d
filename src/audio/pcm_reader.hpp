#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "audio/byte_input.hpp"
#include "audio/pcm_header.hpp"
#include "audio/sample_reader.hpp"

namespace dictum::audio {

/// Reads the plain samples behind a header, from files and pipes alike, to the end of what is there:
///
/// - A header that announces less than there is (a recorder that crashed, a length beyond 4 GiB in 32 bits) does not
///   end the sound. At the announced end, only the end of the input, another chunk of the file or another file does.
/// - A further file behind the first one (files joined with `cat`) is read where it has the same rate and channels.
/// - A header that announces more than there is becomes a notice with the missing bytes.
class PCMReader final : public SampleReader {
 public:
  /// `input` is at the first byte of audio. `name` begins the notices.
  PCMReader(ByteInput input, const PCMHeader& header, std::string name);

  Step read(std::span<float> interleaved) override;
  void wait(std::chrono::milliseconds patience) override;
  bool seek(std::int64_t frame) override;

 private:
  enum class Phase {
    audio,
    announced_end,  ///< the bytes that follow say what they are
    chunk,          ///< of no interest: `left_` bytes of it to come
    behind_chunk,
    over
  };
  static constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

  void begin(const PCMHeader& header);
  bool advance(std::span<float> out, std::size_t& frames);
  bool advance_audio(std::span<float> out, std::size_t& frames);
  bool advance_behind_audio();
  bool take_next_sound(std::span<const std::byte> bytes, std::size_t before);
  bool decide(std::span<const std::byte> bytes, std::size_t& zero_bytes);
  void convert(std::span<const std::byte> bytes, std::span<float> samples);
  std::size_t sample_offset() const;

  ByteInput input_;
  const PCMHeader first_;
  PCMHeader header_;  // of the file that is being read, where several follow one another
  const std::string name_;
  Phase phase_ = Phase::audio;
  std::uint64_t left_ = kUnbounded;  // bytes to the announced end, or to the end of the chunk
  bool is_certain_ = false;
  std::size_t wanted_ = 1;      // bytes that the input must hold before anything can be said
  std::optional<bool> is_low_;  // whether padded samples stand in the low bytes of their places
  std::optional<float> scale_;  // of floating-point samples
  std::vector<std::byte> unpadded_;
};

}  // namespace dictum::audio
