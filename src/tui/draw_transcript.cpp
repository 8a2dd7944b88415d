#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "tui/drawing.hpp"
#include "tui/visible.hpp"

/// The transcript: a line a segment, wrapped, the newest at the bottom.
namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int kLatencyCells = 8;

struct Mark {
  std::string_view glyph;
  Role role;
};

Mark mark(const Line& line) {
  switch (line.state) {
    case Line::State::listening:
      return {"●", Role::failure};
    case Line::State::recorded:
      return {"○", Role::dim};
    case Line::State::waiting:
      return {"◌", Role::accent};
    case Line::State::failed:
      return {"✗", Role::failure};
    case Line::State::discarded:
      return {"·", Role::dim};
    case Line::State::done:
      break;
  }
  if (line.suspect) return {"?", Role::warning};
  return line.command ? Mark{"✎", Role::accent} : Mark{"✓", Role::good};
}

/// What stands in the line, in two looks: what is certain, and what is not.
struct Said {
  std::string sure;
  std::string unsure;
  Role sure_role = Role::text;
  Role unsure_role = Role::interim;
};

Said said(const Brush& brush, const Line& line) {
  const auto interim = [&](std::string_view otherwise) {
    const std::size_t stable = std::min(line.stable_bytes, line.text.size());
    Said all;
    all.sure = visible(std::string_view(line.text).substr(0, stable));
    all.unsure =
        line.text.empty() ? std::string(otherwise) : visible(std::string_view(line.text).substr(stable)) + " …";
    return all;
  };
  switch (line.state) {
    case Line::State::listening:
      return interim("listening…");
    case Line::State::recorded:
      return interim("recorded");
    case Line::State::waiting:
      return interim("transcribing…");
    case Line::State::discarded:
      return {"", "too short to keep"};
    case Line::State::failed:
      return {fmt::format("no text ({} tries again): ", key_label(brush.keys.key(Action::retry))), visible(line.text),
              Role::failure, Role::dim};
    case Line::State::done:
      break;
  }
  if (line.text.empty()) return {"", "nothing was understood"};
  return {visible(line.text), "", line.command ? Role::accent : Role::text};
}

Elements rows_of(const Brush& brush, const Line& line, int width) {
  const bool is_narrow = width < 70;
  std::string time = time_of_day(brush.model, line.began);
  if (is_narrow) time.resize(5);
  const int before = 2 + cells(time) + 2;
  const int room = std::max(width - before - kLatencyCells, 4);
  const Mark marked = mark(line);
  const Said all = said(brush, line);
  const std::string whole = all.sure + all.unsure;
  const bool is_failed = line.state == Line::State::failed;
  Elements rows;
  for (const Row& row : wrapped(whole, room)) {
    const std::size_t border = std::clamp(all.sure.size(), row.begin, row.end);
    Element shown = hbox({words(brush, whole.substr(row.begin, border - row.begin), all.sure_role),
                          words(brush, whole.substr(border, row.end - border), all.unsure_role)});
    if (is_failed) shown = std::move(shown) | brush.targets.add(Action::retry);
    const bool is_first = rows.empty();
    rows.push_back(hbox({
        is_first ? hbox({words(brush, marked.glyph, marked.role), text(" "), words(brush, time, Role::dim), text("  ")})
                 : text(std::string(static_cast<std::size_t>(before), ' ')),
        std::move(shown) | size(WIDTH, EQUAL, room),
        words(brush, fmt::format("{:>{}}", is_first ? latency(brush.model, line) : "", kLatencyCells), Role::dim),
    }));
  }
  return rows;
}

Element session_row(const Brush& brush, std::string_view session, int width) {
  return ruled(brush, width, clipped(visible(session), width - 8));
}

Element welcome(const Brush& brush, Size size) {
  if (brush.model.is_recording()) {
    return sized(
        vbox({filler(), hbox({filler(), words(brush, "Speak when you like.", Role::dim), filler()}), filler()}), size);
  }
  const std::string key = key_label(brush.keys.key(Action::record));
  return sized(
      vbox({filler(),
            hbox({filler(), words(brush, "Press ", Role::dim), words(brush, key, Role::accent) | bold,
                  words(brush, " and speak.", Role::dim), filler()}),
            hbox({filler(), foreign(brush, brush.model.privacy, size.width, Role::quiet), filler()}), filler()}),
      size);
}

}  // namespace

std::string latency(const Model& model, const Line& line) {
  switch (line.state) {
    case Line::State::done:
      return seconds(line.latency);
    case Line::State::waiting:
      return seconds(std::max(0.0, model.now - line.ended));
    case Line::State::listening:
      return duration(std::max(0.0, model.now - line.began));
    default:
      return "";
  }
}

Corner transcript_corner(const Brush& brush) {
  if (!brush.view.anchor) return {words(brush, "following", Role::dim), 9};
  const std::size_t newer = brush.model.lines.size() - 1 - std::min(*brush.view.anchor, brush.model.lines.size() - 1);
  const std::string shown = fmt::format("↓ {} newer, END", newer);
  return {words(brush, shown, Role::accent) | brush.targets.add(KeyTarget{"end"}), cells(shown)};
}

Element draw_transcript(const Brush& brush, Size size) {
  const auto& lines = brush.model.lines;
  if (lines.empty()) return welcome(brush, size);
  const auto room = static_cast<std::size_t>(std::max(size.height, 1));
  const auto with_heading = [&](std::size_t i) {
    Elements rows;
    const bool begins = i > 0 ? lines[i]->session != lines[i - 1]->session : false;
    if (begins) rows.push_back(session_row(brush, lines[i]->session, size.width));
    for (auto& row : rows_of(brush, *lines[i], size.width)) rows.push_back(std::move(row));
    return rows;
  };
  // From the bottom up, and only what is seen, however long the day was.
  const std::size_t last = brush.view.anchor ? std::min(*brush.view.anchor, lines.size() - 1) : lines.size() - 1;
  std::deque<Element> shown;
  for (std::size_t i = last + 1; i-- > 0 && shown.size() < room;) {
    Elements rows = with_heading(i);
    shown.insert(shown.begin(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }
  for (std::size_t i = last + 1; i < lines.size() && shown.size() < room; ++i) {
    for (auto& row : with_heading(i)) {
      if (shown.size() < room) shown.push_back(std::move(row));
    }
  }
  const std::size_t skipped = shown.size() > room ? shown.size() - room : 0;
  Elements rows(std::make_move_iterator(shown.begin() + static_cast<std::ptrdiff_t>(skipped)),
                std::make_move_iterator(shown.end()));
  return sized(vbox(std::move(rows)), size);
}

}  // namespace dictum::tui
