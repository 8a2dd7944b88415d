#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "audio/sound_input.hpp"

namespace dictum::test {

/// Everything that a SoundInput gave.
struct ReadSound {
  AudioFormat format;
  std::vector<float> samples;
  std::vector<std::string> notices;
  std::string refusal;

  std::int64_t frames() const {
    return format.channels == 0 ? 0 : static_cast<std::int64_t>(samples.size()) / format.channels;
  }
  double seconds() const { return format.channels == 0 ? 0 : static_cast<double>(frames()) / format.sample_rate; }
  std::string all_notices() const {
    std::string all;
    for (const std::string& notice : notices) all += notice + "\n";
    return all;
  }
};

inline ReadSound read_all(UniqueFD fd, std::optional<audio::RawFormat> raw = std::nullopt) {
  using namespace std::chrono_literals;
  ReadSound result;
  try {
    audio::SoundInput input(std::move(fd), "the sound", raw, 60s);
    result.format = input.format();
    std::vector<float> block(static_cast<std::size_t>(result.format.channels) * 1000);
    for (bool is_over = false; !is_over;) {
      const auto step = input.read(block);
      const auto count = static_cast<std::ptrdiff_t>(step.frames) * result.format.channels;
      result.samples.insert(result.samples.end(), block.begin(), block.begin() + count);
      if (step.state == audio::SoundInput::State::waiting) input.wait(5s);
      is_over = step.state == audio::SoundInput::State::over;
    }
    while (auto notice = input.take_notice()) result.notices.push_back(*std::move(notice));
  } catch (const std::exception& error) {
    result.refusal = error.what();
  }
  return result;
}

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline ReadSound read_file(const std::filesystem::path& path, std::optional<audio::RawFormat> raw = std::nullopt) {
  return read_all(UniqueFD(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), raw);
}

/// `bytes` through a pipe, in pieces that fit no header and no frame.
inline ReadSound read_pipe(const std::string& bytes, std::optional<audio::RawFormat> raw = std::nullopt) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::jthread writer([&bytes, fd = UniqueFD(ends[1])] {
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t written = ::write(fd.get(), bytes.data() + at, std::min<std::size_t>(bytes.size() - at, 4099));
      if (written <= 0) return;
      at += static_cast<std::size_t>(written);
    }
  });
  return read_all(UniqueFD(ends[0]), raw);
}

/// The same bytes as a file and through a pipe, which must give the same.
inline ReadSound read_both_ways(const std::filesystem::path& folder, const std::string& bytes,
                                std::optional<audio::RawFormat> raw = std::nullopt) {
  const auto path = folder / "both_ways";
  std::ofstream(path, std::ios::binary) << bytes;
  ReadSound file = read_file(path, raw);
  const ReadSound pipe = read_pipe(bytes, raw);
  EXPECT_EQ(file.refusal.empty(), pipe.refusal.empty()) << file.refusal << pipe.refusal;
  EXPECT_EQ(file.format, pipe.format);
  EXPECT_EQ(file.frames(), pipe.frames());
  EXPECT_TRUE(file.samples == pipe.samples) << "a file and a pipe give different samples";
  EXPECT_EQ(file.notices.empty(), pipe.notices.empty()) << file.all_notices() << pipe.all_notices();
  return file;
}

}  // namespace dictum::test
