#include "transcription/worker_lanes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "transcription/worker_text.hpp"

namespace dictum::transcription {
namespace {

constexpr int kQuickCancelMs = 100;  // a worker that promises this may work ahead though it is the only one

WorkerSlot::Settings slot_settings(const WorkerPoolSettings& settings) {
  return {.program = settings.executable.string(),
          .language = settings.language,
          .hello_timeout = settings.hello_timeout,
          .backoff = settings.backoff,
          .ping_interval = settings.ping_interval,
          .lost_pings = settings.lost_pings,
          .unload_after = settings.unload_after};
}

WorkerCommand command_of(const WorkerPoolSettings& settings) {
  WorkerCommand command{.executable = settings.executable,
                        .arguments = {},
                        .environment = settings.environment,
                        .guard = settings.guard,
                        .memory_cap = settings.memory_cap};
  if (!settings.model.empty()) command.arguments = {"--model", settings.model};
  return command;
}

}  // namespace

WorkerLanes::WorkerLanes(const boost::asio::any_io_executor& strand, const WorkerPoolSettings& settings,
                         std::shared_ptr<const Clock> clock, const Timers& timers, const StartWorker& start,
                         Callbacks callbacks)
    : clock_(std::move(clock)),
      deadline_base_(settings.deadline_base),
      deadline_per_sec_(settings.deadline_per_sec),
      callbacks_(std::move(callbacks)) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(settings.workers, 1)); ++i) {
    SlotDriver::Parts parts{.strand = strand, .command = command_of(settings), .start = start};
    parts.on_action = [this, i](WorkerSlot::Action action) { callbacks_.on_action(lanes_[i], std::move(action)); };
    parts.on_death = [this, i](const WorkerFailure&) { callbacks_.on_death(lanes_[i]); };
    parts.on_change = [this] { callbacks_.on_change(); };
    lanes_.emplace_back(fmt::format("{}-{}", settings.name, i), slot_settings(settings), std::move(parts), timers);
  }
}

bool WorkerLanes::has_ready_worker() const {
  return std::ranges::any_of(lanes_, [](const WorkerLane& lane) { return lane.driver.is_ready(); });
}

bool WorkerLanes::is_working_on(Work work) const {
  return std::ranges::any_of(lanes_, [work](const WorkerLane& lane) { return lane.work == work; });
}

bool WorkerLanes::has_remote_worker() const {
  return std::ranges::any_of(lanes_, [](const WorkerLane& lane) { return is_remote(lane.driver.hello()); });
}

bool WorkerLanes::has_room_for_background() const {
  const auto background = std::ranges::count_if(lanes_, [](const WorkerLane& lane) {
    return lane.work == Work::job && lane.entry.priority == Priority::background;
  });
  return background < std::max(std::ssize(lanes_) - 1, std::ptrdiff_t{1});
}

std::ptrdiff_t WorkerLanes::count(WorkerSlot::State state) const {
  return std::ranges::count_if(lanes_, [state](const WorkerLane& lane) { return lane.state() == state; });
}

void WorkerLanes::run(WorkerLane& lane, Work work, Job message, double seconds) {
  lane.work = work;
  lane.started = clock_->steady_now();
  const auto deadline = std::chrono::ceil<std::chrono::milliseconds>(deadline_base_ + deadline_per_sec_ * seconds);
  lane.driver.run({std::move(message), deadline, seconds});
}

void WorkerLanes::cancel(Work work) {
  for (WorkerLane& lane : lanes_) {
    if (lane.work != work) continue;
    lane.work = Work::none;
    lane.driver.cancel();
  }
}

void WorkerLanes::start(Demand demand) {
  using enum WorkerSlot::State;
  const std::ptrdiff_t coming = count(starting) + count(handshake) + count(stopping);
  const bool wanted_warm = demand.is_awaited && coming + count(idle) + count(busy) == 0;
  std::ptrdiff_t missing = static_cast<std::ptrdiff_t>(demand.waiting) - coming + (wanted_warm ? 1 : 0);
  for (WorkerLane& lane : lanes_) {
    if (missing <= 0 || !(demand.fits_fresh || wanted_warm)) break;
    if (lane.is_idle() && demand.fits_fresh && !lane.driver.is_fresh()) lane.driver.stop();
    if (lane.state() != dead) continue;
    lane.driver.start();
    --missing;
  }
}

WorkerLane* WorkerLanes::idle_for_extra_work() {
  const auto idle = count(WorkerSlot::State::idle);
  for (auto lane = lanes_.rbegin(); lane != lanes_.rend(); ++lane) {
    if (!lane->is_idle()) continue;
    if (idle > 1 || lane->driver.hello().cancel_ms.value_or(kQuickCancelMs + 1) <= kQuickCancelMs) return &*lane;
  }
  return nullptr;
}

void WorkerLanes::start_extra() {
  using enum WorkerSlot::State;
  if (count(starting) + count(handshake) > 0) return;
  const auto vacant = std::ranges::find(lanes_, dead, [](const WorkerLane& lane) { return lane.state(); });
  if (vacant != lanes_.end()) vacant->driver.start();
}

void WorkerLanes::abandon() {
  for (WorkerLane& lane : lanes_) {
    lane.work = Work::none;
    lane.entry = {};
    lane.driver.stop();
  }
}

}  // namespace dictum::transcription
