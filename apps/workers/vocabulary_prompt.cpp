#include "vocabulary_prompt.hpp"

#include <string_view>

namespace dictum::workers {

std::string vocabulary_prompt(const std::vector<std::string>& terms, const std::string& context,
                              std::size_t max_bytes) {
  // Whisper continues the style of its prompt: a sentence, so that it goes on writing capitals and full stops.
  constexpr std::string_view kBegin = "Glossary: ";
  std::string prompt;
  for (const std::string& term : terms) {
    const std::string_view separator = prompt.empty() ? kBegin : ", ";
    if (prompt.size() + separator.size() + term.size() + 1 > max_bytes) break;
    prompt += separator;
    prompt += term;
  }
  if (!prompt.empty()) prompt += '.';
  if (prompt.size() + context.size() + 1 > max_bytes || context.empty()) return prompt.empty() ? context : prompt;
  return prompt.empty() ? context : prompt + ' ' + context;
}

}  // namespace dictum::workers
