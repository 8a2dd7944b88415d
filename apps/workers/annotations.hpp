#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dictum::workers {

/// A word with its place in time, in seconds.
struct TimedWord {
  std::string text;
  double start{};
  double end{};
  double confidence{};  ///< 0 to 1
  bool operator==(const TimedWord&) const = default;
};

/// What an engine wrote, parted: what was said, and what it noted beside it.
struct PartedText {
  std::string text;
  std::vector<std::string> annotations;
  std::vector<TimedWord> words;  ///< those of `text`
};

/// Takes an engine's annotations out of a text: "[BLANK_AUDIO]", "(music)", "*coughs*" and musical notes; and, where
/// the audio is `silent`, what Whisper is known to write over silence ("Thanks for watching!"). Words in round brackets
/// or asterisks that name no sound are kept.
PartedText part_annotations(std::string_view text, std::vector<TimedWord> words, bool silent);

/// Moves the times within 0 to `seconds` and makes them monotone: no word ends before it starts, or starts before the
/// one ahead of it ends.
void straighten(std::vector<TimedWord>& words, double seconds);

}  // namespace dictum::workers
