#include "capture/scripted_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <numbers>
#include <sstream>
#include <utility>

#include "audio/format.hpp"
#include "capture/pacer.hpp"
#include "dictum/error.hpp"

namespace dictum {
namespace capture {

namespace {

// A voiced sound: a fundamental with two harmonics, louder and softer four times a second as syllables are.
float tone(Frame frame, int sample_rate) {
  const double t = 2 * std::numbers::pi * static_cast<double>(frame) / sample_rate;
  const double voice = std::sin(130 * t) + 0.5 * std::sin(260 * t) + 0.3 * std::sin(390 * t);
  return static_cast<float>(0.25 * voice * (0.7 + 0.3 * std::sin(4 * t)));
}

// Threads and owner: as AudioSource says. Does not fail. Continues where it was closed when it is opened again.
class ScriptedAudio final : public AudioSource {
 public:
  ScriptedAudio(std::shared_ptr<const ScriptTimeline> timeline, std::shared_ptr<const Clock> clock)
      : timeline_(std::move(timeline)), pacer_(clock ? Pace::realtime : Pace::fast, clock) {}

  AudioFormat open() override {
    pacer_.start(timeline_->sample_rate);
    return {.sample_rate = timeline_->sample_rate, .channels = 1};
  }

  Reading read(std::span<float> mono) override {
    const Frame frames = std::min({static_cast<Frame>(mono.size()), timeline_->frames - position_, pacer_.due()});
    std::ranges::generate(mono.first(static_cast<std::size_t>(frames)), [this] { return sample(position_++); });
    pacer_.deliver(frames);
    if (position_ < timeline_->frames) return {.frames = static_cast<std::size_t>(frames)};
    return {.frames = static_cast<std::size_t>(frames), .then = SourceEnd{}};
  }

  void close() noexcept override {}
  std::chrono::milliseconds pace() const override { return pacer_.interval(); }
  std::string description() const override { return "script"; }

 private:
  float sample(Frame frame) {
    const auto& lines = timeline_->lines;
    while (line_ < lines.size() && lines[line_].end <= frame) ++line_;
    const bool speaks = line_ < lines.size() && lines[line_].start <= frame;
    return speaks ? tone(frame, timeline_->sample_rate) : 0;
  }

  const std::shared_ptr<const ScriptTimeline> timeline_;
  Pacer pacer_;
  Frame position_ = 0;
  std::size_t line_ = 0;
};

// Stateless: the tone is at least 15 dB above what it asks for, and the rest is silence.
class ScriptedDetector final : public VoiceActivityDetector {
 public:
  float probability(std::span<const float, kVADWindow> window) override {
    float energy = 0;
    for (const float sample : window) energy += sample * sample;
    return energy > 1e-4F * kVADWindow ? 1 : 0;
  }
  void reset() override {}
  std::string_view name() const override { return "script"; }
};

// Threads as Transcriber says. Does not fail.
class ScriptedTranscriber final : public Transcriber {
 public:
  ScriptedTranscriber(std::shared_ptr<const ScriptTimeline> timeline, double latency_sec)
      : timeline_(std::move(timeline)), latency_sec_(latency_sec) {}

  void transcribe(TranscriptionJob job, Done done) override {
    const Frame due = job.end_frame + std::llround(latency_sec_ * job.sample_rate);
    waiting_.push_back({.due = due, .outcome = transcribe(job), .done = std::move(done)});
    audio_time(now_);
  }

  void audio_time(Frame frame) override {
    now_ = frame;
    while (!waiting_.empty() && waiting_.front().due <= now_) {
      Answer answer = std::move(waiting_.front());  // it may bring a new job, or abandon us
      waiting_.pop_front();
      answer.done(std::move(answer.outcome));
    }
  }

  void abandon() override { waiting_.clear(); }

 private:
  struct Answer {
    Frame due{};
    TranscriptionOutcome outcome;
    Done done;
  };

  // The words of a line share its time evenly; those whose middle is in the segment are transcribed.
  TranscriptionOutcome transcribe(const TranscriptionJob& job) const {
    TranscriptionOutcome outcome;
    for (const auto& line : timeline_->lines) {
      std::istringstream text(line.text);
      const std::vector<std::string> words(std::istream_iterator<std::string>(text), {});
      const auto count = static_cast<Frame>(words.size());
      for (Frame i = 0; i < count; ++i) {
        const Frame start = line.start + (line.end - line.start) * i / count;
        const Frame end = line.start + (line.end - line.start) * (i + 1) / count;
        const Frame middle = start + (end - start) / 2;
        if (middle < job.start_frame || middle >= job.end_frame) continue;
        const std::string& word = words[static_cast<std::size_t>(i)];
        if (!outcome.text.empty()) outcome.text += ' ';
        outcome.text += word;
        outcome.words.push_back({.text = word,
                                 .start_frame = std::max(start, job.start_frame),
                                 .end_frame = std::min(end, job.end_frame),
                                 .confidence = 1});
      }
    }
    return outcome;
  }

  const std::shared_ptr<const ScriptTimeline> timeline_;
  const double latency_sec_;
  Frame now_ = 0;
  std::deque<Answer> waiting_;  // jobs come in order, so they are due in order
};

}  // namespace
}  // namespace capture

Script::Script(std::vector<Line> lines, double lead_sec, int sample_rate) {
  audio::require_usable({.sample_rate = sample_rate, .channels = 1}, "The script");
  auto timeline = std::make_shared<capture::ScriptTimeline>();
  timeline->sample_rate = sample_rate;
  double at = 0;  // times add up as they are, so that roundings do not
  const auto advance = [&](double sec) {
    constexpr double day = 24 * 60 * 60;
    if (!(sec >= 0) || !(at + sec <= day)) {  // false for NaN, too
      throw RecorderError(
          Errc::invalid_argument,
          fmt::format("A script of {} s more after {} s cannot be played: times are positive, and 24 hours "
                      "in all at most.",
                      sec, at));
    }
    at += sec;
    return static_cast<Frame>(std::llround(at * sample_rate));
  };
  timeline->frames = advance(lead_sec);
  for (auto& line : lines) {
    const Frame start = timeline->frames;
    const Frame end = advance(line.speech_sec);
    timeline->lines.push_back({.text = std::move(line.text), .start = start, .end = end});
    timeline->frames = advance(line.pause_sec);
  }
  timeline_ = std::move(timeline);
}

std::function<std::unique_ptr<AudioSource>()> Script::source(std::shared_ptr<const Clock> clock) const {
  return [timeline = timeline_, clock = std::move(clock)] {
    return std::make_unique<capture::ScriptedAudio>(timeline, clock);
  };
}

std::function<std::unique_ptr<VoiceActivityDetector>()> Script::detector() const {
  return [] { return std::make_unique<capture::ScriptedDetector>(); };
}

std::function<std::unique_ptr<Transcriber>()> Script::transcriber(double latency_sec) const {
  return [timeline = timeline_, latency_sec] {
    return std::make_unique<capture::ScriptedTranscriber>(timeline, latency_sec);
  };
}

}  // namespace dictum
