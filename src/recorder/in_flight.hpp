#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "pipeline/capture_loop.hpp"

namespace dictum::recorder {

/// Counts a batch between capture and the loop while it exists. However its way ends, capture is woken where it waits
/// for that.
///
/// Thread safety: moved from strand to strand, used on one at a time.
class InFlight {
 public:
  InFlight() = default;
  InFlight(std::shared_ptr<pipeline::Backlog> backlog, std::shared_ptr<pipeline::CaptureLoop> capture,
           boost::asio::any_io_executor listen, std::int64_t bytes)
      : backlog_(std::move(backlog)), capture_(std::move(capture)), listen_(std::move(listen)), bytes_(bytes) {
    backlog_->sent(bytes_);
  }
  InFlight(InFlight&&) noexcept = default;
  InFlight& operator=(InFlight&&) = delete;
  ~InFlight() {
    if (!backlog_ || !backlog_->arrived(bytes_)) return;
    try {
      boost::asio::post(listen_, [capture = std::move(capture_)] { capture->go_on(); });
    } catch (...) {  // no memory: the next batch's arrival does it
    }
  }

 private:
  std::shared_ptr<pipeline::Backlog> backlog_;
  std::shared_ptr<pipeline::CaptureLoop> capture_;
  boost::asio::any_io_executor listen_;
  std::int64_t bytes_ = 0;
};

}  // namespace dictum::recorder
