#pragma once

#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::test {

/// A device that is there and cannot be opened.
class FailingSource final : public AudioSource {
 public:
  AudioFormat open() override { throw RecorderError(Errc::device_busy, "The microphone is in use."); }
  Reading read(std::span<float>) override { return {}; }
  void close() noexcept override {}
  std::string description() const override { return "failing"; }
};

/// A way to make the start fail at one of its steps, and what it then says.
struct Failure {
  const char* name;
  std::function<void(RecorderConfig&, const TemporaryDirectory&)> arrange;
  Errc code;
};

/// One for each step of a start, in their order. `session.root` is `sessions` in the folder, which is not there yet.
inline std::vector<Failure> failures_of_a_start() {
  return {
      {"the configuration is invalid", [](RecorderConfig& config, const auto&) { config.vad.threshold = 7; },
       Errc::config_invalid},
      {"the transcriber is missing",
       [](RecorderConfig& config, const auto&) {
         config.custom_transcriber = nullptr;
         config.transcription.transcriber = "no-such-worker";
       },
       Errc::transcriber_missing},
      {"the detector cannot be made",
       [](RecorderConfig& config, const auto&) {
         config.detector = []() -> std::unique_ptr<VoiceActivityDetector> { throw std::runtime_error("no weights"); };
       },
       Errc::internal},
      {"a factory throws what is no exception",
       [](RecorderConfig& config, const auto&) {
         config.detector = []() -> std::unique_ptr<VoiceActivityDetector> { throw 7; };
       },
       Errc::internal},
      {"the source cannot be made",
       [](RecorderConfig& config, const auto&) {
         config.source = []() -> std::unique_ptr<AudioSource> { throw RecorderError(Errc::input_not_found, "None."); };
       },
       Errc::input_not_found},
      {"the source cannot be opened",
       [](RecorderConfig& config, const auto&) { config.source = [] { return std::make_unique<FailingSource>(); }; },
       Errc::device_busy},
      {"the channel does not exist", [](RecorderConfig& config, const auto&) { config.capture.channel = "5"; },
       Errc::invalid_argument},
      {"the transcriber cannot be made",
       [](RecorderConfig& config, const auto&) {
         config.custom_transcriber = []() -> std::unique_ptr<Transcriber> {
           throw RecorderError(Errc::model_missing, "No model.");
         };
       },
       Errc::model_missing},
      {"the session's folder cannot be made",
       [](RecorderConfig& config, const TemporaryDirectory& root) {
         std::ofstream(root / "file") << "in the way";
         config.session.root = root / "file" / "sessions";
       },
       Errc::output_unwritable},
      {"the session's folder cannot be made, and there is a pool of workers",
       [](RecorderConfig& config, const TemporaryDirectory& root) {
         std::ofstream(root / "file") << "in the way";
         config.session.root = root / "file" / "sessions";
         config.custom_transcriber = nullptr;
         config.transcription.transcriber = "simulated";
       },
       Errc::output_unwritable},
  };
}

}  // namespace dictum::test
