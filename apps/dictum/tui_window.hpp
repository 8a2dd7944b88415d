#pragma once

#include <ftxui/component/component_base.hpp>
#include <ftxui/component/event.hpp>
#include <ftxui/component/screen_interactive.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tui/draw.hpp"
#include "tui/model.hpp"
#include "tui/palette.hpp"
#include "tui/view.hpp"
#include "tui_terminal.hpp"

namespace dictum::program {

/// The terminal UI's side that shows things: it draws the newest model, and turns keys and clicks into commands.
///
/// Threads: `run` on the main thread, which has the terminal; `show`, `copy`, `quit`, `suspend` and `wake_up` from any,
/// which reach it by FTXUI's Post. Draws only where something has changed, at most 30 times in any second.
class TUIWindow {
 public:
  using CarryOut = std::function<void(tui::Command)>;

  TUIWindow(tui::KeyMap keys, tui::Palette palette, CarryOut carry_out);
  ~TUIWindow();

  /// Until `quit`. The terminal is as it was when this returns or throws.
  void run();

  void show(std::shared_ptr<const tui::Model> model);

  /// Gives the terminal a text for its clipboard (OSC 52).
  void copy(std::string text);
  void quit();

  /// Gives the terminal back and stops the process, as Ctrl-Z does; goes on when that is continued.
  void suspend();

  /// The process was stopped and continued by somebody else: the terminal may be in any state.
  void wake_up();

 private:
  class Component;
  class Pacer;

  void post(ftxui::Task task);
  ftxui::Element render();
  bool handle(ftxui::Event event);
  void take(tui::Step step);
  void with_terminal_back(const std::function<void()>& meanwhile);

  const tui::KeyMap keys_;
  const tui::Palette palette_;
  const CarryOut carry_out_;

  ftxui::ScreenInteractive screen_ = ftxui::ScreenInteractive::Fullscreen();
  std::optional<TerminalGuard> guard_;
  std::mutex posting_;  // FTXUI's Post may not overlap with the beginning and the end of a screen
  bool is_running_ = false;
  std::shared_ptr<const tui::Model> newest_ = std::make_shared<const tui::Model>();

  // The main thread's.
  bool quits_ = false;
  std::shared_ptr<const tui::Model> model_;
  tui::View view_;
  tui::Targets targets_;
  std::unique_ptr<Pacer> pacer_;
};

}  // namespace dictum::program
