#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "tui/page_action.hpp"
#include "tui/page_parts.hpp"
#include "tui/visible.hpp"

/// The pages of what was recorded: sessions, one of them, notes, and what is asked before something is done with them.
namespace dictum::tui {

using namespace ftxui;  // NOLINT(google-build-using-namespace)

namespace {

constexpr int kDetailRows = 6;             // of the selected text, with the line above it
constexpr int kLeastHeightForDetail = 11;  // of a body

std::string name_of(const std::filesystem::path& session) {
  return visible(session.filename().string());
}

/// The index of what is selected in the list of the model; empty where nothing is shown.
std::optional<std::size_t> selected_item(const Brush& brush, const std::vector<std::size_t>& rows) {
  if (rows.empty()) return std::nullopt;
  return rows[std::min(brush.view.selected, rows.size() - 1)];
}

std::string nothing_matches(const Brush& brush) {
  return fmt::format("Nothing here has “{}”.", visible(brush.view.filter.words.text()));
}

Element session_row(const Brush& brush, const SessionEntry& entry, int width, bool selected) {
  const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
  const std::string when = entry.started_at ? date_and_time(brush.model, *entry.started_at) : visible(entry.name);
  const std::string notes = entry.notes > 0 ? fmt::format("{}", entry.notes) : "";
  const std::string head =
      fmt::format("{:<16}  {:>8}  {:>8}  {:>5}  ", clipped(when, 16), duration(entry.duration), entry.segments, notes);
  const int room = width - cells(head);
  Element rest = !entry.problem.empty() ? foreign(brush, entry.problem, room, role(Role::failure))
                 : entry.is_open        ? foreign(brush, "(open) " + entry.first_text, room, role(Role::accent))
                                        : foreign(brush, entry.first_text, room, role(Role::dim));
  return hbox({words(brush, head), std::move(rest)});
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

Element passage_row(const Brush& brush, const Passage& passage, int width, bool selected) {
  const bool plays = brush.model.playing && brush.model.playing->session == brush.view.session &&
                     brush.model.playing->segment == passage.segment;
  const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
  const std::string title =
      passage.begins_note ? clipped(visible(passage.note), std::max(width / 3, 8)) + ": " : std::string();
  return hbox({words(brush, plays ? "▶ " : "  ", role(Role::good)),
               words(brush, fmt::format("{:>8} ", duration(passage.position)), role(Role::dim)),
               words(brush, passage.note.empty() ? "  " : "✎ ", role(Role::accent)),
               words(brush, title, role(Role::accent)),
               foreign(brush, passage.text, width - 13 - cells(title), role(role_of(passage.state)))});
}

/// The selected text as a whole, with what is known of it.
Element passage_detail(const Brush& brush, const Passage& passage, Size size) {
  std::string about = fmt::format("segment {}", passage.segment);
  if (!passage.note.empty()) about += fmt::format(", note “{}”", visible(passage.note));
  if (passage.is_edited) about += ", corrected by hand";
  return vbox({ruled(brush, size.width, clipped(about, size.width - 8)),
               message(brush, {size.width, size.height - 1}, visible(passage.text), role_of(passage.state))});
}

}  // namespace

PageParts sessions_page(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const auto& all = brush.model.sessions;
    if (!all) return message(brush, size, "Looking for sessions…");
    if (all->empty()) return message(brush, size, "There are no sessions yet.");
    const auto rows = shown_rows(brush.model, brush.view);
    if (rows.empty()) return message(brush, size, nothing_matches(brush));
    const std::string heading =
        fmt::format("{:<16}  {:>8}  {:>8}  {:>5}  {}", "begun", "length", "segments", "notes", "begins with");
    return vbox({words(brush, heading, Role::heading),
                 list(brush, {size.width, size.height - 1}, rows.size(), [&](std::size_t i, bool selected) {
                   return session_row(brush, (*all)[rows[i]], size.width, selected);
                 })});
  };
  return {"Sessions", large(screen), body, page_hints(brush)};
}

PageParts reading_page(const Brush& brush, Size screen) {
  const auto& open = brush.model.open_session;
  const bool is_here = open && open->path == brush.view.session;
  const auto body = [&brush, is_here](Size size) {
    if (!is_here) return message(brush, size, "Reading…");
    const auto& passages = brush.model.open_session->passages;
    if (passages.empty()) return message(brush, size, "Nothing was said in this session.");
    const auto rows = shown_rows(brush.model, brush.view);
    const auto chosen = selected_item(brush, rows);
    if (!chosen) return message(brush, size, nothing_matches(brush));
    const bool has_detail = size.height >= kLeastHeightForDetail;
    const int detail = has_detail ? kDetailRows : 0;
    Element all = list(brush, {size.width, size.height - detail}, rows.size(), [&](std::size_t i, bool selected) {
      return passage_row(brush, passages[rows[i]], size.width, selected);
    });
    if (!has_detail) return all;
    return vbox({std::move(all), passage_detail(brush, passages[*chosen], {size.width, detail})});
  };
  return {is_here ? fmt::format("Session {}", visible(open->name)) : "Session", large(screen), body, page_hints(brush)};
}

/// The list, and below it the note that is selected, whole as far as there is room.
PageParts notes_page(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const auto& all = brush.model.stored_notes;
    if (!all) return message(brush, size, "Looking for notes…");
    if (all->empty()) return message(brush, size, "There are no notes yet. " + way_to_begin_note(brush.model));
    const auto rows = shown_rows(brush.model, brush.view);
    const auto at = selected_item(brush, rows);
    if (!at) return message(brush, size, nothing_matches(brush));
    const Size upper{size.width, std::max(size.height / 2 - 1, 1)};
    const Size below{size.width, std::max(size.height - upper.height - 1, 1)};
    const StoredNote& chosen = (*all)[*at];
    return vbox({list(brush, upper, rows.size(),
                      [&](std::size_t i, bool selected) {
                        const StoredNote& note = (*all)[rows[i]];
                        const auto role = [&](Role wanted) { return selected ? Role::text : wanted; };
                        const std::string when = fmt::format("{:<18}", date_and_time(brush.model, note.said_at));
                        return hbox({words(brush, when, role(Role::dim)),
                                     foreign(brush, note.title, size.width - cells(when), role(Role::text))});
                      }),
                 ruled(brush, size.width, clipped(visible(chosen.title), size.width - 8)),
                 message(brush, below, visible(chosen.text))});
  };
  return {"Notes", large(screen), body, page_hints(brush)};
}

