#include "base/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace dictum {
namespace {

std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (from[i] == to[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view wanted, const std::vector<std::string>& words) {
  const auto found = std::ranges::min_element(words, {}, [&](const std::string& word) { return edits(wanted, word); });
  return found == words.end() ? std::string() : *found;
}

std::string near(std::string_view wanted, const std::vector<std::string>& words) {
  std::string found = nearest(wanted, words);
  const std::size_t most = std::max<std::size_t>(2, wanted.size() / 3);
  return edits(wanted, found) <= most ? found : std::string();
}

}  // namespace dictum
