#include "api/resume.hpp"

#include <future>
#include <utility>

#include "delivery/delivery_thread.hpp"
#include "recorder/runtime.hpp"

namespace dictum::api {

void resume_session(const RecorderConfig& config, const std::filesystem::path& session, recorder::Redo redo,
                    EventCallback on_event, double drain_sec) {
  const auto runtime = std::make_shared<recorder::Runtime>(config, boost::asio::any_io_executor());
  detail::Outcome outcome;
  {
    const detail::DeliveryThread delivery(*runtime, EventFilter::all(), std::move(on_event),
                                          detail::DeliveryThread::Begins::at_once);
    std::promise<detail::Outcome> promise;
    runtime->resume_session(session, redo, drain_sec,
                            [&promise](detail::Outcome how) { promise.set_value(std::move(how)); });
    outcome = promise.get_future().get();
    runtime->shut_down(detail::Engine::Subscribers::can_be_awaited);
  }
  if (outcome.code) throw RecorderError(outcome.code, outcome.sentence);
}

}  // namespace dictum::api
