#include "recorder/resegment.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

#include "recorder/timeline_source.hpp"

namespace dictum::recorder {
namespace {

/// The time of day at which it was recorded, so that the new session is found where the old one is.
class ClockOfThen final : public Clock {
 public:
  explicit ClockOfThen(std::chrono::system_clock::time_point started) : started_(started) {}

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

}  // namespace

std::filesystem::path resegment_session(RecorderConfig config, const std::filesystem::path& session,
                                        EventCallback on_event) {
  const auto started = TimelineSource(session).manifest().started_at;  // also says at once what is wrong
  config.source = [session] { return std::make_unique<TimelineSource>(session); };
  config.clock = std::make_shared<ClockOfThen>(started);
  config.session.root = session.parent_path();
  config.session.keep_all = false;  // it is in the old one
  std::promise<void> ended;
  bool told = false;
  RecorderBackend backend(std::move(config), [&](const Event& event) {
    on_event(event);
    const auto* changed = std::get_if<RecordingStateChanged>(&event.body);
    if (changed != nullptr && !changed->is_recording && !std::exchange(told, true)) ended.set_value();
  });
  backend.start_recording();
  ended.get_future().wait();
  backend.stop_recording(std::chrono::duration<double>(-1));
  return backend.get_session_path();
}

Analysis analyze_timeline(const RecorderConfig& config, const std::filesystem::path& session) {
  TimelineSource source(session);
  return analyze_source(config, source);
}

}  // namespace dictum::recorder
