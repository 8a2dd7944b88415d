#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "tui/drawing.hpp"
#include "tui/visible.hpp"

/// What stands beside the transcript, or below it where there is no room: status, notes, notices; and the keys.
namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

Role role_of(WorkerState state) {
  switch (state) {
    case WorkerState::busy:
      return Role::accent;
    case WorkerState::ready:
      return Role::good;
    case WorkerState::failed:
      return Role::failure;
    case WorkerState::starting:
    case WorkerState::stopped:
      break;
  }
  return Role::dim;
}

std::size_t kept_lines(const Model& model) {
  return static_cast<std::size_t>(std::ranges::count_if(model.lines, [&](const auto& line) {
    return line->session == model.session && line->state != Line::State::discarded;
  }));
}

std::string queue_text(const Model& model) {
  if (model.queued == 0) return "empty";
  return fmt::format("{} waiting, oldest {}", model.queued, seconds(model.oldest_queued));
}

/// "whisper.cpp 1.9.3, base-q8_0, en"; what is not known is left out.
std::string engine_text(const Model& model) {
  std::string text = model.engine;
  for (const std::string& part : {model.model, model.language}) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string counted(std::size_t number, std::string_view many) {
  return number == 0 ? fmt::format("no {}", many)
                     : fmt::format("{} {}", number, many.substr(0, many.size() - (number == 1 ? 1 : 0)));
}

Elements rows_of(const Brush& brush, std::string_view shown, int width, std::size_t most, Role role) {
  Elements rows;
  const auto all = wrapped(shown, width);
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
    std::string row(shown.substr(all[i].begin, all[i].end - all[i].begin));
    if (i + 1 == most && all.size() > most) row = clipped(row + " …", width);
    rows.push_back(words(brush, row, role));
  }
  return rows;
}

constexpr std::size_t kNoticeRows = 3;  // of the newest one, where there is one column

struct Mark {
  std::string_view glyph;
  Role role;
};

Mark mark(Weight weight) {
  switch (weight) {
    case Weight::information:
      return {"•", Role::accent};
    case Weight::warning:
      return {"▲", Role::warning};
    case Weight::failure:
      break;
  }
  return {"✗", Role::failure};
}

std::string times(const Notice& notice) {
  return notice.times > 1 ? fmt::format("  ×{}", notice.times) : "";
}

std::string open_title(const Model& model) {
  return model.open_note->title ? visible(*model.open_note->title) : "title?";
}

}  // namespace

Element draw_status_lines(const Brush& brush, int width) {
  const Model& model = brush.model;
  const int room = width - 10;
  const auto row = [&](std::string_view name, Element shown) {
    return hbox({words(brush, fmt::format("{:<10}", name), Role::dim), std::move(shown)});
  };
  Element workers = words(brush, "none yet", Role::dim);
  if (!model.workers.empty()) {
    Elements parts;
    int left = room;
    for (const auto& [name, worker] : model.workers) {
      const std::string shown = fmt::format("{} {}", visible(name), to_string(worker.state));
      if (left <= 4) break;
      parts.push_back(words(brush, clipped((parts.empty() ? "" : ", ") + shown, left), role_of(worker.state)));
      left -= cells(shown) + 2;
    }
    workers = hbox(std::move(parts));
  }
  const std::size_t failed = model.failed();
  return vbox({
      row("session", model.session.empty() ? words(brush, "none yet", Role::dim) : foreign(brush, model.session, room)),
      row("segments", hbox({words(brush, std::to_string(kept_lines(model))),
                            words(brush, failed > 0 ? fmt::format("  {} without text", failed) : "", Role::failure)})),
      row("engine",
          engine_text(model).empty() ? words(brush, "none yet", Role::dim) : foreign(brush, engine_text(model), room)),
      row("speech", foreign(brush, model.privacy, room, Role::dim)),
      row("queue", words(brush, queue_text(model), model.queued > 0 ? Role::accent : Role::text)),
      row("workers", std::move(workers)),
      row("gaps", words(brush, std::to_string(model.gaps), model.gaps > 0 ? Role::warning : Role::text)),
      row("faults", words(brush, std::to_string(model.faults), model.faults > 0 ? Role::warning : Role::text)),
  });
}

