#include "tui/view.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.hpp"

namespace dictum::tui {
namespace {

constexpr std::array kFormats = {
    ExportFormat{"md", "Markdown: the notes and what was said"},
    ExportFormat{"txt", "text"},
    ExportFormat{"srt", "subtitles for players"},
    ExportFormat{"vtt", "subtitles for the web"},
    ExportFormat{"json", "everything that is known, for programs"},
    ExportFormat{"wav", "the sound of what was said"},
    ExportFormat{"flac", "the same, half as large"},
};

constexpr int kPageOfRows = 10;

/// Handles one key. Lives for it.
class Presser {
 public:
  Presser(View view, const Model& model, const KeyMap& keys) : step_{std::move(view), {}}, model_(model), keys_(keys) {}

  Step press(std::string_view key) {
    if (key == "esc") {
      escape();
    } else if (view().page == Page::search) {
      type(key);
    } else if (view().page == Page::main) {
      if (const int lines = movement(key); lines != 0) {
        view() = scroll(view(), model_, lines);
      } else if (const auto action = keys_.action(key)) {
        perform(*action);
      }
    } else if (!on_list(key)) {
      on_page(key);
    }
    return std::move(step_);
  }

  Step click(const Target& target) {
    if (const auto* action = std::get_if<Action>(&target)) {
      perform(*action);
    } else if (const auto* key = std::get_if<KeyTarget>(&target)) {
      return press(key->key);
    } else if (const std::size_t row = std::get<RowTarget>(target).row; row < rows()) {
      if (std::exchange(view().selected, row) == row) enter();
    }
    return std::move(step_);
  }

 private:
  View& view() { return step_.view; }
  void command(Command what) { step_.commands.push_back(std::move(what)); }

  void go(Page page) {
    view().page = page;
    view().selected = 0;
  }

  void escape() {
    if (model_.playing) {
      command(StopPlaying{});
      return;
    }
    switch (view().page) {
      case Page::main:
        view().anchor.reset();
        return;
      case Page::exporting:
        go(Page::reading);
        return;
      case Page::reading:
        go(Page::sessions);
        return;
      case Page::leaving:
        command(Stay{});
        break;
      default:
        break;
    }
    go(Page::main);
  }

  void perform(Action action) {
    switch (action) {
      case Action::help:
        go(view().page == Page::help ? Page::main : Page::help);
        return;
      case Action::devices:
        go(Page::devices);
        command(ListDevices{});
        return;
      case Action::sessions:
        go(Page::sessions);
        command(ListSessions{});
        return;
      case Action::notes:
        go(Page::notes);
        command(ListNotes{});
        return;
      case Action::search:
        go(Page::search);
        command(Search{view().query});
        return;
      case Action::quit:
        command(Leave{view().page == Page::leaving});
        go(Page::leaving);
        return;
      default:
        command(Perform{action});
    }
  }

  void type(std::string_view key) {
    std::string& query = view().query;
    if (key == "up" || key == "down" || key == "page-up" || key == "page-down") {
      on_list(key);
      return;
    }
    if (key == "enter") {
      enter();
      return;
    }
    if (key == "tab") {
      if (model_.hits && view().selected < model_.hits->size()) read((*model_.hits)[view().selected].session);
      return;
    }
    if (key == "backspace") {
      while (!query.empty() && utf8::continues(query.back())) query.pop_back();
      if (!query.empty()) query.pop_back();
    } else if (key == "space") {
      query += ' ';
    } else if (is_character(key)) {
      query += key;
    } else {
      return;
    }
    view().selected = 0;
    command(Search{query});
  }

  static bool is_character(std::string_view key) {
    if (key.empty()) return false;
    const auto character = utf8::decode(key, 0);
    return character.valid && character.next == key.size();
  }

  static int movement(std::string_view key) {
    if (key == "up") return -1;
    if (key == "down") return 1;
    if (key == "page-up") return -kPageOfRows;
    if (key == "page-down") return kPageOfRows;
    if (key == "home") return -1'000'000'000;
    if (key == "end") return 1'000'000'000;
    return 0;
  }

