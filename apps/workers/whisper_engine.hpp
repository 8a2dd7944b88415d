#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace dictum::workers {

/// whisper.cpp with one model, loaded once. Every utterance gets a state of its own, so that no text leaks from one
/// into the next. Lives on one thread, owned by the worker; the library computes on threads of its own.
class WhisperEngine {
 public:
  /// Throws RecorderError(model_missing): there is no such file, it is damaged, cut short, or not one of whisper.cpp's.
  explicit WhisperEngine(const std::filesystem::path& model);
  ~WhisperEngine();

  struct Job {
    std::string language;  ///< BCP 47; empty: English of an English model, else what is heard
    std::string prompt;
    bool quick{};  ///< greedy, without a second try where it doubts itself
  };

  struct Word {
    std::string text;
    double start{};  ///< seconds
    double end{};
    double confidence{};  ///< 0 to 1
  };

  struct Utterance {
    std::string text;
    std::vector<Word> words;
    std::optional<double> no_speech_probability;
    std::optional<double> mean_log_probability;
  };

  /// Called while it works, on the calling thread.
  struct Watcher {
    std::function<void(const std::string& text)> text;  ///< so far
    std::function<void(double fraction)> progress;
  };

  /// `samples` at 16 kHz. Blocks; `cancelled` ends it within one step of the network. Throws
  /// RecorderError(transcription_failed, cancelled).
  Utterance transcribe(std::span<const float> samples, const Job& job, const Watcher& watcher,
                       std::stop_token cancelled);

  /// Of the model; empty: any that Whisper knows.
  std::vector<std::string> languages() const;

 private:
  class Model;
  std::unique_ptr<Model> model_;
};

}  // namespace dictum::workers