Element draw_status_line(const Brush& brush, int width) {
  const Model& model = brush.model;
  struct Part {
    std::string shown;
    Role role;
  };
  std::vector<Part> parts;
  const auto part = [&parts](std::string shown, Role role) { parts.push_back({std::move(shown), role}); };
  if (!model.session.empty()) part(visible(model.session), Role::dim);
  part(count(kept_lines(model), "segment", "segments"), Role::dim);
  if (const auto failed = model.failed(); failed > 0) part(fmt::format("{} without text", failed), Role::failure);
  if (!engine_text(model).empty()) part(visible(engine_text(model)), Role::dim);
  if (model.queued > 0) {
    part(fmt::format("{} queued", model.queued), Role::accent);
  } else {
    part("queue empty", Role::dim);
  }
  part(counted(model.gaps, "gaps"), model.gaps > 0 ? Role::warning : Role::dim);
  part(counted(model.faults, "faults"), model.faults > 0 ? Role::warning : Role::dim);
  for (const auto& [name, worker] : model.workers) {
    part(fmt::format("{} {}", visible(name), to_string(worker.state)), role_of(worker.state));
  }

  // Where there is too little room, what is as usual goes first.
  static constexpr std::string_view kBetween = " · ";
  const auto too_wide = [&] {
    int sum = -cells(kBetween);
    for (const Part& each : parts) sum += cells(each.shown) + cells(kBetween);
    return sum > width;
  };
  const auto is_usual = [](const Part& each) { return each.role == Role::dim || each.role == Role::good; };
  while (too_wide()) {
    const auto usual = std::ranges::find_if(parts.rbegin(), parts.rend(), is_usual);
    parts.erase(usual == parts.rend() ? parts.end() - 1 : std::next(usual).base());
  }
  Elements line;
  for (const Part& each : parts) {
    if (!line.empty()) line.push_back(words(brush, kBetween, Role::quiet));
    line.push_back(words(brush, each.shown, each.role));
  }
  return hbox(std::move(line));
}

Element draw_notes(const Brush& brush, Size size) {
  const Model& model = brush.model;
  Elements rows;
  const auto room = static_cast<std::size_t>(std::max(size.height, 1));
  if (model.open_note) {
    rows.push_back(hbox({words(brush, "✎ ", Role::accent),
                         words(brush, clipped(open_title(model), size.width - 2), Role::accent) | bold}));
    const std::string body = visible(model.open_note_text()) + " …";
    // Its end is what is being said.
    const auto all = wrapped(body, size.width - 2);
    const std::size_t most = model.notes.empty() ? room - 1 : std::max<std::size_t>(room / 2, 2);
    const std::size_t first = all.size() > most ? all.size() - most : 0;
    for (std::size_t i = first; i < all.size(); ++i) {
      const std::string_view before = i == first && first > 0 ? "… " : "  ";
      rows.push_back(
          hbox({words(brush, before, Role::dim), words(brush, body.substr(all[i].begin, all[i].end - all[i].begin))}));
    }
  }
  for (const Note& note : model.notes | std::views::reverse) {
    if (rows.size() >= room) break;
    if (!rows.empty()) rows.push_back(text(""));
    rows.push_back(hbox({words(brush, note.cancelled ? "✗ " : "✓ ", note.cancelled ? Role::dim : Role::good),
                         foreign(brush, note.title, size.width - 2, note.cancelled ? Role::dim : Role::text) | bold}));
    for (auto& row : rows_of(brush, visible(note.text), size.width - 2, 3, Role::dim)) {
      rows.push_back(hbox({text("  "), std::move(row)}));
    }
  }
  if (rows.empty()) rows = rows_of(brush, way_to_begin_note(model), size.width, room, Role::quiet);
  return sized(vbox(std::move(rows)), size);
}

