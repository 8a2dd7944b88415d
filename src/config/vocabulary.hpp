#pragma once

#include <string>
#include <vector>

#include "dictum/config.hpp"

namespace dictum::config {

/// What is wrong with a vocabulary, as the end of a sentence; empty where nothing is.
std::string complaint_about_vocabulary(const std::vector<std::string>& terms);

/// The terms of `vocabulary`, then those of `vocabulary_file`, each once. Reads the file at each call. Throws
/// RecorderError: input_not_found where there is no such file, config_invalid where it holds what cannot be a term.
std::vector<std::string> vocabulary_of(const RecorderConfig::Transcription& config);

}  // namespace dictum::config
