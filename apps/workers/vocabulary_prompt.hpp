#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dictum::workers {

/// The prompt that makes a Whisper model expect the terms: as many of the first ones as fit into `max_bytes`, then
/// `context`, what was said before. Empty where there is neither.
std::string vocabulary_prompt(const std::vector<std::string>& terms, const std::string& context, std::size_t max_bytes);

}  // namespace dictum::workers
