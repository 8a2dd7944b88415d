#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audio/byte_input.hpp"
#include "audio/decoder_protocol.hpp"
#include "audio/sample_reader.hpp"
#include "base/unique_fd.hpp"

namespace dictum::audio {

/// Where the decoder and the guard that starts it are installed (see base/own_programs.hpp); empty where they are not.
struct DecoderProgram {
  std::filesystem::path decoder;
  std::filesystem::path guard;
};
std::optional<DecoderProgram> find_decoder();

/// Compressed sound, decoded by the program dictum-decoder in a process of its own, which has a memory cap and dies
/// with this one: nothing that a hostile file does to a decoder reaches the recorder. What comes from there is checked
/// like any input from outside.
///
/// The constructor waits for the format, until the decoder is silent for longer than `deadline`; it throws
/// RecorderError, timed_out or input_unreadable.
class DecoderProcess final : public SampleReader {
 public:
  /// `input` is what the decoder reads: a file at its beginning, or a pipe from which `taken` was read already.
  DecoderProcess(const DecoderProgram& program, UniqueFD input, std::span<const std::byte> taken, std::string name,
                 std::chrono::milliseconds deadline);
  ~DecoderProcess() override;
  DecoderProcess(const DecoderProcess&) = delete;
  DecoderProcess& operator=(const DecoderProcess&) = delete;

  Step read(std::span<float> interleaved) override;
  void wait(std::chrono::milliseconds patience) override;

 private:
  void start(const DecoderProgram& program, UniqueFD input, std::span<const std::byte> taken);
  void stop() noexcept;
  void read_format(std::chrono::milliseconds deadline);
  bool next_message();
  void break_off(std::string_view why);
  bool is_flood();
  std::string text() const;

  const std::string name_;
  pid_t pid_ = -1;
  UniqueFD lifeline_;
  std::optional<ByteInput> output_;
  decoder::MessageHead head_{};
  bool has_head_ = false;           // of an audio message whose samples are being delivered
  std::size_t message_left_ = 0;    // bytes of it
  int messages_without_audio_ = 0;  // since the last audio
  bool is_over_ = false;
};

}  // namespace dictum::audio
