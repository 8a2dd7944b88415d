#include "dictum/analysis.hpp"

#include <boost/json/array.hpp>
#include <optional>
#include <utility>

#include "audio/sound_file_reader.hpp"
#include "base/json.hpp"
#include "offline/analyze_source.hpp"
#include "pipeline/segmentation_pipeline.hpp"
#include "vad/detector.hpp"
#include "vad/make_detector.hpp"
#include "vad/simd_target.hpp"

namespace dictum {
namespace {

/// A segmentation pipeline whose segments are collected and whose audio is dropped.
class Analyzer {
 public:
  Analyzer(RecorderConfig config, AudioFormat format) {
    analysis_.sample_rate = format.sample_rate;
    auto [detector, warning] = vad::make_detector(config);
    if (warning) analysis_.warnings.push_back(warning->message);
    config.session.keep_all = true;  // for the probabilities
    pipeline_.emplace(config, format, std::move(detector));
  }

  void process(std::span<const float> interleaved) {
    pipeline_->process(interleaved, items_);
    collect();
  }

  void insert_gap(const SourceGap& gap) {
    pipeline_->insert_gap(gap.frames, gap.reason, items_);
    collect();
  }

  void warn(std::string warning) { analysis_.warnings.push_back(std::move(warning)); }

  Analysis finish() {
    pipeline_->flush(vad::CloseReason::stop, items_);
    collect();
    analysis_.frames = pipeline_->now();
    return std::move(analysis_);
  }

 private:
  void collect() {
    for (const pipeline::StreamItem& item : items_) {
      if (const auto* closed = std::get_if<vad::SegmentClosed>(&item)) {
        analysis_.segments.push_back({closed->index, closed->kept, closed->kept_start, closed->kept_end,
                                      closed->speech_start, closed->speech_end});
      } else if (const auto* computed = std::get_if<pipeline::Probabilities>(&item)) {
        analysis_.probabilities.insert(analysis_.probabilities.end(), computed->values.begin(), computed->values.end());
      } else if (const auto* fault = std::get_if<SourceFault>(&item)) {
        analysis_.warnings.push_back(fault->message);
      }
    }
    items_.clear();
  }

  Analysis analysis_;
  std::optional<pipeline::SegmentationPipeline> pipeline_;
  std::vector<pipeline::StreamItem> items_;
};

}  // namespace

Analysis analyze_samples(const RecorderConfig& config, AudioFormat format, std::span<const float> interleaved) {
  Analyzer analyzer(config, format);
  analyzer.process(interleaved);
  return analyzer.finish();
}

Analysis analyze_file(const RecorderConfig& config) {
  audio::SoundFileReader file(config.capture.input,
                              config.capture.input_format.empty()
                                  ? std::nullopt
                                  : std::optional(audio::parse_raw_format(config.capture.input_format)));
  const AudioFormat format = file.format();
  Analyzer analyzer(config, format);
  const int block = config.capture.block_frames > 0 ? config.capture.block_frames : format.sample_rate;
  std::vector<float> buffer(static_cast<std::size_t>(block) * static_cast<std::size_t>(format.channels));
  while (const std::size_t frames = file.read(buffer)) {
    analyzer.process(std::span(buffer).first(frames * static_cast<std::size_t>(format.channels)));
  }
  Analysis analysis = analyzer.finish();
  while (auto notice = file.take_notice()) analysis.warnings.push_back(*std::move(notice));
  return analysis;
}

bool has_silero_model() {
  return vad::embedded_weights() != nullptr;
}

std::string simd_target() {
  return vad::simd_target();
}

std::string Analysis::to_json() const {
  return json::to_line(offline::to_json(*this));
}

}  // namespace dictum

namespace dictum::offline {

Analysis analyze_source(const RecorderConfig& config, AudioSource& source) {
  const AudioFormat format = source.open();
  Analyzer analyzer(config, format);
  std::vector<float> buffer(static_cast<std::size_t>(format.sample_rate) * static_cast<std::size_t>(format.channels));
  for (bool ended = false; !ended;) {
    const Reading reading = source.read(buffer);
    analyzer.process(std::span(buffer).first(reading.frames * static_cast<std::size_t>(format.channels)));
    if (const auto* gap = std::get_if<SourceGap>(&reading.then)) analyzer.insert_gap(*gap);
    if (const auto* fault = std::get_if<SourceFault>(&reading.then)) analyzer.warn(fault->message);
    ended = std::holds_alternative<SourceEnd>(reading.then);
  }
  source.close();
  return analyzer.finish();
}

boost::json::object to_json(const Analysis& analysis) {
  boost::json::array probabilities;
  for (const float p : analysis.probabilities) probabilities.emplace_back(static_cast<double>(p));
  boost::json::array segments;
  for (const AnalyzedSegment& segment : analysis.segments) {
    segments.push_back(boost::json::object{{"index", segment.index},
                                           {"kept", segment.kept},
                                           {"start_frame", segment.start_frame},
                                           {"end_frame", segment.end_frame},
                                           {"speech_start_frame", segment.speech_start_frame},
                                           {"speech_end_frame", segment.speech_end_frame}});
  }
  return {{"sample_rate", analysis.sample_rate},
          {"frames", analysis.frames},
          {"window", kVADWindow},
          {"probabilities", std::move(probabilities)},
          {"segments", std::move(segments)}};
}

}  // namespace dictum::offline
