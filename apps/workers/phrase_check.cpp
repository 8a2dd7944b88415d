#include "phrase_check.hpp"

#include <cctype>

namespace dictum::workers {
namespace {

constexpr std::size_t kMaxPromptBytes = 700;  // of the 224 tokens that Whisper reads: phrases are made of short words

notes::NotePhrases matched(const std::vector<std::string>& phrases) {
  auto matched = notes::NotePhrases::english();
  const notes::PhraseMatcher english(matched);
  for (auto* list : {&matched.start, &matched.end, &matched.cancel, &matched.scratch, &matched.stop}) list->clear();
  for (const std::string& phrase : phrases) {
    const auto command = english.command_of(phrase);
    if (!command || command == NoteCommand::start) matched.start.push_back(phrase);
    if (!command || command == NoteCommand::end) matched.end.push_back(phrase);
    if (command == NoteCommand::cancel) matched.cancel.push_back(phrase);
    if (command == NoteCommand::scratch) matched.scratch.push_back(phrase);
    if (command == NoteCommand::stop) matched.stop.push_back(phrase);
  }
  return matched;
}

/// Whisper continues the style of its prompt: sentences, so that it goes on writing capitals and full stops.
std::string sentences(const std::vector<std::string>& phrases) {
  std::string text;
  for (const std::string& phrase : phrases) {
    if (phrase.empty()) continue;
    if (text.size() + phrase.size() + 2 > kMaxPromptBytes) break;
    if (!text.empty()) text += ' ';
    const auto first = static_cast<unsigned char>(phrase.front());
    text += first < 0x80 ? static_cast<char>(std::toupper(first)) : phrase.front();
    text += phrase.substr(1);
    text += '.';
  }
  return text;
}

}  // namespace

PhraseCheck::PhraseCheck(const std::vector<std::string>& phrases)
    : matcher_(matched(phrases)), prompt_(sentences(phrases)) {}

bool PhraseCheck::is_worthwhile(std::string_view text) const {
  return matcher_.near(text).has_value();
}

std::vector<DetectedPhrase> PhraseCheck::confirmed(std::string_view text, std::string_view second,
                                                   const WorkerAudio& audio) const {
  const auto match = matcher_.confirmed(text, second);
  if (!match) return {};
  return {{match->phrase, notes::kConfirmedPhrase, audio.first_frame, audio.first_frame + audio.frames}};
}

}  // namespace dictum::workers
