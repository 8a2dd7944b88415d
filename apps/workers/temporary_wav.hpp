#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/unique_fd.hpp"

namespace dictum::workers {

/// Samples at 16 kHz as a PCM16 WAV.
std::string wav_bytes(std::span<const float> samples);

/// The same as a file for a program that this process starts. The sound is in memory only, so nothing of it stays
/// behind where this process is killed; `path` is a link to it in the folder for temporary files, since many programs
/// go by the name's ending, and leads to it in a process that has `descriptor` under its number. The constructor throws
/// RecorderError(output_unwritable, disk_full).
class TemporaryWAV {
 public:
  explicit TemporaryWAV(std::span<const float> samples);
  ~TemporaryWAV();
  TemporaryWAV(const TemporaryWAV&) = delete;
  TemporaryWAV& operator=(const TemporaryWAV&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return memory_.get(); }

 private:
  const UniqueFD memory_;
  std::filesystem::path path_;
};

}  // namespace dictum::workers
