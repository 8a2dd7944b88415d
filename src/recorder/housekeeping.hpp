#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "dictum/clock.hpp"
#include "dictum/config.hpp"
#include "dictum/event.hpp"
#include "recorder/strands.hpp"

namespace dictum::recorder {

/// What a recorder does about older sessions once it records: removes what killed processes left, looks for sessions
/// that were left unfinished, deletes those that are too old. On the `work` strand, which may block for long: thousands
/// of manifests may be read, and the new session's files do not wait for them.
///
/// Threads: `session_started` on the `loop` strand. Owner: the runtime, which the callbacks refer to.
class Housekeeping {
 public:
  struct Callbacks {
    std::function<bool()> goes_on;                                            ///< from any thread: not shut down
    std::function<void(const EventError&)> report;                            ///< on `work`
    std::function<void(std::vector<std::filesystem::path>)> finish_sessions;  ///< on `loop`
  };

  /// `config` outlives this.
  Housekeeping(const RecorderConfig& config, std::shared_ptr<const Clock> clock)
      : config_(config), clock_(std::move(clock)) {}

  void session_started(const Strands& strands, const Callbacks& callbacks);

 private:
  void find_unfinished(const Strands& strands, const Callbacks& callbacks);
  void delete_old(const Strands& strands, const Callbacks& callbacks) const;

  const RecorderConfig& config_;
  const std::shared_ptr<const Clock> clock_;
  bool removed_remains_ = false;
  bool looked_for_unfinished_ = false;
};

}  // namespace dictum::recorder