Element draw_note_line(const Brush& brush, int width) {
  const Model& model = brush.model;
  if (!model.open_note) {
    if (model.notes.empty()) return emptyElement();
    const Note& note = model.notes.back();
    const std::string title = clipped(visible(note.title), width / 3);
    return hbox({words(brush, note.cancelled ? "✗ " : "✓ ", note.cancelled ? Role::dim : Role::good),
                 words(brush, title) | bold,
                 words(brush, "  " + clipped(visible(note.text), width - 4 - cells(title)), Role::dim)});
  }
  const std::string title = clipped(open_title(model), width / 3);
  const std::string body = tail(visible(model.open_note_text()), width - 4 - cells(title));
  return hbox({words(brush, "✎ ", Role::accent), words(brush, title, Role::accent) | bold, words(brush, "  " + body)});
}

Element draw_notices(const Brush& brush, Size size) {
  Elements rows;
  const auto room = static_cast<std::size_t>(std::max(size.height, 1));
  for (const Notice& notice : brush.model.notices | std::views::reverse) {
    if (rows.size() >= room) break;
    const Mark marked = mark(notice.weight);
    const std::string shown = time_of_day(brush.model, notice.at) + times(notice) + "  " + visible(notice.text);
    bool is_first = true;
    for (auto& row : rows_of(brush, shown, size.width - 2, 3, Role::text)) {
      rows.push_back(
          hbox({is_first ? words(brush, std::string(marked.glyph) + " ", marked.role) : text("  "), std::move(row)}));
      is_first = false;
    }
  }
  if (rows.empty()) rows.push_back(words(brush, "nothing to report", Role::quiet));
  return sized(vbox(std::move(rows)), size);
}

Element draw_notice_line(const Brush& brush, int width) {
  if (brush.model.notices.empty()) return emptyElement();
  const Notice& notice = brush.model.notices.back();
  const Mark marked = mark(notice.weight);
  const std::size_t more = brush.model.notices.size() - 1;
  const std::string rest = times(notice) + (more > 0 ? fmt::format("  +{} more", more) : "");
  // A fault ends with its remedy, so it stands whole.
  Elements rows = rows_of(brush, visible(notice.text), width - 2 - cells(rest), kNoticeRows, Role::text);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool is_first = i == 0;
    rows[i] = hbox({is_first ? words(brush, std::string(marked.glyph) + " ", marked.role) : text("  "),
                    std::move(rows[i]), words(brush, is_first ? rest : "", Role::dim)});
  }
  return vbox(std::move(rows));
}

Element draw_footer(const Brush& brush, int width) {
  // Help and quit are always there, and what helps after a failure; the others as far as there is room.
  Elements line;
  const auto hint = [&](Action action) {
    std::string_view word = info(action).hint;
    if (action == Action::record && brush.model.is_recording()) word = "stop";
    if (action == Action::pause && brush.model.state == RecordingState::paused) word = "go on";
    if (action == Action::mute && brush.model.muted) word = "unmute";
    if (action == Action::long_note && brush.model.mode == VADMode::long_note) word = "normal";
    return std::pair(key_label(brush.keys.key(action)), std::string(word));
  };
  const auto cells_of = [&](Action action) {
    const auto [key, word] = hint(action);
    return cells(key) + 1 + cells(word) + 2;
  };
  const auto is_wanted = [&](Action action) {
    if (action == Action::clear) return !brush.model.notices.empty();
    const bool needs_recording =
        action == Action::pause || action == Action::long_note || action == Action::end_note || action == Action::mute;
    if (needs_recording) return brush.model.is_recording();
    return action != Action::retry && action != Action::help && action != Action::quit;
  };
  std::vector<Action> last{Action::help, Action::quit};
  if (brush.model.failed() > 0) last.insert(last.begin(), Action::retry);
  int left = width + 2;
  for (const Action action : last) left -= cells_of(action);
  std::vector<Action> shown;
  for (const auto& each : actions()) {
    if (!is_wanted(each.action) || cells_of(each.action) > left) continue;
    left -= cells_of(each.action);
    shown.push_back(each.action);
  }
  shown.insert(shown.end(), last.begin(), last.end());
  for (const Action action : shown) {
    const auto [key, word] = hint(action);
    line.push_back(hbox({words(brush, key, Role::accent) | bold, words(brush, " " + word, Role::dim)}) |
                   brush.targets.add(action));
    if (action != shown.back()) line.push_back(text("  "));
  }
  return hbox(std::move(line));
}

}  // namespace dictum::tui
