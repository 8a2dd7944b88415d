#include "tui_window.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <ftxui/component/loop.hpp>
#include <ftxui/component/mouse.hpp>
#include <ftxui/screen/terminal.hpp>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/base64.hpp"

namespace dictum::program {
namespace {

using ftxui::Event;
using namespace std::chrono_literals;

constexpr int kWheelLines = 3;

/// As `tui::parse_key` names them; empty for what is no key.
std::string key_of(const Event& event) {
  static const std::array<std::pair<Event, const char*>, 23> named = {{
      {Event::Return, "enter"},
      {Event::Escape, "esc"},
      {Event::Tab, "tab"},
      {Event::Backspace, "backspace"},
      {Event::Delete, "delete"},
      {Event::ArrowUp, "up"},
      {Event::ArrowDown, "down"},
      {Event::ArrowLeft, "left"},
      {Event::ArrowRight, "right"},
      {Event::Home, "home"},
      {Event::End, "end"},
      {Event::PageUp, "page-up"},
      {Event::PageDown, "page-down"},
      {Event::F1, "f1"},
      {Event::F2, "f2"},
      {Event::F3, "f3"},
      {Event::F4, "f4"},
      {Event::F5, "f5"},
      {Event::F6, "f6"},
      {Event::F7, "f7"},
      {Event::F8, "f8"},
      {Event::F9, "f9"},
      {Event::F10, "f10"},
  }};
  for (const auto& [each, name] : named) {
    if (event == each) return name;
  }
  if (event.is_character()) return event.character() == " " ? "space" : event.character();
  const std::string& input = event.input();
  if (input.size() == 1 && input[0] >= 1 && input[0] <= 26)
    return std::string("ctrl-") + static_cast<char>('a' + input[0] - 1);
  return {};
}

/// Does something at the end of a scope, however that is left.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> what) : what_(std::move(what)) {}
  ~AtEnd() { what_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  const std::function<void()> what_;
};

}  // namespace

/// At most 30 drawings in any second, and each as early as that allows: three at once, then one every 37 ms.
class TUIWindow::Pacer {
 public:
  void wait() const { std::this_thread::sleep_until(next_ - kBurst * kPause); }
  void drawn() { next_ = std::max(next_, std::chrono::steady_clock::now()) + kPause; }

 private:
  static constexpr auto kPause = 37ms;
  static constexpr int kBurst = 2;
  std::chrono::steady_clock::time_point next_;
};

class TUIWindow::Component final : public ftxui::ComponentBase {
 public:
  explicit Component(TUIWindow& window) : window_(window) {}
  ftxui::Element Render() override { return window_.render(); }
  bool OnEvent(Event event) override { return window_.handle(std::move(event)); }

 private:
  TUIWindow& window_;
};

TUIWindow::TUIWindow(tui::KeyMap keys, tui::Palette palette, CarryOut carry_out)
    : keys_(std::move(keys)), palette_(palette), carry_out_(std::move(carry_out)), pacer_(std::make_unique<Pacer>()) {}

TUIWindow::~TUIWindow() = default;

void TUIWindow::copy(std::string text) {
  // Whatever the text is, the terminal gets letters and digits.
  post([text = std::move(text)] { std::cout << "\x1b]52;c;" << to_base64(text) << '\a' << std::flush; });
}

void TUIWindow::run() {
  // In the order in which they end: nobody posts any more, FTXUI gives the terminal back, then we do.
  const AtEnd give_terminal_back([this] { guard_.reset(); });
  guard_.emplace();
  ftxui::Loop loop(&screen_, std::make_shared<Component>(*this));
  const AtEnd stop_posting([this] {
    const std::lock_guard lock(posting_);
    is_running_ = false;
  });
  guard_->arm();
  {
    const std::lock_guard lock(posting_);
    is_running_ = true;
    model_ = newest_;
  }
  while (!quits_ && !loop.HasQuitted()) {
    pacer_->wait();
    loop.RunOnceBlocking();
  }
}

void TUIWindow::post(ftxui::Task task) {
  const std::lock_guard lock(posting_);
  if (is_running_) screen_.Post(std::move(task));
}

void TUIWindow::show(std::shared_ptr<const tui::Model> model) {
  const std::lock_guard lock(posting_);
  newest_ = model;
  if (!is_running_) return;
  screen_.Post([this, model = std::move(model)] { model_ = model; });
  screen_.Post(Event::Custom);  // draws
}

void TUIWindow::quit() {
  post([this] { quits_ = true; });
}

void TUIWindow::suspend() {
  post([this] { with_terminal_back([] { ::raise(SIGSTOP); }); });
}

void TUIWindow::wake_up() {
  post([this] { with_terminal_back([] {}); });
}

void TUIWindow::with_terminal_back(const std::function<void()>& meanwhile) {
  const std::lock_guard lock(posting_);
  screen_.WithRestoredIO([&] {
    guard_->restore();
    meanwhile();
    guard_->claim();
  })();
  guard_->arm();
}

ftxui::Element TUIWindow::render() {
  pacer_->drawn();
  targets_ = {};
  const auto size = ftxui::Terminal::Size();
  return tui::draw(*model_, view_, keys_, {size.dimx, size.dimy}, palette_, targets_);
}

bool TUIWindow::handle(Event event) {
  if (event.is_mouse()) {
    const auto& mouse = event.mouse();
    if (mouse.button == ftxui::Mouse::WheelUp || mouse.button == ftxui::Mouse::WheelDown) {
      const bool up = mouse.button == ftxui::Mouse::WheelUp;
      if (view_.page == tui::Page::main) {
        view_ = tui::scroll(view_, *model_, up ? -kWheelLines : kWheelLines);
      } else {
        take(tui::press(view_, *model_, keys_, up ? "up" : "down"));
      }
    } else if (mouse.button == ftxui::Mouse::Left && mouse.motion == ftxui::Mouse::Pressed) {
      if (const auto target = targets_.at(mouse.x, mouse.y)) take(tui::click(view_, *model_, keys_, *target));
    }
    return true;
  }
  if (const std::string key = key_of(event); !key.empty()) take(tui::press(view_, *model_, keys_, key));
  return true;
}

void TUIWindow::take(tui::Step step) {
  view_ = std::move(step.view);
  for (auto& command : step.commands) carry_out_(std::move(command));
}

}  // namespace dictum::program
