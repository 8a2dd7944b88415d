#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tui/page_action.hpp"
#include "tui/page_parts.hpp"
#include "tui/visible.hpp"

/// What lies over the main screen: the frame of a page, help, microphones, search, and what is left to do before
/// leaving.
namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

constexpr Seconds kNewsAge = 10;
constexpr std::size_t kNewsRows = 2;

/// A row that is `selected` has a ground of its own over its whole width.
Element list_row(const Brush& brush, int width, bool is_selected, Element row) {
  Element whole = hbox({std::move(row) | xflex}) | size(WIDTH, EQUAL, width);
  return is_selected ? std::move(whole) | brush.paint(Role::selected) : std::move(whole);
}

/// The hints in as many rows as they need, each whole.
Elements hint_rows(const Brush& brush, int width, const std::vector<Hint>& hints) {
  constexpr int kBetween = 3;
  Elements rows;
  Elements row;
  int left = width;
  for (const Hint& hint : hints) {
    const int taken = cells(hint.key) + 1 + cells(hint.word);
    if (!row.empty() && taken + kBetween > left) {
      rows.push_back(hbox(std::exchange(row, {})));
      left = width;
    }
    if (!row.empty()) {
      row.push_back(text(std::string(kBetween, ' ')));
      left -= kBetween;
    }
    row.push_back(
        hbox({words(brush, hint.key, Role::accent) | bold, words(brush, fmt::format(" {}", hint.word), Role::dim)}) |
        brush.targets.add(KeyTarget{hint.pressed}));
    left -= taken;
  }
  rows.push_back(hbox(std::move(row)));
  return rows;
}

Element playing_line(const Brush& brush, int width) {
  const Playing& playing = *brush.model.playing;
  const std::string place = fmt::format("▶ {}  ", duration(playing.position));
  return hbox({words(brush, place, Role::good), foreign(brush, playing.text, width - cells(place) - 12),
               words(brush, "  ESC stops", Role::dim) | brush.targets.add(KeyTarget{"esc"})});
}

/// What narrows the list: while it is typed, with a cursor.
Element filter_line(const Brush& brush, int width) {
  const Filter& filter = brush.view.filter;
  if (filter.state != Filter::State::typing) {
    return hbox({words(brush, "only ", Role::dim),
                 words(brush, clipped("“" + visible(filter.words.text()) + "”", width - 5), Role::accent)});
  }
  return hbox({words(brush, "only ", Role::dim), input_line(brush, filter.words, width - 5)});
}

/// What has been reported lately, since a page may cover where that stands.
Elements news_rows(const Brush& brush, int width) {
  if (brush.model.notices.empty()) return {};
  const Notice& newest = brush.model.notices.back();
  if (brush.model.now - newest.at > kNewsAge) return {};
  const Role role = newest.weight == Weight::failure   ? Role::failure
                    : newest.weight == Weight::warning ? Role::warning
                                                       : Role::good;
  const std::string shown = visible(newest.text);
  Elements rows;
  for (const Row& row : wrapped(shown, width)) {
    if (rows.size() == kNewsRows) break;
    rows.push_back(words(brush, shown.substr(row.begin, row.end - row.begin), role));
  }
  return rows;
}

Corner transcribing_corner(const Brush& brush) {
  if (!brush.model.transcribing) return {};
  const Transcribing& now = *brush.model.transcribing;
  const std::string shown =
      fmt::format("◌ {}: {}", visible(now.session.filename().string()), count(now.texts, "text", "texts"));
  return {words(brush, shown, Role::accent), cells(shown)};
}

