#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "tui/drawing.hpp"
#include "tui/visible.hpp"

/// What lies over the main screen: help, microphones, sessions, search, and what is left to do before leaving.
namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

/// A row that is `selected` has a ground of its own over its whole width.
Element list_row(const Brush& brush, int width, bool is_selected, Element row) {
  Element whole = hbox({std::move(row) | xflex}) | size(WIDTH, EQUAL, width);
  return is_selected ? std::move(whole) | brush.paint(Role::selected) : std::move(whole);
}

/// As many rows as there is room for, the selected one among them. `draw` makes the row of an index; on a selected row
/// its colours give way, so that it can be read.
Element list(const Brush& brush, Size size, std::size_t count, const std::function<Element(std::size_t, bool)>& draw) {
  const auto room = static_cast<std::size_t>(std::max(size.height, 1));
  const std::size_t selected = std::min(brush.view.selected, count > 0 ? count - 1 : 0);
  const std::size_t first = selected >= room ? selected - room + 1 : 0;
  Elements rows;
  for (std::size_t i = first; i < std::min(first + room, count); ++i) {
    rows.push_back(list_row(brush, size.width, i == selected, draw(i, i == selected)) |
                   brush.targets.add(RowTarget{i}));
  }
  return sized(vbox(std::move(rows)), size);
}

Element message(const Brush& brush, Size size, std::string_view shown) {
  Elements rows;
  for (const Row& row : wrapped(shown, size.width)) {
    rows.push_back(words(brush, shown.substr(row.begin, row.end - row.begin), Role::dim));
  }
  return sized(vbox(std::move(rows)), size);
}

struct Hint {
  std::string_view key;
  std::string_view word;
  std::string_view pressed;  // by a click
};

Element hints(const Brush& brush, std::initializer_list<Hint> all) {
  Elements line;
  for (const Hint& hint : all) {
    if (!line.empty()) line.push_back(text("   "));
    line.push_back(
        hbox({words(brush, hint.key, Role::accent) | bold, words(brush, fmt::format(" {}", hint.word), Role::dim)}) |
        brush.targets.add(KeyTarget{std::string(hint.pressed)}));
  }
  return hbox(std::move(line));
}

Element playing_line(const Brush& brush, int width) {
  const Playing& playing = *brush.model.playing;
  const std::string place = fmt::format("▶ {}  ", duration(playing.position));
  return hbox({words(brush, place, Role::good), foreign(brush, playing.text, width - cells(place) - 12),
               words(brush, "  ESC stops", Role::dim) | brush.targets.add(KeyTarget{"esc"})});
}

/// A page: its list, and below it what the keys do there.
struct PageParts {
  std::string title;
  Size size;  // with the frame
  std::function<Element(Size)> body;
  Element hints;
};

Element assemble(const Brush& brush, PageParts parts, Size screen) {
  const bool hides_state = screen.height - parts.size.height < 4;
  const Size inside{parts.size.width - 4, parts.size.height - 2};
  const Size body{inside.width, inside.height - 2};
  Element below = brush.model.playing ? playing_line(brush, inside.width) : std::move(parts.hints);
  return framed(brush, parts.size, parts.title, hides_state ? state_corner(brush) : Corner{},
                vbox({sized(parts.body(body), body), text(""), std::move(below)}), Role::accent);
}

/// Where there is not much room around it, all of the screen.
Size large(Size screen) {
  const bool is_small = screen.width < 100 || screen.height < 30;
  return is_small ? screen : Size{std::min(screen.width - 8, 130), std::min(screen.height - 6, 40)};
}

