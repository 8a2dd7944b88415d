#include "recorder/session_capture.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "dictum/error.hpp"
#include "recorder/session_lifecycle.hpp"

namespace dictum::recorder {

SessionCapture::SessionCapture(Keeper keep, const Timers& timers, const boost::asio::any_io_executor& loop)
    : keep_(std::move(keep)), limit_(timers.make_timer(loop)) {}

void SessionCapture::open(const Strands& strands, OnStrand<pipeline::CaptureLoop> capture) {
  strands_ = strands;
  capture_ = std::move(capture);
}

void SessionCapture::release() {
  limit_->cancel();
  capture_.reset();
}

void SessionCapture::run(pipeline::CaptureLoop::Sink sink) {
  boost::asio::post(strands_.listen,
                    [capture = capture_, sink = std::move(sink)]() mutable { capture->run(std::move(sink)); });
}

void SessionCapture::post(std::function<void(pipeline::CaptureLoop&)> call) {
  boost::asio::post(strands_.listen, [capture = capture_, call = std::move(call)] { call(*capture); });
}

void SessionCapture::ask(Request request, const std::function<void()>& failed) {
  failure_ = {};
  limit_->start(SessionLifecycle::kAnswerLimit, [this, failed] {
    fail({make_error_code(Errc::timed_out), "The audio device, or the disk, does not answer: stop the recording."},
         failed);
  });
  boost::asio::post(strands_.listen, [this, owner = keep_(), capture = capture_, request, failed] {
    boost::asio::post(strands_.disk, [this, owner, failed, outcome = (capture.get()->*request)()] {
      boost::asio::post(strands_.loop, [this, owner, failed, outcome] { answered(outcome, failed); });
    });
  });
}

void SessionCapture::answered(const detail::Outcome& outcome, const std::function<void()>& failed) {
  if (!limit_->is_running()) return;  // too late
  limit_->cancel();
  if (outcome.code) fail(outcome, failed);
}

void SessionCapture::fail(detail::Outcome outcome, const std::function<void()>& failed) {
  failure_ = std::move(outcome);
  failed();
}

}  // namespace dictum::recorder
