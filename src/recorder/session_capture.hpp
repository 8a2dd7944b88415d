#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "base/timer.hpp"
#include "dictum/detail/engine.hpp"
#include "pipeline/capture_loop.hpp"
#include "recorder/strand_calls.hpp"
#include "recorder/strands.hpp"

namespace dictum::recorder {

/// The capture of one session, seen from its loop: gives the `listen` strand what the loop wants of it.
///
/// Threads: lives on the `loop` strand. Owner: the session, which a request keeps.
class SessionCapture {
 public:
  using Request = detail::Outcome (pipeline::CaptureLoop::*)();

  SessionCapture(Keeper keep, const Timers& timers, const boost::asio::any_io_executor& loop);

  /// Before that, and after `release`, there is nothing that captures.
  void open(const Strands& strands, OnStrand<pipeline::CaptureLoop> capture);
  void release();
  bool is_open() const { return capture_ != nullptr; }

  /// Begins to read; the items go to `sink`, on `listen`.
  void run(pipeline::CaptureLoop::Sink sink);

  /// Calls this on `listen`, behind what was posted before.
  void post(std::function<void(pipeline::CaptureLoop&)> call);

  /// Asks to pause or to resume; one request at a time. The answer comes by the disk, as the audio does: so what was
  /// captured before it has been processed, and the state has changed. `failed` is called where capture refuses, and
  /// where there is no answer in time; `failure` then says why.
  void ask(Request request, const std::function<void()>& failed);

  /// Of the newest request; success where it was answered so, or is under way.
  const detail::Outcome& failure() const { return failure_; }

  /// Whether all that was captured so far has been processed.
  bool is_processed() const { return capture_ && capture_->backlog().is_empty(); }

 private:
  void answered(const detail::Outcome& outcome, const std::function<void()>& failed);
  void fail(detail::Outcome outcome, const std::function<void()>& failed);

  const Keeper keep_;
  const std::unique_ptr<Timer> limit_;  // runs while an answer is awaited
  Strands strands_;
  OnStrand<pipeline::CaptureLoop> capture_;
  detail::Outcome failure_;
};

}  // namespace dictum::recorder
