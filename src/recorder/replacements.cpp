#include "recorder/replacements.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "text/words.hpp"

namespace dictum::recorder {
namespace {

std::vector<std::string> folded_words(std::string_view text, const std::vector<text::Piece>& pieces) {
  std::vector<std::string> words;
  words.reserve(pieces.size());
  for (const text::Piece& piece : pieces) words.push_back(text::folded(piece.of(text)));
  return words;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// What stands between white space.
std::vector<text::Piece> spaced(std::string_view text) {
  std::vector<text::Piece> pieces;
  for (std::size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    pieces.push_back({begin, at});
  }
  return pieces;
}

/// Bytes [begin, end) of the former text become `meant`.
struct Edit {
  std::size_t begin{};
  std::size_t end{};
  std::string_view meant;
};

std::string edited(std::string_view text, const std::vector<Edit>& edits) {
  std::string result;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    result += text.substr(at, edit.begin - at);
    result += edit.meant;
    at = edit.end;
  }
  return result += text.substr(at);
}

/// `words` are those of `text`, one for each piece between white space. Those that an edit touches share their time
/// out.
std::vector<Word> edited_words(std::string_view text, const std::vector<Edit>& edits, const std::vector<Word>& words) {
  const auto pieces = spaced(text);
  std::vector<Word> result;
  auto edit = edits.begin();
  for (std::size_t i = 0; i < pieces.size();) {
    while (edit != edits.end() && edit->end <= pieces[i].begin) ++edit;
    if (edit == edits.end() || edit->begin >= pieces[i].end) {
      result.push_back(words[i++]);
      continue;
    }
    // Every piece that the edits here touch, and what else stands in those.
    const std::size_t first = i;
    std::vector<Edit> here;
    std::size_t last = i;
    for (; edit != edits.end() && edit->begin < pieces[last].end; ++edit) {
      while (last + 1 < pieces.size() && pieces[last + 1].begin < edit->end) ++last;
      here.push_back({edit->begin - pieces[first].begin, edit->end - pieces[first].begin, edit->meant});
    }
    i = last + 1;
    const std::string said = edited(text.substr(pieces[first].begin, pieces[last].end - pieces[first].begin), here);
    const auto parts = spaced(said);
    const Frame begin = words[first].start_frame;
    const Frame length = words[last].end_frame - begin;
    double confidence = 1;
    for (std::size_t k = first; k <= last; ++k) confidence = std::min(confidence, words[k].confidence);
    const auto count = static_cast<Frame>(parts.size());
    for (Frame k = 0; k < count; ++k) {
      result.push_back({std::string(parts[static_cast<std::size_t>(k)].of(said)), begin + length * k / count,
                        begin + length * (k + 1) / count, confidence});
    }
  }
  return result;
}

}  // namespace

Replacements::Replacements(const std::map<std::string, std::string>& table) {
  for (const auto& [written, meant] : table) {
    auto words = folded_words(written, text::words(written));
    if (!words.empty()) entries_.push_back({std::move(words), meant});
  }
  std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
    return a.words.size() != b.words.size() ? a.words.size() > b.words.size() : a.words < b.words;
  });
}

const Replacements::Entry* Replacements::entry_at(const std::vector<std::string>& words, std::size_t first) const {
  for (const Entry& entry : entries_) {
    if (entry.words.size() > words.size() - first) continue;
    if (std::equal(entry.words.begin(), entry.words.end(), words.begin() + static_cast<std::ptrdiff_t>(first)))
      return &entry;
  }
  return nullptr;
}

std::vector<Replacement> Replacements::apply(TranscriptionOutcome& outcome) const {
  if (entries_.empty() || outcome.text.empty()) return {};
  const std::string_view text = outcome.text;
  const auto pieces = text::words(text);
  const auto words = folded_words(text, pieces);
  std::vector<Edit> edits;
  std::vector<Replacement> made;
  for (std::size_t i = 0; i < words.size();) {
    const Entry* const entry = entry_at(words, i);
    if (entry == nullptr) {
      ++i;
      continue;
    }
    const std::size_t last = i + entry->words.size() - 1;
    i = last + 1;
    const text::Piece written{pieces[last + 1 - entry->words.size()].begin, pieces[last].end};
    if (written.of(text) == entry->meant) continue;
    edits.push_back({written.begin, written.end, entry->meant});
    made.push_back({std::string(written.of(text)), entry->meant});
  }
  if (edits.empty()) return {};
  if (outcome.words.size() == spaced(text).size()) outcome.words = edited_words(text, edits, outcome.words);
  outcome.text = edited(text, edits);
  return made;
}

}  // namespace dictum::recorder
