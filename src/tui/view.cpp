#include "tui/view.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tui/page_action.hpp"

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
    } else if (view().page == Page::main) {
      on_main(key);
    } else if (view().page == Page::editing) {
      if (!on_page_key(key)) view().edited.press(key);
    } else if (view().filter.state == Filter::State::typing) {
      type_filter(key);
    } else if (view().page == Page::search) {
      type_query(key);
    } else if (!on_list(key) && !on_page_key(key)) {
      on_global_key(key);
    }
    return std::move(step_);
  }

  Step click(const Target& target) {
    if (const auto* action = std::get_if<Action>(&target)) {
      perform(*action);
    } else if (const auto* key = std::get_if<KeyTarget>(&target)) {
      return press(key->key);
    } else if (const std::size_t clicked = std::get<RowTarget>(target).row; clicked < rows().size()) {
      if (std::exchange(view().selected, clicked) == clicked) on_page_key("enter");
    }
    return std::move(step_);
  }

 private:
  View& view() { return step_.view; }
  const View& view() const { return step_.view; }
  void command(Command what) { step_.commands.push_back(std::move(what)); }

  // --- From page to page

  /// To a page that belongs to no other.
  void go(Page page) {
    view().below.clear();
    show(page);
  }

  /// To a page from which one comes back here.
  void open(Page page) {
    view().below.push_back({view().page, view().selected, view().filter});
    show(page);
  }

  void show(Page page) {
    view().page = page;
    view().selected = 0;
    view().filter = {};
  }

  void back() {
    if (view().below.empty()) {
      go(Page::main);
      return;
    }
    Place place = std::move(view().below.back());
    view().below.pop_back();
    view().page = place.page;
    view().selected = place.selected;
    view().filter = std::move(place.filter);
  }

  void escape() {
    if (model_.playing) {
      command(StopPlaying{});
    } else if (view().page == Page::main) {
      view().anchor.reset();
    } else if (view().filter.state != Filter::State::off) {
      view().filter = {};
      view().selected = 0;
    } else {
      if (view().page == Page::leaving) command(Stay{});
      back();
    }
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
        command(Search{view().query.text()});
        return;
      case Action::quit:
        command(Leave{view().page == Page::leaving});
        go(Page::leaving);
        return;
      default:
        command(Perform{action});
    }
  }

  void on_main(std::string_view key) {
    if (const int lines = movement(key); lines != 0) {
      view() = scroll(view(), model_, lines);
    } else if (const auto action = keys_.action(key)) {
      perform(*action);
    }
  }

  void on_global_key(std::string_view key) {
    const auto action = keys_.action(key);
    if (view().page == Page::leaving) {
      if (action == Action::quit) perform(Action::quit);
    } else if (action == Action::quit) {
      escape();  // one page back: whoever means the program presses it again
    } else if (action == Action::help || action == Action::search || action == Action::sessions ||
               action == Action::devices || action == Action::notes) {
      perform(*action);
    }
  }

  // --- Lists

  std::vector<std::size_t> rows() const { return shown_rows(model_, view()); }

  /// The index of what is selected, in the model's list of the page.
  std::optional<std::size_t> selected() const {
    const auto all = rows();
    if (all.empty()) return std::nullopt;
    return all[std::min(view().selected, all.size() - 1)];
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
    const auto last = std::max<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(rows().size()) - 1, 0);
    const auto at = std::min(static_cast<std::ptrdiff_t>(view().selected), last);
    view().selected = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + by, 0, last));
    return true;
  }

  void type_filter(std::string_view key) {
    if (key == "enter") {
      view().filter.state = view().filter.words.text().empty() ? Filter::State::off : Filter::State::on;
    } else if (view().filter.words.press(key)) {
      view().selected = 0;
    } else {
      on_list(key);
    }
  }

  void type_query(std::string_view key) {
    if (on_page_key(key)) return;
    const std::string before = view().query.text();
    if (!view().query.press(key)) {
      on_list(key);
    } else if (view().query.text() != before) {
      view().selected = 0;
      command(Search{view().query.text()});
    }
  }

  // --- What can be done on a page

  bool on_page_key(std::string_view key) {
    if (key == "delete" && view().page != Page::editing) key = "x";
    const auto all = page_keys(model_, view());
    const auto found = std::ranges::find(all, key, &PageKey::key);
    if (found == all.end()) return false;
    carry_out(found->action);
    return true;
  }

  void carry_out(PageAction action) {
    switch (action) {
      case PageAction::choose_device:
        if (const auto row = selected()) {
          command(ChooseDevice{(*model_.devices)[*row].id});
          go(Page::main);
        }
        return;
      case PageAction::read:
        if (const auto session = session_of_page()) {
          open(Page::reading);
          view().session = *session;
          command(ReadSession{*session});
        }
        return;
      case PageAction::play:
        play();
        return;
      case PageAction::copy:
        if (const auto row = selected()) {
          command(Copy{view().page == Page::notes ? (*model_.stored_notes)[*row].text
                                                  : model_.open_session->passages[*row].text});
        }
        return;
      case PageAction::copy_session:
        if (const auto session = session_of_page()) command(CopySession{*session});
        return;
      case PageAction::edit:
        edit();
        return;
      case PageAction::export_session:
        ask(Page::exporting);
        return;
      case PageAction::write_export:
        if (const auto row = selected()) command(Export{view().session, std::string(kFormats[*row].ending)});
        back();
        return;
      case PageAction::save_edit:
        command(EditText{view().session, view().segment, view().edited.text()});
        back();
        return;
      case PageAction::transcribe_missing:
        command(TranscribeAgain{view().session, TranscribeAgain::Texts::missing});
        return;
      case PageAction::transcribe_again:
        ask(Page::redoing);
        return;
      case PageAction::remove:
        ask(Page::deleting);
        return;
      case PageAction::filter:
        view().filter.state = Filter::State::typing;
        return;
      case PageAction::confirm:
        confirm();
        return;
    }
  }

  /// The session that is read, or that the selected row is of.
  std::optional<std::filesystem::path> session_of_page() const {
    if (view().page == Page::reading) return view().session;
    const auto row = selected();
    if (!row) return std::nullopt;
    switch (view().page) {
      case Page::sessions:
        return (*model_.sessions)[*row].path;
      case Page::notes:
        return (*model_.stored_notes)[*row].session;
      case Page::search:
        return (*model_.hits)[*row].session;
      default:
        return std::nullopt;
    }
  }

  /// Opens a page that is about the session of this one.
  void ask(Page page) {
    const auto session = session_of_page();
    if (!session) return;
    open(page);
    view().session = *session;
  }

  void confirm() {
    if (view().page == Page::redoing) {
      command(TranscribeAgain{view().session, TranscribeAgain::Texts::all});
      back();
      return;
    }
    command(DeleteSession{view().session});
    back();
    if (view().page == Page::reading) back();
  }

  void play() {
    const auto session = session_of_page();
    const auto row = selected();
    if (!session || !row) return;
    switch (view().page) {
      case Page::sessions:
        command(Play{*session, std::nullopt});
        return;
      case Page::notes:
        command(Play{*session, (*model_.stored_notes)[*row].segment});
        return;
      case Page::reading:
        command(Play{*session, model_.open_session->passages[*row].segment});
        return;
      case Page::search:
        command(Play{*session, (*model_.hits)[*row].segment});
        return;
      default:
        return;
    }
  }

  void edit() {
    const auto row = selected();
    if (!row) return;
    const Passage& passage = model_.open_session->passages[*row];
    open(Page::editing);
    view().segment = passage.segment;
    view().edited = TextInput(passage.state == Passage::State::done ? passage.text : "");
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
