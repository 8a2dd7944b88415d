#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "pipeline/capture_loop.hpp"
#include "recorder/strands.hpp"

namespace dictum::recorder {

/// Counts a batch between capture and the loop while it exists. However its way ends, capture is woken where it waits
/// for that.
///
/// Thread safety: moved from strand to strand, used on one at a time.
class InFlight {
 public:
  InFlight() = default;
  InFlight(OnStrand<pipeline::CaptureLoop> capture, boost::asio::any_io_executor listen, std::int64_t bytes)
      : capture_(std::move(capture)), listen_(std::move(listen)), bytes_(bytes) {
    capture_->backlog().sent(bytes_);
  }
  InFlight(InFlight&&) noexcept = default;
  InFlight& operator=(InFlight&&) = delete;
  ~InFlight() {
    if (!capture_ || !capture_->backlog().arrived(bytes_)) return;
    try {
      boost::asio::post(listen_, [capture = std::move(capture_)] { capture->continue_reading(); });
    } catch (...) {  // no memory: the next batch's arrival does it
    }
  }

 private:
  OnStrand<pipeline::CaptureLoop> capture_;
  boost::asio::any_io_executor listen_;
  std::int64_t bytes_ = 0;
};

}  // namespace dictum::recorder
