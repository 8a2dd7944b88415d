#include "api/resume.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "delivery/delivery_thread.hpp"
#include "recorder/runtime.hpp"

namespace dictum::api {
namespace {

/// How a call ended. Shared by the thread that waits for it and the one that reports it.
struct Ending {
  std::mutex mutex;
  std::condition_variable_any is_known;
  std::optional<detail::Outcome> outcome;

  void set(detail::Outcome how) {
    const std::lock_guard lock(mutex);
    if (!outcome) outcome = std::move(how);
    is_known.notify_all();
  }
  void wait(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    is_known.wait(lock, stop, [this] { return outcome.has_value(); });
    if (!outcome) {
      outcome = detail::Outcome{make_error_code(Errc::cancelled),
                                "The transcription was stopped. Segments without a text can be transcribed later."};
    }
  }
};

}  // namespace

void resume_session(const RecorderConfig& config, const std::filesystem::path& session, recorder::Redo redo,
                    EventCallback on_event, double drain_sec, const std::stop_token& stop) {
  const auto runtime = std::make_shared<recorder::Runtime>(config, boost::asio::any_io_executor());
  const auto ending = std::make_shared<Ending>();
  {
    std::optional<detail::DeliveryThread> delivery;
    if (on_event) {
      delivery.emplace(*runtime, EventFilter::all(), std::move(on_event), detail::DeliveryThread::Begins::at_once);
    }
    runtime->resume_session(session, redo, drain_sec, [ending](detail::Outcome how) { ending->set(std::move(how)); });
    ending->wait(stop);
    runtime->shut_down(detail::Engine::Subscribers::can_be_awaited);
  }
  if (ending->outcome->code) throw RecorderError(ending->outcome->code, ending->outcome->sentence);
}

}  // namespace dictum::api
