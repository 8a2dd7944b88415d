// The terminal UI in a storm: its controller receives 2,000 events a second, as fast callbacks would bring them. For
// bench/tui_latency.py, which presses the keys.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "tui_controller.hpp"
#include "tui_window.hpp"

namespace {

using namespace dictum;
using namespace std::chrono_literals;

constexpr auto kPause = 1ms;
constexpr int kEventsAtOnce = 2;

/// Speech that begins, grows and ends again and again, and levels between. Lives on the loop's thread.
class Storm {
 public:
  Storm(const boost::asio::any_io_executor& executor, program::TUIController& controller)
      : controller_(controller), timer_(executor) {
    emit(RecordingStateChanged{RecordingState::recording, true, false, false});
    timer_.expires_after(kPause);
    blow();
  }

 private:
  void blow() {
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      for (int i = 0; i < kEventsAtOnce; ++i) next();
      timer_.expires_at(timer_.expiry() + kPause);
      blow();
    });
  }

  void next() {
    const double level = -30 + 20 * std::sin(static_cast<double>(number_) / 40);
    switch (const auto segment = static_cast<std::uint32_t>(number_ / 50); number_++ % 50) {
      case 0:
        return emit(SpeechDetected{segment, 0});
      case 48:
        return emit(SpeechEnded{segment, 1, true, 0, 16000});
      case 49: {
        emit(TranscriptionQueued{segment, "seg.wav"});
        TranscriptionComplete complete;
        complete.segment_index = segment;
        complete.success = true;
        complete.text = "one of very many sentences that come too fast for anybody to read";
        return emit(complete);
      }
      default:
        if (number_ % 2 == 0) return emit(AudioLevel{level, level + 6, 0.9, 0});
        return emit(TranscriptionPartial{segment, "one of very many sentences", 10});
    }
  }

  void emit(EventBody body) {
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    controller_.receive(Event{"storm", std::nullopt, now, 0, std::move(body)});
  }

  program::TUIController& controller_;
  boost::asio::steady_timer timer_;
  std::uint64_t number_ = 0;
};

}  // namespace

int main() {
  boost::asio::io_context context;
  std::optional<program::TUIController> controller;
  program::TUIWindow window(tui::KeyMap(), tui::Palette(tui::Palette::Colours::many), [&](const tui::Command& command) {
    boost::asio::post(context, [&, command] { controller->carry_out(command); });
  });
  controller.emplace(context.get_executor(), RecorderConfig(),
                     program::TUIController::Callbacks{
                         .publish = [&](std::shared_ptr<const tui::Model> model) { window.show(std::move(model)); },
                         .copy = [](const std::string& /*text*/) {},
                         .done = [&] { window.quit(); }});
  std::optional<Storm> storm(std::in_place, context.get_executor(), *controller);
  std::thread loop([&] { context.run(); });
  window.run();
  context.stop();
  loop.join();
}
