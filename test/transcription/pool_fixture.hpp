#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DICTUM_SANITIZED 1
#endif
#endif
#ifdef DICTUM_SANITIZED
inline constexpr bool kSanitized = true;  // memory is counted, and capped, in another way
#else
inline constexpr bool kSanitized = false;
#endif

/// The folder of the programs under test.
std::filesystem::path programs();

/// Every process whose environment names `marker`, whoever its parent is; zombies are gone for this purpose.
std::vector<pid_t> processes_with(const std::string& marker);

/// How many descriptors this process has open.
std::size_t open_descriptors();

/// Waits for `condition` of another process, asking every millisecond: such a thing sends no event.
bool soon(const std::function<bool()>& condition, std::chrono::milliseconds within = std::chrono::seconds(10));

/// A pool of simulated workers, run on the test's own thread.
class PoolFixture : public testing::Test {
 protected:
  struct Status {
    std::string worker;
    WorkerState state;
    std::string reason;
  };
  struct PartialText {
    std::uint32_t segment;
    std::string text;
    std::size_t stable;
  };

  PoolFixture();
  ~PoolFixture() override;

  /// The simulated workers do what `json` says.
  void script(const std::string& json);

  /// Makes the pool of what `settings` says by now.
  WorkerPool& make_pool();

  TranscriptionJob job(std::uint32_t segment, double seconds = 1) const;
  void transcribe(std::uint32_t segment);

  /// Runs the loop until `condition`. False where it did not come true within the time.
  bool run_until(const std::function<bool()>& condition, std::chrono::milliseconds within = std::chrono::seconds(20));
  bool run_until_done(std::size_t outcomes) {
    return run_until([&] { return done.size() >= outcomes; });
  }

  std::vector<std::string> log() const;
  std::size_t logged(const std::string& first_word) const;
  std::vector<pid_t> processes() const { return processes_with(folder.path().string()); }

  test::TemporaryDirectory folder;
  boost::asio::io_context io;
  WorkerPoolSettings settings;
  std::unique_ptr<WorkerPool> pool;
  std::map<std::uint32_t, TranscriptionOutcome> done;
  int doubled = 0;  // outcomes for a job that had one
  std::vector<Status> statuses;
  std::vector<PartialText> partials;
};

}  // namespace dictum::transcription
