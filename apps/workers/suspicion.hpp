#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dictum::workers {

/// What speaks for or against a text having been said.
struct Evidence {
  std::string_view text;
  double seconds{};       ///< of audio
  double loudest_dbfs{};  ///< RMS of the loudest tenth of a second
  std::optional<double> no_speech_probability{};
  std::optional<double> mean_log_probability{};  ///< of the text's tokens, natural
};

/// Why the text may be invented, one sentence: it stands over silence, the engine itself doubts it, it repeats itself,
/// or it is faster than anybody speaks; or there is none although there was enough sound. Empty where nothing speaks
/// against it. Such a text is marked, never deleted.
std::string suspicion(const Evidence& evidence);

/// True where the sound, or the engine, says that nothing was spoken.
bool is_silent(double loudest_dbfs, std::optional<double> no_speech_probability);

/// True where at least half of the text, and three times or more, is one word or phrase over and over.
bool goes_in_circles(std::string_view text);

/// The RMS of the loudest tenth of a second at 16 kHz, in dB below full scale; -120 for digital silence.
double loudest_dbfs(std::span<const float> samples);

}  // namespace dictum::workers
