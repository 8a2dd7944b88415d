#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/frame.hpp"

/// What a recorder would make of audio that is there already, without a session: for tuning, and for a second pass.
namespace dictum::offline {

struct AnalysedSegment {
  std::uint32_t index{};
  bool kept{};
  Frame start_frame{};  // of the kept audio
  Frame end_frame{};
  Frame speech_start_frame{};
  Frame speech_end_frame{};
};

struct Analysis {
  int sample_rate{};
  Frame frames{};
  std::vector<float> probabilities;  // of every full window
  std::vector<AnalysedSegment> segments;
  std::vector<std::string> warnings;
};

/// Reads `config.capture.input` as fast as it can. Throws RecorderError.
Analysis analyze_file(const RecorderConfig& config);

/// The same for interleaved samples of `format` that are in memory.
Analysis analyze_samples(const RecorderConfig& config, AudioFormat format, std::span<const float> interleaved);

/// The same for a source that is never empty before its end.
Analysis analyze_source(const RecorderConfig& config, AudioSource& source);

boost::json::object to_json(const Analysis& analysis);

}  // namespace dictum::offline
