// What a transcription server answers, right or wrong.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dictum/error.hpp"
#include "openai_response.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  static_cast<void>(dictum::workers::error_sentence(body));
  try {
    for (const auto& word : dictum::workers::OpenAIResponse::parse(body).words) {
      if (!(word.start >= 0 && word.start <= word.end && word.confidence >= 0 && word.confidence <= 1))
        __builtin_trap();
    }
  } catch (const dictum::RecorderError&) {  // is the right answer to most of it
  }
  return 0;
}
