#pragma once

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace dictum::cluster {

/// Ends the process with `sentence` and exit code 1 where this object lives longer than `bound`: a call of the client
/// of NATS, or a look-up of a name, can wait for longer than a person does.
///
/// Thread: the owner's; it has one of its own.
class TimeLimit {
 public:
  TimeLimit(std::chrono::milliseconds bound, std::string sentence)
      : thread_([bound, sentence = std::move(sentence)](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          never.wait_for(lock, stop, bound, [] { return false; });
          if (stop.stop_requested()) return;
          fmt::print(stderr, "dictum: {}\n", sentence);
          std::fflush(stderr);
          std::_Exit(1);
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace dictum::cluster
