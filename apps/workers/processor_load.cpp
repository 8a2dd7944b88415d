#include "processor_load.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace dictum::workers {
namespace {

constexpr int kCounts = 5;

}  // namespace

int physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::set<std::string> cores;  // the threads of one core name the same siblings
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::string siblings;
    std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    if (!std::getline(file, siblings)) siblings = std::to_string(cpu);
    cores.insert(siblings);
  }
  return std::max(1, static_cast<int>(cores.size()));
}

int other_running_threads(std::string_view loadavg) {
  // "0.42 0.37 0.30 3/512 12345": of 512 threads, 3 run or want to.
  const auto slash = loadavg.find('/');
  if (slash == std::string_view::npos) return 0;
  const auto begin = loadavg.rfind(' ', slash) + 1;
  int running = 0;
  std::from_chars(loadavg.data() + begin, loadavg.data() + slash, running);
  return std::max(0, running - 1);
}

int lasting_threads(const std::function<int()>& count, const std::function<void()>& pause) {
  int least = count();
  for (int i = 1; i < kCounts && least > 0; ++i) {
    pause();
    least = std::min(least, count());
  }
  return least;
}

int threads_for(int cores, int others, int limit) {
  return std::clamp(cores - others, 1, std::max(1, limit));
}

}  // namespace dictum::workers
