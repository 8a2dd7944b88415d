#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

namespace dictum::transcription {

/// Calls functions later on a strand; not one of them once this was closed or destroyed, however many are queued.
///
/// Threads: lives on the strand. Owner: the object that the functions use.
class PostedCalls {
 public:
  explicit PostedCalls(boost::asio::any_io_executor strand) : strand_(std::move(strand)) {}
  PostedCalls(const PostedCalls&) = delete;
  PostedCalls& operator=(const PostedCalls&) = delete;
  ~PostedCalls() { close(); }

  template <class Call>
  void post(Call call) {
    boost::asio::post(strand_, [is_open = is_open_, call = std::move(call)]() mutable {
      if (*is_open) call();
    });
  }

  void close() { *is_open_ = false; }
  bool is_open() const { return *is_open_; }

 private:
  const boost::asio::any_io_executor strand_;
  const std::shared_ptr<bool> is_open_ = std::make_shared<bool>(true);
};

}  // namespace dictum::transcription
