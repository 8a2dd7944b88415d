#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "text/words.hpp"
#include "tui/times.hpp"
#include "tui/view.hpp"

namespace dictum::tui {
namespace {

/// What a person sees of a row, to be found by.
std::string text_of(const Model& model, const SessionEntry& entry) {
  const std::string when = entry.started_at ? date_and_time(model, *entry.started_at) : "";
  return when + " " + entry.name + " " + entry.first_text + " " + entry.problem;
}

std::string text_of(const Model& model, const StoredNote& note) {
  return date_and_time(model, note.said_at) + " " + note.title + " " + note.text;
}

std::string text_of(const Model&, const Passage& passage) {
  return passage.text + " " + passage.note;
}

std::vector<std::string> words_of(const std::string& folded) {
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin < folded.size();) {
    const std::size_t end = std::min(folded.find(' ', begin), folded.size());
    if (end > begin) all.push_back(folded.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

std::vector<std::size_t> every_row(std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

template <class Item>
std::vector<std::size_t> rows_of(const Model& model, const Filter& filter, const std::vector<Item>& items) {
  const auto words = words_of(text::folded(filter.words.text()));
  if (words.empty()) return every_row(items.size());
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string shown = text::folded(text_of(model, items[i]));
    if (std::ranges::all_of(words, [&](const auto& word) { return shown.find(word) != std::string::npos; }))
      rows.push_back(i);
  }
  return rows;
}

}  // namespace

std::vector<std::size_t> shown_rows(const Model& model, const View& view) {
  switch (view.page) {
    case Page::devices:
      return every_row(model.devices ? model.devices->size() : 0);
    case Page::sessions:
      return model.sessions ? rows_of(model, view.filter, *model.sessions) : std::vector<std::size_t>{};
    case Page::notes:
      return model.stored_notes ? rows_of(model, view.filter, *model.stored_notes) : std::vector<std::size_t>{};
    case Page::reading:
      return model.open_session && model.open_session->path == view.session
                 ? rows_of(model, view.filter, model.open_session->passages)
                 : std::vector<std::size_t>{};
    case Page::exporting:
      return every_row(export_formats().size());
    case Page::search:
      return every_row(model.hits ? model.hits->size() : 0);
    case Page::main:
    case Page::help:
    case Page::editing:
    case Page::deleting:
    case Page::redoing:
    case Page::leaving:
      break;
  }
  return {};
}

}  // namespace dictum::tui
