#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "cluster/nats_connection.hpp"

namespace dictum::cluster {

/// Messages on their way from the connection's threads to the one that waits for them. Thread safety: every method from
/// any thread.
class Inbox {
 public:
  void put(NATSMessage message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
    changed_.notify_one();
  }

  /// Nothing after `timeout`, and as soon as a stop is requested.
  std::optional<NATSMessage> wait(const std::stop_token& stop, std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, timeout, [&] { return !messages_.empty(); });
    if (messages_.empty()) return std::nullopt;
    NATSMessage first = std::move(messages_.front());
    messages_.pop_front();
    return first;
  }

  /// The reply subjects of the messages that wait here.
  std::vector<std::string> replies() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const NATSMessage& message : messages_) all.push_back(message.reply);
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<NATSMessage> messages_;
};

}  // namespace dictum::cluster
