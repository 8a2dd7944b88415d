#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "processes.hpp"
#include "support/temporary_directory.hpp"
#include "transcription/worker_pool.hpp"

namespace dictum::transcription {

/// A pool of simulated workers, run on the test's own thread.
class PoolFixture : public testing::Test {
 protected:
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
  std::vector<WorkerStatus> statuses;
  std::vector<PartialText> partials;
};

}  // namespace dictum::transcription
