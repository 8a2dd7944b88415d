#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::workers {

/// The transcription that a server answered, as far as it reports it.
struct OpenAIResponse {
  struct Word {
    std::string text;
    double start{};  ///< seconds
    double end{};
    double confidence{};  ///< 0 to 1; 1 where the server does not say
    bool operator==(const Word&) const = default;
  };

  std::string text;
  std::vector<Word> words;
  std::optional<double> no_speech_probability;  ///< the mean over the answer's segments, by their length
  std::optional<double> mean_log_probability;

  /// Reads a `json` or `verbose_json` answer. What is missing or of the wrong type is passed over, except for the text.
  /// Throws RecorderError(transcription_failed).
  static OpenAIResponse parse(std::string_view body);
};

/// The sentence in the body of an error, on one line and not too long; what there is of the body where it has none.
std::string error_sentence(std::string_view body);

}  // namespace dictum::workers
