#include "transcription/agreement.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "text/words.hpp"

namespace dictum::transcription {
namespace {

/// Where the words of `text` end, in bytes; the letters of a writing that has no spaces between words.
std::vector<std::size_t> word_ends(std::string_view text) {
  std::vector<std::size_t> ends;
  for (const text::Piece& term : text::index_terms(text)) ends.push_back(term.end);
  return ends;
}

/// `text` with its beginning replaced by `committed`, which has as many words.
std::string continued(std::string_view committed, std::string text) {
  const std::vector<std::size_t> ends = word_ends(text);
  if (text.starts_with(committed) && std::ranges::binary_search(ends, committed.size())) return text;
  const std::size_t count = word_ends(committed).size();
  const std::size_t replaced = count > ends.size() ? text.size() : count == 0 ? 0 : ends[count - 1];
  return std::string(committed) + text.substr(replaced);
}

}  // namespace

Agreement::Version Agreement::with_next(std::string text) {
  if (committed_ > 0) text = continued(std::string_view(last_).substr(0, committed_), std::move(text));
  const auto limit = static_cast<std::size_t>(std::ranges::mismatch(text, last_).in1 - text.begin());
  std::vector<std::size_t> ends;
  std::ranges::set_intersection(word_ends(text), word_ends(last_), std::back_inserter(ends));
  for (const std::size_t end : ends) {
    if (end <= limit) committed_ = std::max(committed_, end);
  }
  last_ = text;
  return {std::move(text), committed_};
}

}  // namespace dictum::transcription
