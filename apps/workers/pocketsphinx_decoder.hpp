#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dictum::workers {

/// A word or phrase that was recognised, in seconds from the first sample.
struct Recognition {
  std::string text;
  double start{};
  double end{};
  double confidence{};  ///< 0 to 1
  bool operator==(const Recognition&) const = default;
};

/// CMU PocketSphinx with one acoustic model, language model and dictionary, loaded once. Every utterance is decoded
/// whole and from a clean state, so that its text depends on nothing but its samples.
///
/// Lives on one thread, owned by the worker. The constructor throws RecorderError(model_missing).
class PocketSphinxDecoder {
 public:
  /// `model` is a folder as the distribution's: en-us/, en-us.lm.bin and cmudict-en-us.dict.
  explicit PocketSphinxDecoder(const std::filesystem::path& model);
  ~PocketSphinxDecoder();

  struct Utterance {
    std::string text;
    std::vector<Recognition> words;
    std::vector<Recognition> phrases;  ///< of those asked for, in order of time; none overlaps another
  };

  /// Blocks for about half as long as the audio lasts. Throws RecorderError(transcription_failed).
  Utterance decode(std::span<const std::int16_t> samples, const std::vector<std::string>& phrases);

  /// Every place where one of the phrases was recognised, before any of them is doubted: they may overlap, and short
  /// ones may be wrong. Takes about 4 % of the time that the audio lasts.
  std::vector<Recognition> spot(std::span<const std::int16_t> samples, const std::vector<std::string>& phrases);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

/// `phrases` without those that overlap a longer one: "end note" is recognised inside every "start a new note".
std::vector<Recognition> longest_of_overlapping(std::vector<Recognition> phrases);

/// True where a phrase too short to be trusted alone is borne out by the text: its words stand there side by side, or
/// no word was recognised outside of it.
bool is_borne_out(const Recognition& phrase, std::span<const Recognition> words);

}  // namespace dictum::workers
