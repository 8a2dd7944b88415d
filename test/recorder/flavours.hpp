#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "dictum/async_recorder_backend.hpp"
#include "dictum/recorder_backend.hpp"

/// The two flavours behind one face, so that one list of cases runs against both.
namespace dictum::test {

using Callback = std::function<void(const Event&)>;
using Drain = std::optional<std::chrono::duration<double>>;

class BlockingFlavour {
 public:
  static constexpr const char* kName = "Blocking";
  static constexpr bool kMayStopInsideACallback = false;

  explicit BlockingFlavour(RecorderConfig config, Callback callback = {})
      : backend_(std::move(config), callback ? EventCallback(std::move(callback)) : EventCallback()) {}

  std::error_code start() {
    return call([&](auto& error) { backend_.start_recording(error); });
  }
  std::error_code stop(Drain drain = std::nullopt) {
    return call([&](auto& error) { backend_.stop_recording(drain, error); });
  }
  std::error_code pause() {
    return call([&](auto& error) { backend_.pause_recording(error); });
  }
  std::error_code resume() {
    return call([&](auto& error) { backend_.resume_recording(error); });
  }
  std::error_code set_vad_mode(VADMode mode) {
    return call([&](auto& error) { backend_.set_vad_mode(mode, error); });
  }
  std::error_code set_muted(bool muted) {
    return call([&](auto& error) { backend_.set_muted(muted, error); });
  }
  std::error_code set_device(const std::string& device) {
    return call([&](auto& error) { backend_.set_device(device, error); });
  }
  std::error_code complete_note() {
    return call([&](auto& error) { backend_.complete_note(error); });
  }
  std::error_code retry_failed() {
    return call([&](auto& error) { backend_.retry_failed(error); });
  }
  void wait_until_idle() { backend_.wait_until_idle(); }
  bool is_recording() const { return backend_.is_recording(); }
  RecordingState state() const { return backend_.state(); }
  std::filesystem::path session() const { return backend_.get_session_path(); }
  std::string last_error() const { return backend_.last_error(); }
  auto subscribe(EventFilter filter, Callback callback) { return backend_.subscribe(filter, std::move(callback)); }

 private:
  template <class Call>
  static std::error_code call(Call make) {
    std::error_code error;
    make(error);
    return error;
  }

  RecorderBackend backend_;
};

/// The awaited flavour on an event loop with one thread.
class AsyncFlavour {
 public:
  static constexpr const char* kName = "Async";
  static constexpr bool kMayStopInsideACallback = true;

  explicit AsyncFlavour(RecorderConfig config, Callback callback = {}) : work_(loop_.get_executor()) {
    if (callback) {
      backend_.emplace(loop_.get_executor(), std::move(config), std::move(callback));
    } else {
      backend_.emplace(loop_.get_executor(), std::move(config));
    }
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~AsyncFlavour() {
    backend_.reset();
    work_.reset();
    thread_.join();
  }

  std::error_code start() {
    return call([&](auto token) { return backend_->start_recording(token); });
  }
  std::error_code stop(Drain drain = std::nullopt) {
    return call([&](auto token) { return backend_->stop_recording(drain, token); });
  }
  std::error_code pause() {
    return call([&](auto token) { return backend_->pause_recording(token); });
  }
  std::error_code resume() {
    return call([&](auto token) { return backend_->resume_recording(token); });
  }
  std::error_code set_vad_mode(VADMode mode) {
    return call([&](auto token) { return backend_->set_vad_mode(mode, token); });
  }
  std::error_code set_muted(bool muted) {
    return call([&](auto token) { return backend_->set_muted(muted, token); });
  }
  std::error_code set_device(const std::string& device) {
    return call([&](auto token) { return backend_->set_device(device, token); });
  }
  std::error_code complete_note() {
    return call([&](auto token) { return backend_->complete_note(token); });
  }
  std::error_code retry_failed() {
    return call([&](auto token) { return backend_->retry_failed(token); });
  }
  void wait_until_idle() {
    call([&](auto token) { return backend_->wait_until_idle(token); });
  }
  bool is_recording() const { return backend_->is_recording(); }
  RecordingState state() const { return backend_->state(); }
  std::filesystem::path session() const { return backend_->get_session_path(); }
  std::string last_error() const { return backend_->last_error(); }
  auto subscribe(EventFilter filter, Callback callback) { return backend_->subscribe(filter, std::move(callback)); }

 private:
  template <class Call>
  static std::error_code call(Call make) {
    std::promise<std::error_code> ended;
    make([&ended](boost::system::error_code error) { ended.set_value(error); });
    return ended.get_future().get();
  }

  boost::asio::io_context loop_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::optional<AsyncRecorderBackend> backend_;
  std::thread thread_;
};

struct FlavourNames {
  template <class Flavour>
  static std::string GetName(int) {
    return Flavour::kName;
  }
};

}  // namespace dictum::test
