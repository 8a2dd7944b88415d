#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace dictum::workers {

/// Samples at 16 kHz as a PCM16 WAV.
std::string wav_bytes(std::span<const float> samples);

/// The same as a file that nobody else can read, gone at the end. The constructor throws
/// RecorderError(output_unwritable, disk_full).
class TemporaryWAV {
 public:
  explicit TemporaryWAV(std::span<const float> samples);
  ~TemporaryWAV();
  TemporaryWAV(const TemporaryWAV&) = delete;
  TemporaryWAV& operator=(const TemporaryWAV&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace dictum::workers
