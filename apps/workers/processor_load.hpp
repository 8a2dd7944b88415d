#pragma once

#include <functional>
#include <string_view>

namespace dictum::workers {

/// How many cores this process may run on, two threads of one core counted once; at least 1.
int physical_cores();

/// How many threads want to run at this moment, from the text of /proc/loadavg, without the one that asks.
int other_running_threads(std::string_view loadavg);

/// How many threads want to run for longer than a moment: the least of a few counts, with `pause` between two of them.
/// A recorder that sends a job also writes it down and shows it, and is done within milliseconds; that leaves its core
/// free. A count of 0 is the last one.
int lasting_threads(const std::function<int()>& count, const std::function<void()>& pause);

/// How many threads should compute: one a core, without the cores that something else uses, at least 1 and at most
/// `limit`.
int threads_for(int cores, int others, int limit);

}  // namespace dictum::workers