  bool on_list(std::string_view key) {
    const int by = movement(key);
    if (by == 0) return false;
    const auto last = static_cast<std::ptrdiff_t>(rows()) - 1;
    const auto wanted = static_cast<std::ptrdiff_t>(view().selected) + by;
    view().selected =
        static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(wanted, 0, std::max<std::ptrdiff_t>(last, 0)));
    return true;
  }

  void on_page(std::string_view key) {
    if (key == "enter") {
      enter();
      return;
    }
    const auto action = keys_.action(key);
    if (view().page == Page::reading && key == "e") {
      go(Page::exporting);
    } else if (key == "y" && (view().page == Page::reading || view().page == Page::notes)) {
      copy();
    } else if (view().page == Page::notes && key == "tab") {
      if (view().selected < rows()) read((*model_.stored_notes)[view().selected].session);
    } else if (view().page == Page::leaving) {
      if (action == Action::quit) perform(Action::quit);
    } else if (action == Action::quit) {
      escape();  // one page back: whoever means the program presses it again
    } else if (action == Action::help || action == Action::search || action == Action::sessions ||
               action == Action::devices || action == Action::notes) {
      perform(*action);
    }
  }

  std::size_t rows() const {
    switch (step_.view.page) {
      case Page::devices:
        return model_.devices ? model_.devices->size() : 0;
      case Page::sessions:
        return model_.sessions ? model_.sessions->size() : 0;
      case Page::notes:
        return model_.stored_notes ? model_.stored_notes->size() : 0;
      case Page::reading:
        return model_.open_session ? model_.open_session->passages.size() : 0;
      case Page::exporting:
        return kFormats.size();
      case Page::search:
        return model_.hits ? model_.hits->size() : 0;
      default:
        return 0;
    }
  }

  void read(const std::filesystem::path& session) {
    view().session = session;
    go(Page::reading);
    command(ReadSession{session});
  }

  void copy() {
    const std::size_t row = view().selected;
    if (row >= rows()) return;
    command(
        Copy{view().page == Page::notes ? (*model_.stored_notes)[row].text : model_.open_session->passages[row].text});
  }

  void enter() {
    const std::size_t row = view().selected;
    if (row >= rows()) return;
    switch (view().page) {
      case Page::devices:
        command(ChooseDevice{(*model_.devices)[row].id});
        go(Page::main);
        return;
      case Page::sessions:
        read((*model_.sessions)[row].path);
        return;
      case Page::notes:
        command(Play{(*model_.stored_notes)[row].session, (*model_.stored_notes)[row].segment});
        return;
      case Page::reading:
        command(Play{model_.open_session->path, model_.open_session->passages[row].segment});
        return;
      case Page::exporting:
        command(Export{view().session, std::string(kFormats[row].ending)});
        go(Page::reading);
        return;
      case Page::search:
        command(Play{(*model_.hits)[row].session, (*model_.hits)[row].segment});
        return;
      default:
        return;
    }
  }

  Step step_;
  const Model& model_;
  const KeyMap& keys_;
};

}  // namespace

std::span<const ExportFormat> export_formats() {
  return kFormats;
}

Step press(View view, const Model& model, const KeyMap& keys, std::string_view key) {
  return Presser(std::move(view), model, keys).press(key);
}

Step click(View view, const Model& model, const KeyMap& keys, const Target& target) {
  return Presser(std::move(view), model, keys).click(target);
}

View scroll(View view, const Model& model, int lines) {
  if (model.lines.empty()) return view;
  const auto last = static_cast<std::ptrdiff_t>(model.lines.size()) - 1;
  const auto at = static_cast<std::ptrdiff_t>(view.anchor.value_or(static_cast<std::size_t>(last))) + lines;
  if (at >= last) {
    view.anchor.reset();
  } else {
    view.anchor = static_cast<std::size_t>(std::max<std::ptrdiff_t>(at, 0));
  }
  return view;
}

}  // namespace dictum::tui
