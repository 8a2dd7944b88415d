#include "suspicion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "audio/level_meter.hpp"
#include "plain_text.hpp"
#include "worker_audio.hpp"

namespace dictum::workers {
namespace {

constexpr double kNoSpeech = 0.6;         // Whisper's own threshold for dropping a text
constexpr double kLogProbability = -1.0;  // and for decoding again
constexpr double kSilenceDBFS = -60;      // quieter than any speech that a microphone delivers
constexpr double kSomeSpeech = 0.5;       // seconds: less may be a click
constexpr double kWordsPerSecond = 8;     // auctioneers reach 6
constexpr std::size_t kSomeWords = 4;     // fewer say nothing about the pace
constexpr std::size_t kMaxPhraseWords = 12;
constexpr std::size_t kMaxWords = 5000;  // looked at; a segment holds far fewer

}  // namespace

std::string suspicion(const Evidence& evidence) {
  const auto words = bare_words(evidence.text, kMaxWords);
  const bool too_quiet = evidence.loudest_dbfs < kSilenceDBFS;
  if (words.empty()) {
    if (too_quiet || evidence.seconds < kSomeSpeech) return {};
    return fmt::format("No words were recognised in {:.1f} s of sound.", evidence.seconds);
  }
  if (too_quiet) return "The sound is too quiet for speech.";
  if (goes_in_circles(evidence.text)) return "The text repeats itself.";
  if (words.size() >= kSomeWords && static_cast<double>(words.size()) > kWordsPerSecond * evidence.seconds)
    return "The text has more words than can be spoken in its time.";
  if (evidence.no_speech_probability.value_or(0) >= kNoSpeech)
    return fmt::format("The engine takes the sound for no speech (probability {:.2f}).",
                       *evidence.no_speech_probability);
  if (evidence.mean_log_probability.value_or(0) < kLogProbability) return "The engine itself is unsure of the text.";
  return {};
}

bool is_silent(double loudest_dbfs, std::optional<double> no_speech_probability) {
  return loudest_dbfs < kSilenceDBFS || no_speech_probability.value_or(0) >= kNoSpeech;
}

bool goes_in_circles(std::string_view text) {
  const auto words = bare_words(text, kMaxWords);
  for (std::size_t length = 1; length <= std::min(kMaxPhraseWords, words.size() / 3); ++length) {
    std::size_t same = 0;  // words in a row that equal the one a phrase earlier
    for (std::size_t i = length; i < words.size(); ++i) {
      same = words[i] == words[i - length] ? same + 1 : 0;
      const std::size_t covered = same + length;
      // A single word thrice ("no no no") is something that people say.
      const std::size_t times = length == 1 ? 5 : 3;
      if (covered >= times * length && 2 * covered >= words.size()) return true;
    }
  }
  return false;
}

double loudest_dbfs(std::span<const float> samples) {
  constexpr std::size_t kWindow = kEngineRate / 10;
  double loudest = audio::kSilenceDBFS;
  audio::LevelMeter meter;
  for (std::size_t begin = 0; begin < samples.size(); begin += kWindow) {
    meter.add(samples.subspan(begin, std::min(kWindow, samples.size() - begin)));
    loudest = std::max(loudest, meter.take().rms_dbfs);
  }
  return loudest;
}

}  // namespace dictum::workers
