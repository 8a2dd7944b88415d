#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/event_fd.hpp"
#include "dictum/event.hpp"

namespace dictum::server {

/// Programs of the user's, each with its arguments; empty: none.
struct HookSettings {
  std::vector<std::string> on_text;  ///< with the first text of each segment
  std::vector<std::string> on_note;  ///< with each completed note

  bool is_empty() const { return on_text.empty() && on_note.empty(); }
};

/// Section [hooks] of a configuration file; nothing where `file` is empty. Throws RecorderError(config_invalid).
HookSettings read_hooks(const std::filesystem::path& file);

/// Runs programs with what was said, one after the other: the event as one line of JSON on their standard input, no
/// shell, no more than the time limit. What they write to standard output is dropped.
///
/// Threads: one of its own, from the first program on. Methods may be called from any thread. Owner: who records.
class HookRunner {
 public:
  static constexpr std::size_t kMaxWaiting = 64;
  static constexpr const char* kFaultCode = "hook_failed";

  /// Called on the runner's thread: what went wrong, one sentence, and in which session.
  using Report = std::function<void(const std::string& session, const std::string& sentence)>;

  HookRunner(HookSettings settings, Report report,
             std::chrono::milliseconds time_limit = std::chrono::milliseconds(10'000));

  /// As `finish`, without waiting.
  ~HookRunner();
  HookRunner(const HookRunner&) = delete;
  HookRunner& operator=(const HookRunner&) = delete;

  /// An event of a recording, in order. Does not block.
  void take(const Event& event);

  /// Runs what waits for so long; then the program that runs is killed, and the others are not run, which is reported.
  /// Nothing is run any more. A call with less patience, also on another thread, shortens one that waits.
  void finish(std::chrono::milliseconds patience);

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    std::string hook;
    const std::vector<std::string>* command{};
    std::string session;
    std::string json;
  };

  void add(const char* hook, const std::vector<std::string>& command, const Event& event);
  void run();

  /// Why it failed; empty where it did not.
  std::string run(const Job& job) const;

  const HookSettings settings_;
  const Report report_;
  const std::chrono::milliseconds time_limit_;
  const EventFD killed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;                                // by mutex_, as all below
  std::set<std::pair<std::string, std::uint32_t>> texts_;  // that were given out, of the newest session
  std::size_t dropped_ = 0;                                // since the last one that was not
  bool is_running_ = false;
  bool is_ending_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();  // of the end
  std::size_t abandoned_ = 0;                              // that were not run, since the end came before
  std::string abandoned_in_;                               // their session
  std::mutex joining_;
  std::thread thread_;  // made by mutex_, joined by joining_
};

}  // namespace dictum::server
