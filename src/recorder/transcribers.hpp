#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "dictum/clock.hpp"
#include "dictum/config.hpp"
#include "recorder/core_driver.hpp"
#include "recorder/session_host.hpp"
#include "recorder/session_runner.hpp"
#include "transcription/job_runner.hpp"
#include "transcription/worker_pool_settings.hpp"

namespace dictum::recorder {

/// Who transcribes for the sessions of one recorder: a transcriber of the user's for each; or two pools of workers for
/// all of them, one for what is being recorded, and one of lower priority, whose workers end soon after the last text,
/// for what nobody waits for.
///
/// Threads: lives on the `loop` strand. Owner: the runtime; outlives the sessions that it serves.
class Transcribers {
 public:
  /// `config` outlives this. Starts nothing.
  Transcribers(const RecorderConfig& config, std::shared_ptr<const Clock> clock)
      : config_(config), clock_(std::move(clock)) {}

  /// Empty where nothing is to be transcribed. A pool keeps the settings of its first session. `to_core` is given what
  /// live workers report, for the session that is being recorded. Throws what a factory of the user's throws.
  SessionRunner runner(const std::optional<transcription::WorkerPoolSettings>& pool, Urgency urgency,
                       const boost::asio::any_io_executor& loop, const std::function<void(CoreDriver::Input)>& to_core);

  /// No result of the pools is wanted any more.
  void abandon();

  /// After that, and once no session uses them: what lives on the strand is destroyed.
  void reset();

 private:
  SessionRunner custom() const;

  const RecorderConfig& config_;
  const std::shared_ptr<const Clock> clock_;
  std::unique_ptr<transcription::JobRunner> live_;
  std::unique_ptr<transcription::JobRunner> later_;
};

}  // namespace dictum::recorder
