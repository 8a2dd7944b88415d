#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <optional>

#include "pipeline/stream_item.hpp"
#include "recorder/core_driver.hpp"
#include "recorder/session_runner.hpp"
#include "recorder/strand_calls.hpp"
#include "recorder/text_stage.hpp"

namespace dictum::recorder {

/// The texts of one session, seen from its loop: gives segments to who transcribes them, and texts to the core.
///
/// Threads: lives on the `loop` strand. Owner: the session. Before `begin` and after `release` nothing is pending.
class SessionTexts {
 public:
  struct Callbacks {
    std::function<void()> changed;    ///< fewer texts are pending, or another answer of `has_no_worker`
    std::function<void()> no_worker;  ///< pending texts will take long: nobody is to wait for them
  };

  /// `core` outlives this.
  SessionTexts(Keeper keep, CoreDriver& core, Callbacks callbacks)
      : keep_(std::move(keep)), core_(core), callbacks_(std::move(callbacks)) {}

  struct Settings {
    transcription::Priority priority{};
    bool is_resumed{};  ///< else the session is being recorded
  };

  /// Once the core has begun.
  void begin(SessionRunner runner, Settings settings, const boost::asio::any_io_executor& loop);

  void carry_out(const Action& action);
  void process(const pipeline::StreamItem& item) { stage_->process(item); }
  void end_of_audio() { stage_->end_of_audio(); }

  /// Pending texts are no longer wanted.
  void abandon();
  void release() { stage_.reset(); }

  /// Whether a text is pending that anybody may wait for.
  bool are_pending() const { return stage_ && !stage_->is_abandoned() && core_->pending() > 0; }

  /// Texts are pending, and no worker can be started to make them.
  bool has_no_worker() const { return has_no_worker_; }

 private:
  void wait_for_worker(const EventError& why);
  void arrived(std::uint32_t segment, const TranscriptionOutcome& outcome);

  const Keeper keep_;
  CoreDriver& core_;
  const Callbacks callbacks_;
  std::optional<TextStage> stage_;
  bool is_resumed_ = false;
  bool has_no_worker_ = false;  // and that is reported
};

}  // namespace dictum::recorder