Element assemble(const Brush& brush, PageParts parts, Size screen) {
  const bool hides_state = screen.height - parts.size.height < 4;
  const Size inside{parts.size.width - 4, parts.size.height - 2};
  Elements below = news_rows(brush, inside.width);
  below.insert(below.begin(), text(""));
  if (brush.model.playing) {
    below.push_back(playing_line(brush, inside.width));
  } else {
    for (auto& row : hint_rows(brush, inside.width, parts.hints)) below.push_back(std::move(row));
  }
  Size body{inside.width, std::max(inside.height - static_cast<int>(below.size()), 1)};
  Elements rows;
  if (brush.view.filter.state != Filter::State::off) {
    rows.push_back(filter_line(brush, inside.width));
    body.height = std::max(body.height - 1, 1);
  }
  rows.push_back(sized(parts.body(body), body));
  for (auto& row : below) rows.push_back(std::move(row));
  Corner corner = hides_state ? state_corner(brush) : Corner{};
  if (corner.cells == 0) corner = transcribing_corner(brush);
  return framed(brush, parts.size, parts.title, std::move(corner), vbox(std::move(rows)), Role::accent);
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
          {{"↑ ↓ PAGE-UP END", "scroll", "end"}, {"ESC", "back", "esc"}}};
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
  return {"Microphone", {std::min(72, screen.width), std::clamp(rows + 4, 7, screen.height)}, body, page_hints(brush)};
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
    Element input = hbox({words(brush, "/ ", Role::accent), input_line(brush, brush.view.query, size.width - 2)});
    const Size rest{size.width, size.height - 2};
    const auto& hits = brush.model.hits;
    Element found = !hits ? message(brush, rest, "Searching…")
                    : hits->empty()
                        ? message(brush, rest,
                                  brush.view.query.text().empty()
                                      ? "Type what was said: words, the beginning of one (trans*), or \"a phrase\"."
                                      : "Nothing was found.")
                        : list(brush, rest, hits->size(), [&](std::size_t i, bool selected) {
                            return hit_row(brush, (*hits)[i], rest.width, selected);
                          });
    return vbox({std::move(input), text(""), std::move(found)});
  };
  return {"Search", large(screen), body, page_hints(brush)};
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
          {{key_label(brush.keys.key(Action::quit)), "leave them to the next start", brush.keys.key(Action::quit)},
           {"ESC", "stay", "esc"}}};
}

PageParts parts_of(const Brush& brush, Size screen) {
  switch (brush.view.page) {
    case Page::help:
      return help(brush, screen);
    case Page::devices:
      return devices(brush, screen);
    case Page::sessions:
      return sessions_page(brush, screen);
    case Page::notes:
      return notes_page(brush, screen);
    case Page::reading:
      return reading_page(brush, screen);
    case Page::exporting:
      return exporting_page(brush, screen);
    case Page::editing:
      return editing_page(brush, screen);
    case Page::deleting:
      return deleting_page(brush, screen);
    case Page::redoing:
      return redoing_page(brush, screen);
    case Page::search:
      return search(brush, screen);
    case Page::main:
    case Page::leaving:
      break;
  }
  return leaving(brush, screen);
}

}  // namespace

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

Element message(const Brush& brush, Size size, std::string_view shown, Role role) {
  Elements rows;
  for (const Row& row : wrapped(shown, size.width)) {
    rows.push_back(words(brush, shown.substr(row.begin, row.end - row.begin), role));
  }
  return sized(vbox(std::move(rows)), size);
}

std::vector<Hint> page_hints(const Brush& brush, std::string_view back) {
  switch (brush.view.filter.state) {
    case Filter::State::typing:
      return {{"ENTER", "keep", "enter"}, {"↑ ↓", "choose", "down"}, {"ESC", "show all", "esc"}};
    case Filter::State::on:
      back = "show all";
      break;
    case Filter::State::off:
      break;
  }
  std::vector<Hint> hints;
  for (const PageKey& each : page_keys(brush.model, brush.view)) {
    hints.push_back({key_label(each.key), std::string(each.hint), std::string(each.key)});
  }
  hints.push_back({"ESC", std::string(back), "esc"});
  return hints;
}

Size large(Size screen) {
  const bool is_small = screen.width < 100 || screen.height < 30;
  return is_small ? screen : Size{std::min(screen.width - 8, 130), std::min(screen.height - 6, 40)};
}

Element draw_page(const Brush& brush, Size screen) {
  return assemble(brush, parts_of(brush, screen), screen);
}

}  // namespace dictum::tui