PageParts help(const Brush& brush, Size screen) {
  const auto body = [&brush](Size) {
    Elements rows;
    for (const auto& each : actions()) {
      rows.push_back(
          hbox({words(brush, fmt::format("{:>7}", key_label(brush.keys.key(each.action))), Role::accent) | bold,
                words(brush, fmt::format("  {}", each.help))}) |
          brush.targets.add(each.action));
    }
    if (!brush.model.spoken.empty()) {
      rows.push_back(text(""));
      rows.push_back(words(brush, "Say while recording:", Role::heading));
    }
    for (const SpokenCommand& each : brush.model.spoken) {
      const std::string phrase = clipped("“" + visible(each.phrase) + "”", 26);
      rows.push_back(
          hbox({words(brush, phrase + std::string(static_cast<std::size_t>(28 - cells(phrase)), ' '), Role::accent),
                words(brush, each.help)}));
    }
    return vbox(std::move(rows));
  };
  const int spoken = brush.model.spoken.empty() ? 0 : static_cast<int>(brush.model.spoken.size()) + 2;
  const int height = static_cast<int>(actions().size()) + 4 + spoken;
  return {"Help",
          {std::min(66, screen.width), std::min(height, screen.height)},
          body,
          hints(brush, {{"↑ ↓ PAGE-UP END", "scroll", "end"}, {"ESC", "back", "esc"}})};
}

PageParts devices(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const auto& all = brush.model.devices;
    if (!all) return message(brush, size, "Looking for microphones…");
    if (all->empty()) return message(brush, size, "There is no microphone: connect one, and come back.");
    return list(brush, size, all->size(), [&](std::size_t i, bool selected) {
      const Device& device = (*all)[i];
      const bool chosen = device.id == brush.model.device || device.name == brush.model.device ||
                          (brush.model.device.empty() && device.is_default);
      const std::string description = clipped(visible(device.description), size.width - 24);
      return hbox(
          {words(brush, chosen ? "● " : "○ ", selected ? Role::text : Role::accent), words(brush, description),
           foreign(brush, "  " + device.name, size.width - 13 - cells(description), selected ? Role::text : Role::dim),
           filler(), words(brush, device.is_default ? "  default" : "", selected ? Role::text : Role::accent)});
    });
  };
  const int rows = brush.model.devices ? static_cast<int>(brush.model.devices->size()) : 1;
  return {"Microphone",
          {std::min(72, screen.width), std::clamp(rows + 4, 7, screen.height)},
          body,
          hints(brush, {{"ENTER", "listen to it", "enter"}, {"ESC", "back", "esc"}})};
}

PageParts sessions(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const auto& all = brush.model.sessions;
    if (!all) return message(brush, size, "Looking for sessions…");
    if (all->empty()) return message(brush, size, "There are no sessions yet.");
    const std::string heading =
        fmt::format("{:<16}  {:>8}  {:>8}  {:>5}  {}", "begun", "length", "segments", "notes", "begins with");
    return vbox({words(brush, heading, Role::heading),
                 list(brush, {size.width, size.height - 1}, all->size(), [&](std::size_t i, bool selected) {
                   const SessionEntry& entry = (*all)[i];
                   const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
                   const std::string when =
                       entry.started_at ? date_and_time(brush.model, *entry.started_at) : visible(entry.name);
                   const std::string notes = entry.notes > 0 ? fmt::format("{}", entry.notes) : "";
                   const std::string head = fmt::format("{:<16}  {:>8}  {:>8}  {:>5}  ", clipped(when, 16),
                                                        duration(entry.duration), entry.segments, notes);
                   const int room = size.width - cells(head);
                   Element rest = !entry.problem.empty() ? foreign(brush, entry.problem, room, role(Role::failure))
                                  : entry.is_open
                                      ? foreign(brush, "(open) " + entry.first_text, room, role(Role::accent))
                                      : foreign(brush, entry.first_text, room, role(Role::dim));
                   return hbox({words(brush, head), std::move(rest)});
                 })});
  };
  return {"Sessions", large(screen), body,
          hints(brush, {{"ENTER", "read", "enter"},
                        {key_label(brush.keys.key(Action::search)), "search", brush.keys.key(Action::search)},
                        {"ESC", "back", "esc"}})};
}

Role role_of(Passage::State state) {
  switch (state) {
    case Passage::State::awaited:
      return Role::interim;
    case Passage::State::failed:
      return Role::failure;
    case Passage::State::done:
      break;
  }
  return Role::text;
}

/// What gets the texts that are missing; empty where none is.
std::string remedy_of(const OpenSession& open) {
  const bool lacks =
      std::ranges::any_of(open.passages, [](const Passage& each) { return each.state == Passage::State::failed; });
  return lacks ? fmt::format("dictum resume --failed {}  transcribes what has no text", visible(open.name)) : "";
}

