#include "live/live_recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "capture/make_microphone.hpp"
#include "support/event_grammar.hpp"
#include "support/sounds.hpp"

namespace dictum::test {
namespace {

std::int16_t pcm16(float sample) {
  return static_cast<std::int16_t>(std::clamp(std::lround(sample * 32768.0F), -32768L, 32767L));
}

class ObservedMicrophone final : public AudioSource {
 public:
  explicit ObservedMicrophone(std::shared_ptr<Received> received)
      : received_(std::move(received)),
        microphone_(capture::make_microphone(received_->backend, received_->device, std::make_shared<SystemClock>())) {}

  AudioFormat open() override {
    received_->format = microphone_->open();
    received_->opened = std::chrono::steady_clock::now();
    return received_->format;
  }

  Reading read(std::span<float> interleaved) override {
    Reading reading = microphone_->read(interleaved);
    const auto channels = static_cast<std::size_t>(received_->format.channels);
    for (std::size_t i = 0; i < reading.frames; ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += interleaved[i * channels + c];
      received_->timeline.push_back(pcm16(sum / static_cast<float>(channels)));
    }
    received_->captured += static_cast<Frame>(reading.frames);
    if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
      received_->gaps.push_back({static_cast<Frame>(received_->timeline.size()), gap->frames, gap->reason});
      received_->timeline.resize(received_->timeline.size() + static_cast<std::size_t>(gap->frames));
    }
    weigh();
    return reading;
  }

  void finish() noexcept override {
    finished_ = std::chrono::steady_clock::now();
    microphone_->finish();
  }
  void close() noexcept override { microphone_->close(); }
  std::string description() const override { return microphone_->description(); }
  double drift_ppm() const override { return microphone_->drift_ppm(); }
  std::chrono::milliseconds pace() const override { return microphone_->pace(); }

 private:
  void weigh() {
    const double now = seconds(finished_.value_or(std::chrono::steady_clock::now()) - received_->opened);
    lags_.emplace_back(now, now - static_cast<double>(received_->timeline.size()) / received_->format.sample_rate);
    while (lags_.front().first < now - 0.25) lags_.pop_front();
    received_->behind = std::ranges::min(lags_, {}, &std::pair<double, double>::second).second;
  }

  const std::shared_ptr<Received> received_;
  const std::unique_ptr<AudioSource> microphone_;
  std::optional<TimePoint> finished_;
  std::deque<std::pair<double, double>> lags_;  // when, and how much
};

}  // namespace

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

bool is_soak() {
  return std::getenv("DICTUM_SOAK") != nullptr;
}

std::function<std::unique_ptr<AudioSource>()> observed_microphone(std::shared_ptr<Received> received) {
  return [received = std::move(received)] { return std::make_unique<ObservedMicrophone>(received); };
}

LiveRecording::LiveRecording(const std::string& backend, const std::function<void(RecorderConfig&)>& change) {
  received_->backend = backend;
  RecorderConfig config;
  config.source = observed_microphone(received_);
  config.transcription.transcriber = "none";
  config.session.root = folder_.path();
  config.events.level_hz = 20;
  if (change) change(config);
  received_->device = config.capture.device;
  recorder_ = std::make_unique<RecorderBackend>(config, [log = log_](const Event& event) {
    const TimePoint now = std::chrono::steady_clock::now();
    const std::lock_guard lock(log->mutex);
    log->events.push_back({event, now});
    log->changed.notify_all();
  });
}

std::chrono::nanoseconds LiveRecording::stop() {
  const TimePoint before = std::chrono::steady_clock::now();
  recorder_->stop_recording();
  return std::chrono::steady_clock::now() - before;
}

std::optional<LiveRecording::Logged> LiveRecording::wait_for(const std::function<bool(const Logged&)>& is_meant,
                                                             TimePoint since, std::chrono::milliseconds limit) const {
  std::unique_lock lock(log_->mutex);
  std::optional<Logged> found;
  log_->changed.wait_for(lock, limit, [&] {
    for (auto entry = log_->events.rbegin(); entry != log_->events.rend() && entry->at >= since; ++entry) {
      if (is_meant(*entry)) found = *entry;
    }
    return found.has_value();
  });
  return found;
}

bool LiveRecording::wait_for_sound(bool sound, std::chrono::milliseconds limit) const {
  constexpr double kSound = -50;  // dBFS
  const auto is_meant = [sound](const Logged& entry) {
    const auto* level = std::get_if<AudioLevel>(&entry.event.body);
    return level != nullptr && (level->rms_dbfs > kSound) == sound;
  };
  return wait_for(is_meant, std::chrono::steady_clock::now(), limit).has_value();
}

std::vector<std::string> LiveRecording::differences() const {
  std::vector<std::string> found = grammar_violations(session());
  const session::Manifest manifest = this->manifest();
  if (manifest.frames != received_->captured) {
    found.push_back(fmt::format("{} frames in the manifest, {} captured", manifest.frames, received_->captured));
  }
  if (manifest.end_frame != static_cast<Frame>(received_->timeline.size())) {
    found.push_back(
        fmt::format("the manifest ends at {}, the timeline at {}", manifest.end_frame, received_->timeline.size()));
  }
  if (manifest.gaps != received_->gaps) found.emplace_back("other gaps in the manifest than the microphone reported");
  const std::lock_guard lock(log_->mutex);
  Frame newest = 0;
  for (const Logged& entry : log_->events) {
    if (!std::holds_alternative<AudioLevel>(entry.event.body)) continue;
    if (entry.event.frame <= newest || entry.event.frame > manifest.end_frame) {
      found.push_back(fmt::format("a level is at frame {}", entry.event.frame));
    }
    newest = entry.event.frame;
  }
  for (const session::Segment& segment : manifest.segments) {
    if (!segment.is_kept()) continue;
    const Sound sound = read_sound(session() / fmt::format("seg_{:04}.wav", segment.index));
    const auto start = static_cast<std::size_t>(segment.start_frame);
    const auto frames = static_cast<std::size_t>(segment.end_frame - segment.start_frame);
    bool same = sound.samples.size() == frames && start + frames <= received_->timeline.size();
    for (std::size_t i = 0; same && i < frames; ++i) same = pcm16(sound.samples[i]) == received_->timeline[start + i];
    if (!same) found.push_back(fmt::format("segment {} does not hold what was received there", segment.index));
  }
  return found;
}

}  // namespace dictum::test
