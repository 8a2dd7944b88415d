#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "dictum/config.hpp"
#include "dictum/scripted_source.hpp"

namespace dictum::test {

/// A configuration that needs no microphone, model or recogniser: three sentences, as fast as they can be processed.
inline RecorderConfig scripted(const std::filesystem::path& root, double latency_sec = 0) {
  const Script script({{.text = "the first sentence", .speech_sec = 1.2, .pause_sec = 2},
                       {.text = "the second one", .speech_sec = 0.8, .pause_sec = 1.5},
                       {.text = "and the third", .speech_sec = 1, .pause_sec = 2}});
  RecorderConfig config;
  config.source = script.source();
  config.detector = script.detector();
  config.custom_transcriber = script.transcriber(latency_sec);
  config.session.root = root;
  return config;
}

/// The same in real time, and long: for tests that act while it is being recorded.
inline RecorderConfig live_script(const std::filesystem::path& root) {
  std::vector<Script::Line> lines;
  for (int i = 0; i < 100; ++i)
    lines.push_back({.text = "line " + std::to_string(i), .speech_sec = 0.3, .pause_sec = 0.3});
  const Script script(std::move(lines), 0.1);
  RecorderConfig config;
  config.source = script.source(std::make_shared<const SystemClock>());
  config.detector = script.detector();
  config.custom_transcriber = script.transcriber();
  config.vad.min_silence_ms = 128;
  config.session.root = root;
  return config;
}

inline std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Every file below `folder`, by its path in it.
inline std::map<std::string, std::string> files_in(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[std::filesystem::relative(entry.path(), folder)] = contents(entry.path());
  }
  return files;
}

}  // namespace dictum::test
