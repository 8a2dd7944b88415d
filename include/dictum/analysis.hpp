#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/export.hpp"
#include "dictum/frame.hpp"
#include "dictum/source.hpp"

/// What a recorder would make of audio that is there already, without a session: for tuning the detector, and for
/// dry runs. Nothing is transcribed.
///
/// Errors: RecorderError: `input_not_found`, `input_unreadable`, `config_invalid`; further ones at the function.
///
/// Thread safety: every function may be called from any thread; they block while they compute.
namespace dictum {

struct AnalyzedSegment {
  std::uint32_t index{};
  bool kept{};
  Frame start_frame{};  ///< of the kept audio
  Frame end_frame{};    ///< exclusive
  Frame speech_start_frame{};
  Frame speech_end_frame{};
};

struct Analysis {
  int sample_rate{};
  Frame frames{};
  std::vector<float> probabilities;  ///< of speech, for every full window of kVADWindow samples at kVADSampleRate
  std::vector<AnalyzedSegment> segments;
  std::vector<std::string> warnings;

  /// One JSON document on one line; the warnings are not in it.
  DICTUM_API std::string to_json() const;
};

/// Analyzes the file `config.capture.input`.
DICTUM_API Analysis analyze_file(const RecorderConfig& config);

/// Analyzes interleaved samples of `format`.
DICTUM_API Analysis analyze_samples(const RecorderConfig& config, AudioFormat format,
                                    std::span<const float> interleaved);

/// Analyzes the whole timeline of a session that was recorded with `session.keep_all`. Where the detector is the same,
/// the stored probabilities are used. Errors: `session_unreadable` where the session did not keep its timeline.
DICTUM_API Analysis analyze_session(const RecorderConfig& config, const std::filesystem::path& session);

/// Whether this build has the Silero model. Without it the detector "silero" goes by the energy of the audio.
DICTUM_API bool has_silero_model();

/// The kind of vector unit for which the detector's code was chosen on this machine, for example "AVX2".
DICTUM_API std::string simd_target();

}  // namespace dictum
