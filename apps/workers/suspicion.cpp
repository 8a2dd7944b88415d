#include "suspicion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "worker_audio.hpp"

namespace dictum::workers {
namespace {

constexpr double kNoSpeech = 0.6;         // Whisper's own threshold for dropping a text
constexpr double kLogProbability = -1.0;  // and for decoding again
constexpr double kSilenceDBFS = -60;      // quieter than any speech that a microphone delivers
constexpr double kSomeSpeech = 0.5;       // seconds: less may be a click
constexpr double kFloorDBFS = -120;
constexpr double kWordsPerSecond = 8;  // auctioneers reach 6
constexpr std::size_t kSomeWords = 4;  // fewer say nothing about the pace
constexpr std::size_t kMaxPhraseWords = 12;
constexpr std::size_t kMaxWords = 5000;  // looked at; a segment holds far fewer

// Letters and digits of ASCII in lower case, and everything beyond ASCII, between white space and punctuation: what an
// engine repeats may have no space in it ("2.0.0.0.0").
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte)) {
      word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (c != '\'') {
      finish();
    }
    if (words.size() == kMaxWords) return words;
  }
  finish();
  return words;
}

}  // namespace

std::string suspicion(const Evidence& evidence) {
  const auto words = words_of(evidence.text);
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
  const auto words = words_of(text);
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
  double loudest = 0;
  for (std::size_t begin = 0; begin < samples.size(); begin += kWindow) {
    const auto window = samples.subspan(begin, std::min(kWindow, samples.size() - begin));
    double sum = 0;
    for (const float sample : window) sum += static_cast<double>(sample) * sample;
    loudest = std::max(loudest, sum / static_cast<double>(window.size()));
  }
  return loudest > 0 ? std::max(kFloorDBFS, 10 * std::log10(loudest)) : kFloorDBFS;
}

}  // namespace dictum::workers
