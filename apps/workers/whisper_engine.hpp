#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "annotations.hpp"

namespace dictum::workers {

/// whisper.cpp with one model; its working memory is kept from job to job. An utterance starts from a clean state: no
/// text of one leaks into the next, and the same samples give the same text, whatever came before. Lives on one thread,
/// owned by the worker; the library computes on threads of its own.
class WhisperEngine {
 public:
  /// Throws RecorderError(model_missing): there is no such file, it is damaged, cut short, or not one of whisper.cpp's.
  explicit WhisperEngine(const std::filesystem::path& model);
  ~WhisperEngine();

  /// How a text is searched for. The first is three times as fast, and nearly as good; the last has more chances where
  /// the first was in doubt. None rolls dice.
  enum class Search { greedy, beam };

  struct Job {
    std::string language;  ///< BCP 47; empty: English of an English model, else what is spoken
    std::string prompt;
    bool quick{};  ///< an interim text: with no more of the encoder than the sound needs
    Search search = Search::greedy;
  };

  struct Utterance {
    std::string text;  ///< as the engine wrote it, annotations and all
    std::vector<TimedWord> words;
    std::optional<double> no_speech_probability;
    std::optional<double> mean_log_probability;
    std::string language;  ///< as Whisper calls it, for example "en"
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

  /// Those that the model knows.
  std::vector<std::string> languages() const;

  /// Seconds that the processors of this machine need for a sentence if nothing else runs; `limit` where it would be
  /// more.
  double measure(double limit);

  /// "whisper.cpp 1.9.3".
  static std::string name();

 private:
  class Model;
  std::unique_ptr<Model> model_;
};

}  // namespace dictum::workers
