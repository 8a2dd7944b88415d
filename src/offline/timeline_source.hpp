#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "audio/sound_file_reader.hpp"
#include "dictum/source.hpp"
#include "session/manifest.hpp"

namespace dictum::offline {

/// The whole timeline of a session that kept it, gaps included, as fast as it can be read: the same frames at the same
/// places of the clock. Threads and owner as AudioSource says.
class TimelineSource final : public AudioSource {
 public:
  /// Throws RecorderError: session_unreadable where the session did not keep its timeline or its files cannot be read.
  explicit TimelineSource(const std::filesystem::path& session);

  AudioFormat open() override { return reader_.format(); }
  Reading read(std::span<float> interleaved) override;
  void close() noexcept override {}
  std::chrono::milliseconds pace() const override { return std::chrono::milliseconds(0); }
  std::string description() const override { return "timeline:" + path_.string(); }
  double drift_ppm() const override { return manifest_.drift_ppm; }

  const session::Manifest& manifest() const { return manifest_; }

 private:
  const std::filesystem::path path_;
  const session::Manifest manifest_;
  audio::SoundFileReader reader_;
  std::vector<session::Gap> gaps_;  // still to come, the next one last
  Frame position_ = 0;
  bool has_reported_damage_ = false;
};

}  // namespace dictum::offline
