#pragma once

#include <filesystem>
#include <istream>

namespace dictum::workers {

/// Walks through a model file in whisper.cpp's format and throws RecorderError(model_missing) with the reason where it
/// is missing, of another kind, damaged or cut short. The library itself checks little: it allocates what a damaged
/// header asks for, and takes a file that ends in the middle of its weights for one that ends.
void check_whisper_model(const std::filesystem::path& model);

/// The same for bytes from elsewhere; `name` stands in the sentence.
void check_whisper_model(std::istream& bytes, const std::filesystem::path& name);

}  // namespace dictum::workers
