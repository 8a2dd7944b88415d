#include <algorithm>
#include <boost/json/string.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

#include "dictum/analysis.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/sessions.hpp"
#include "offline/analyze_source.hpp"
#include "offline/recalling_detector.hpp"
#include "offline/timeline_source.hpp"
#include "pipeline/segmentation_pipeline.hpp"
#include "session/probabilities.hpp"
#include "vad/make_detector.hpp"

/// A second look for segments, in a session that kept its whole audio. The probabilities of speech are those that were
/// stored with it; what they do not say (of another detector, or behind a gap that the other settings make end a
/// segment, or no longer) is computed again from the audio.
namespace dictum {
namespace {

using offline::RecallingDetector;
using offline::TimelineSource;

/// The time of day at which it was recorded, so that the new session is found where the old one is.
class RecordedClock final : public Clock {
 public:
  explicit RecordedClock(std::chrono::system_clock::time_point started) : started_(started) {}

  /// Exactly `started` the first time that anybody asks: that is when the session is made.
  std::chrono::system_clock::time_point now() const override {
    std::call_once(first_, [this] { begun_ = steady_now(); });
    return started_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(steady_now() - begun_);
  }
  std::chrono::steady_clock::time_point steady_now() const override { return std::chrono::steady_clock::now(); }

 private:
  const std::chrono::system_clock::time_point started_;
  mutable std::once_flag first_;
  mutable std::chrono::steady_clock::time_point begun_;
};

/// Where the detector begins afresh in a session, given these settings: at the start and behind every gap that ends a
/// segment.
std::vector<Frame> beginnings(const session::Manifest& manifest, const RecorderConfig& config) {
  const vad::Segmenter segmenter(pipeline::segmenter_settings(config.vad, manifest.sample_rate));
  std::vector<Frame> frames{0};
  for (const session::Gap& gap : manifest.gaps) {
    if (gap.reason == GapReason::paused || !segmenter.bridges(gap.frames)) {
      frames.push_back(gap.start_frame + gap.frames);
    }
  }
  return frames;
}

/// The stored stretches to which these settings give the same beginning and the same end.
std::vector<session::ProbabilityStretch> still_valid(std::vector<session::ProbabilityStretch> stored,
                                                     const std::vector<Frame>& beginnings) {
  std::vector<session::ProbabilityStretch> valid;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto begins = std::ranges::find(beginnings, stored[i].start_frame);
    if (begins == beginnings.end()) continue;
    const bool is_last = i + 1 == stored.size();
    const auto next = begins + 1;
    if (is_last ? next == beginnings.end() : next != beginnings.end() && *next == stored[i + 1].start_frame) {
      valid.push_back(std::move(stored[i]));
    }
  }
  return valid;
}

/// Whether the configuration that a session was recorded with names the same detector.
bool is_of_same_detector(const session::Manifest& manifest, const RecorderConfig& config) {
  const auto* vad = manifest.config.if_contains("vad");
  const auto* name = vad != nullptr && vad->is_object() ? vad->get_object().if_contains("detector") : nullptr;
  if (name == nullptr || !name->is_string() || name->get_string() != config.vad.detector) return false;
  const auto* gain = vad->get_object().if_contains("rescue_gain");  // older recordings had none
  return (gain != nullptr && gain->is_bool() && gain->get_bool()) == config.vad.rescue_gain;
}

/// The configuration, with a detector that recalls what was said of this session. Throws RecorderError.
RecorderConfig recalling(RecorderConfig config, const std::filesystem::path& session,
                         const session::Manifest& manifest) {
  if (config.detector || !is_of_same_detector(manifest, config)) return config;
  auto known = still_valid(session::read_probabilities(session), beginnings(manifest, config));
  config.detector = [known = std::move(known), builtin = config] {
    return std::make_unique<RecallingDetector>(known, vad::make_detector(builtin).first);
  };
  return config;
}

}  // namespace

std::filesystem::path resegment_session(const RecorderConfig& settings, const std::filesystem::path& session,
                                        std::function<void(const Event&)> on_event) {
  const session::Manifest manifest = TimelineSource(session).manifest();  // also says at once what is wrong
  RecorderConfig config = recalling(settings, session, manifest);
  config.source = [session] { return std::make_unique<TimelineSource>(session); };
  config.clock = std::make_shared<RecordedClock>(manifest.started_at);
  config.session.root = session.parent_path();
  config.session.keep_all = false;  // it is in the old one
  config.retention = {};            // which goes by the time of day of now
  std::promise<void> ended;
  bool has_ended = false;
  RecorderBackend backend(std::move(config), [&, on_event = std::move(on_event)](const Event& event) {
    if (on_event) on_event(event);
    const auto* changed = std::get_if<RecordingStateChanged>(&event.body);
    if (changed != nullptr && !changed->is_recording && !std::exchange(has_ended, true)) ended.set_value();
  });
  backend.start_recording();
  ended.get_future().wait();
  backend.stop_recording(std::chrono::duration<double>(-1));
  return backend.get_session_path();
}

Analysis analyze_session(const RecorderConfig& config, const std::filesystem::path& session) {
  TimelineSource source(session);
  return offline::analyze_source(recalling(config, session, source.manifest()), source);
}

}  // namespace dictum
