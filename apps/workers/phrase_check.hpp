#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dictum/transcriber.hpp"
#include "notes/phrase_matcher.hpp"
#include "worker_audio.hpp"

namespace dictum::workers {

/// Finds the phrases of a job that its text only sounds like, and confirms them with a second decoding whose prompt the
/// phrases are ("Verification" of PhraseMatcher). Immutable once built; nothing fails.
///
/// A job names phrases and not what they mean: those that are English commands of notes are compared as such, and any
/// other may stand at the beginning and at the end. Whether a phrase means anything where it stands is up to the note
/// dialogue, which compares the text with it once more.
class PhraseCheck {
 public:
  explicit PhraseCheck(const std::vector<std::string>& phrases);

  /// Whether `text` sounds like a phrase that it does not have: worth a second decoding. Few texts do.
  bool is_worthwhile(std::string_view text) const;

  /// The prompt of the second decoding: the phrases as sentences.
  const std::string& prompt() const { return prompt_; }

  /// The phrase that both texts speak for, at most one, over the whole of `audio`.
  std::vector<DetectedPhrase> confirmed(std::string_view text, std::string_view second, const WorkerAudio& audio) const;

 private:
  notes::PhraseMatcher matcher_;
  std::string prompt_;
};

}  // namespace dictum::workers