PageParts reading(const Brush& brush, Size screen) {
  const auto& open = brush.model.open_session;
  const bool is_here = open && open->path == brush.view.session;
  const auto body = [&brush, is_here](Size size) {
    if (!is_here) return message(brush, size, "Reading…");
    const auto& passages = brush.model.open_session->passages;
    if (passages.empty()) return message(brush, size, "Nothing was said in this session.");
    const std::string remedy = remedy_of(*brush.model.open_session);
    if (!remedy.empty()) size.height -= 1;
    Element all = list(brush, size, passages.size(), [&](std::size_t i, bool selected) {
      const Passage& passage = passages[i];
      const bool plays = brush.model.playing && brush.model.playing->session == brush.model.open_session->path &&
                         brush.model.playing->segment == passage.segment;
      const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
      return hbox({words(brush, plays ? "▶ " : "  ", role(Role::good)),
                   words(brush, fmt::format("{:>8}  ", duration(passage.position)), role(Role::dim)),
                   foreign(brush, passage.text, size.width - 12, role(role_of(passage.state)))});
    });
    if (remedy.empty()) return all;
    return vbox({std::move(all), words(brush, clipped(remedy, size.width), Role::accent)});
  };
  return {
      is_here ? fmt::format("Session {}", visible(open->name)) : "Session", large(screen), body,
      hints(brush,
            {{"ENTER", "play from here", "enter"}, {"y", "copy", "y"}, {"e", "export", "e"}, {"ESC", "back", "esc"}})};
}

/// The list, and below it the note that is selected, whole as far as there is room.
PageParts notes(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const auto& all = brush.model.stored_notes;
    if (!all) return message(brush, size, "Looking for notes…");
    if (all->empty()) return message(brush, size, "There are no notes yet. " + way_to_begin_note(brush.model));
    const Size rows{size.width, std::max(size.height / 2 - 1, 1)};
    const Size below{size.width, std::max(size.height - rows.height - 1, 1)};
    const StoredNote& chosen = (*all)[std::min(brush.view.selected, all->size() - 1)];
    return vbox({list(brush, rows, all->size(),
                      [&](std::size_t i, bool selected) {
                        const StoredNote& note = (*all)[i];
                        const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
                        const std::string when = fmt::format("{:<18}", date_and_time(brush.model, note.said_at));
                        return hbox({words(brush, when, role(Role::dim)),
                                     foreign(brush, note.title, size.width - cells(when), role(Role::text))});
                      }),
                 ruled(brush, size.width, clipped(visible(chosen.title), size.width - 8)),
                 message(brush, below, visible(chosen.text))});
  };
  return {"Notes", large(screen), body,
          hints(brush, {{"ENTER", "play", "enter"},
                        {"y", "copy", "y"},
                        {"TAB", "read the session", "tab"},
                        {"ESC", "back", "esc"}})};
}

PageParts exporting(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    return list(brush, size, export_formats().size(), [&](std::size_t i, bool selected) {
      const auto& format = export_formats()[i];
      return hbox({words(brush, fmt::format(" {:<6}", format.ending), selected ? Role::text : Role::accent),
                   words(brush, format.help, selected ? Role::text : Role::dim)});
    });
  };
  return {fmt::format("Export {}", visible(brush.view.session.filename().string())),
          {std::min(62, screen.width), std::min(static_cast<int>(export_formats().size()) + 4, screen.height)},
          body,
          hints(brush, {{"ENTER", "write a file here", "enter"}, {"ESC", "back", "esc"}})};
}

