#include "recorder/event_stage.hpp"

#include <utility>
#include <variant>

#include "recorder/subscribers.hpp"

namespace dictum::recorder {

EventStage::EventStage(std::weak_ptr<SessionHost> host, Visibility visibility, TimeSource time, SessionFiles& files)
    : host_(std::move(host)), visibility_(visibility), time_(std::move(time)), files_(files) {}

void EventStage::push(Event event) {
  if (const auto* changed = std::get_if<RecordingStateChanged>(&event.body)) {
    if (const auto host = host_.lock()) host->state_changed(changed->state, files_.path());
  }
  auto pointer = std::make_shared<const Event>(std::move(event));
  if (!pointer->is_ephemeral()) unwritten_.push_back(pointer);
  if (auto at_once = tail_.push(std::move(pointer), time_.clock->steady_now())) publish({std::move(at_once)});
}

void EventStage::write() {
  auto events = std::exchange(unwritten_, {});
  if (!events.empty() && !files_.write_events(std::move(events))) give_up();
}

void EventStage::retry() {
  if (tail_.is_blocked() && !files_.write_events({})) give_up();
}

void EventStage::written(const WrittenEvents& written) {
  tail_.set_blocked(written.is_blocked);
  publish(tail_.written(written.count));
}

boost::asio::awaitable<void> EventStage::journaled(StrandCalls* calls) {
  bool is_late = false;
  const auto limit = time_.timers->make_timer(calls->loop());
  limit->start(Subscribers::kDeliveryBound, [&is_late, notify = calls->notifier()] {
    is_late = true;
    notify();
  });
  while (is_writing() && !is_late) co_await calls->changed();
}

void EventStage::publish(const std::vector<EventPointer>& events) {
  if (events.empty() || visibility_ != Visibility::published) return;
  const auto host = host_.lock();
  if (!host) return;
  for (const EventPointer& event : events) host->subscribers().publish(event, files_.journal());
}

}  // namespace dictum::recorder
