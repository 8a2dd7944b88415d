#pragma once

#include <map>
#include <string>
#include <vector>

#include "dictum/event.hpp"
#include "dictum/transcriber.hpp"

namespace dictum::recorder {

/// Fixed corrections of texts: whole words, without case, longest first; what a correction wrote is not corrected
/// again. Immutable once built, so safe from any thread. Never fails.
class Replacements {
 public:
  /// What is written, and what is meant.
  explicit Replacements(const std::map<std::string, std::string>& table);

  /// Corrects `outcome.text`, and its words where they agree with it; a word's time goes to what stands in its place.
  /// Returns what was corrected, in order.
  std::vector<Replacement> apply(TranscriptionOutcome& outcome) const;

 private:
  struct Entry {
    std::vector<std::string> words;  // folded
    std::string meant;
  };
  const Entry* entry_at(const std::vector<std::string>& words, std::size_t first) const;

  std::vector<Entry> entries_;  // longest first
};

}  // namespace dictum::recorder