Element hit_row(const Brush& brush, const Hit& hit, int width, bool selected) {
  const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
  const std::string when = date_and_time(brush.model, hit.said_at);
  const std::string title = hit.note_title.empty() ? "" : "✎ " + clipped(visible(hit.note_title), width / 4) + ": ";
  Elements parts{words(brush, when + "  ", role(Role::dim)), words(brush, title, role(Role::accent))};
  int left = width - cells(when) - 2 - cells(title);
  // A text that is too long begins a little before what was looked for.
  std::size_t at = 0;
  if (!hit.marks.empty() && cells(visible(hit.text)) > left) {
    const std::size_t wanted = std::min(hit.marks.front().begin, hit.text.size());
    const std::size_t space = wanted > 24 ? hit.text.find(' ', wanted - 24) : 0;
    if (space != 0 && space < wanted) {
      at = space + 1;
      parts.push_back(words(brush, "…", role(Role::dim)));
      left -= 1;
    }
  }
  const auto push = [&](std::size_t end, Role wanted) {
    if (end <= at || left <= 0) return;
    const std::string shown = clipped(visible(std::string_view(hit.text).substr(at, end - at)), left);
    parts.push_back(words(brush, shown, wanted));
    left -= cells(shown);
    at = end;
  };
  for (const auto& mark : hit.marks) {
    const std::size_t begin = std::min(mark.begin, hit.text.size());
    push(begin, Role::text);
    push(begin + std::min(mark.size, hit.text.size() - begin), Role::found);
  }
  push(hit.text.size(), Role::text);
  return hbox(std::move(parts));
}

PageParts search(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const std::string query = tail(visible(brush.view.query), size.width - 4);
    Element input =
        hbox({words(brush, "/ ", Role::accent), words(brush, query) | bold, words(brush, "▏", Role::accent)});
    const Size rest{size.width, size.height - 2};
    const auto& hits = brush.model.hits;
    Element found = !hits ? message(brush, rest, "Searching…")
                    : hits->empty()
                        ? message(brush, rest,
                                  brush.view.query.empty()
                                      ? "Type what was said: words, the beginning of one (trans*), or \"a phrase\"."
                                      : "Nothing was found.")
                        : list(brush, rest, hits->size(), [&](std::size_t i, bool selected) {
                            return hit_row(brush, (*hits)[i], rest.width, selected);
                          });
    return vbox({std::move(input), text(""), std::move(found)});
  };
  return {"Search", large(screen), body,
          hints(brush, {{"ENTER", "play", "enter"}, {"TAB", "read the session", "tab"}, {"ESC", "back", "esc"}})};
}

PageParts leaving(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    Elements rows;
    const auto room = static_cast<std::size_t>(std::max(size.height - 2, 1));
    const std::size_t waiting = brush.model.waiting();
    rows.push_back(words(
        brush, waiting == 0
                   ? std::string("The recording is being closed…")
                   : fmt::format("{} being transcribed:",
                                 waiting == 1 ? "1 segment is still" : fmt::format("{} segments are still", waiting))));
    rows.push_back(text(""));
    for (const auto& line : brush.model.lines) {
      if (line->state != Line::State::waiting && line->state != Line::State::listening) continue;
      if (rows.size() >= room + 2) break;
      rows.push_back(
          hbox({words(brush, "◌ ", Role::accent), words(brush, time_of_day(brush.model, line->began) + "  ", Role::dim),
                foreign(brush, line->text.empty() ? "transcribing…" : line->text, size.width - 22, Role::interim),
                filler(), words(brush, latency(brush.model, *line), Role::dim)}));
    }
    return vbox(std::move(rows));
  };
  const int rows = static_cast<int>(std::min<std::size_t>(brush.model.waiting(), 12));
  return {"Leaving",
          {std::min(72, screen.width), std::clamp(rows + 6, 8, screen.height)},
          body,
          hints(brush, {{key_label(brush.keys.key(Action::quit)), "leave them to the next start",
                         brush.keys.key(Action::quit)},
                        {"ESC", "stay", "esc"}})};
}

PageParts parts_of(const Brush& brush, Size screen) {
  switch (brush.view.page) {
    case Page::help:
      return help(brush, screen);
    case Page::devices:
      return devices(brush, screen);
    case Page::sessions:
      return sessions(brush, screen);
    case Page::notes:
      return notes(brush, screen);
    case Page::reading:
      return reading(brush, screen);
    case Page::exporting:
      return exporting(brush, screen);
    case Page::search:
      return search(brush, screen);
    case Page::main:
    case Page::leaving:
      break;
  }
  return leaving(brush, screen);
}

}  // namespace

Element draw_page(const Brush& brush, Size screen) {
  return assemble(brush, parts_of(brush, screen), screen);
}

}  // namespace dictum::tui
