#include "capture/device_stream.hpp"

#include <pthread.h>

#include <exception>
#include <thread>
#include <utility>

namespace dictum::capture {

std::shared_ptr<DeviceStream> DeviceStream::launch(std::function<void(DeviceStream&)> body) {
  auto stream = std::make_shared<DeviceStream>();
  // Detached, since a thread that hangs in a driver can never be joined; `wait_until_ended` replaces the join.
  std::thread([stream, body = std::move(body)]() mutable {
    ::pthread_setname_np(::pthread_self(), "audio");
    try {
      body(*stream);
    } catch (const RecorderError& error) {
      stream->lose({static_cast<Errc>(error.code().value()), error.what()});
    } catch (const std::exception& error) {
      stream->lose({Errc::internal, error.what()});
    }
    body = nullptr;
    stream->lose({Errc::cancelled, "The stream was stopped."});
    const std::lock_guard lock(stream->mutex_);
    stream->ended_ = true;
    stream->changed_.notify_all();
  }).detach();
  return stream;
}

bool DeviceStream::wait_until_started(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return state() != State::connecting; });
}

StreamFailure DeviceStream::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

StreamStatus DeviceStream::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void DeviceStream::request_stop() noexcept {
  const std::lock_guard lock(mutex_);
  stop_requested_.store(true, std::memory_order_release);
  changed_.notify_all();
  if (wake_) wake_();
}

bool DeviceStream::wait_until_ended(std::chrono::milliseconds limit) noexcept {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return ended_; });
}

bool DeviceStream::wait_for_end(std::optional<std::chrono::milliseconds> limit) {
  std::unique_lock lock(mutex_);
  const auto over = [&] { return stop_requested() || state() == State::lost; };
  if (limit) return changed_.wait_for(lock, *limit, over);
  changed_.wait(lock, over);
  return true;
}

void DeviceStream::on_stop(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

CaptureRing& DeviceStream::prepare(AudioFormat format, std::string device, std::string description,
                                   std::shared_ptr<const Clock> clock) {
  ring_ = std::make_unique<CaptureRing>(format, std::move(clock));
  format_ = format;
  description_ = std::move(description);
  update([&](StreamStatus& status) { status.device = std::move(device); });
  return *ring_;
}

void DeviceStream::start() {
  const std::lock_guard lock(mutex_);
  if (state() != State::connecting) return;
  state_.store(State::streaming, std::memory_order_release);
  changed_.notify_all();
}

void DeviceStream::update(const std::function<void(StreamStatus&)>& change) {
  const std::lock_guard lock(mutex_);
  change(status_);
}

void DeviceStream::lose(StreamFailure failure) {
  const std::lock_guard lock(mutex_);
  if (state() == State::lost) return;
  failure_ = std::move(failure);
  state_.store(State::lost, std::memory_order_release);
  changed_.notify_all();
}

}  // namespace dictum::capture