PageParts exporting_page(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    return list(brush, size, export_formats().size(), [&](std::size_t i, bool selected) {
      const auto& format = export_formats()[i];
      return hbox({words(brush, fmt::format(" {:<6}", format.ending), selected ? Role::text : Role::accent),
                   words(brush, format.help, selected ? Role::text : Role::dim)});
    });
  };
  return {fmt::format("Export {}", name_of(brush.view.session)),
          {std::min(62, screen.width), std::min(static_cast<int>(export_formats().size()) + 4, screen.height)},
          body,
          page_hints(brush)};
}

/// The text is wrapped as it is typed; the row with the cursor is always in sight.
PageParts editing_page(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const std::string before = visible(brush.view.edited.before_cursor());
    const std::string shown = before + "▏" + visible(brush.view.edited.behind_cursor());
    const auto all = wrapped(shown, size.width);
    const auto room = static_cast<std::size_t>(std::max(size.height, 1));
    const auto with_cursor = static_cast<std::size_t>(
        std::ranges::find_if(all, [&](const Row& row) { return row.end > before.size(); }) - all.begin());
    const std::size_t first = with_cursor >= room ? with_cursor - room + 1 : 0;
    Elements rows;
    for (std::size_t i = first; i < std::min(first + room, all.size()); ++i) {
      rows.push_back(words(brush, shown.substr(all[i].begin, all[i].end - all[i].begin)));
    }
    return vbox(std::move(rows));
  };
  return {fmt::format("Correct segment {} of {}", brush.view.segment, name_of(brush.view.session)),
          {std::min(100, screen.width), std::min(12, screen.height)},
          body,
          page_hints(brush, "leave it as it was")};
}

PageParts deleting_page(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    std::string question =
        fmt::format("Delete {} for good, with its sound, texts and notes?", name_of(brush.view.session));
    if (const SessionEntry* entry = brush.model.find_session(brush.view.session)) {
      question += fmt::format(" It has {} of sound, {} and {}.", duration(entry->duration),
                              count(entry->segments, "segment", "segments"), count(entry->notes, "note", "notes"));
      if (!entry->first_text.empty()) question += fmt::format(" It begins with: {}", visible(entry->first_text));
    }
    return message(brush, size, question, Role::text);
  };
  return {
      "Delete a session", {std::min(66, screen.width), std::min(9, screen.height)}, body, page_hints(brush, "keep it")};
}

PageParts redoing_page(const Brush& brush, Size screen) {
  const auto body = [&brush](Size size) {
    const std::string with =
        brush.model.transcriber.empty() ? "" : fmt::format(" with {}", visible(brush.model.transcriber));
    return message(brush, size,
                   fmt::format("Transcribe {} again{}? The texts that it has are kept as older revisions, and what was "
                               "corrected by hand stays. {}",
                               name_of(brush.view.session), with, visible(brush.model.privacy)),
                   Role::text);
  };
  return {"Transcribe a session again",
          {std::min(66, screen.width), std::min(9, screen.height)},
          body,
          page_hints(brush, "leave it")};
}

}  // namespace dictum::tui
