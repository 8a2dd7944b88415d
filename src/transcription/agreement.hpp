#pragma once

#include <cstddef>
#include <string>

namespace dictum::transcription {

/// Finds what successive versions of a growing text agree on: people can read that part calmly. A plain value.
class Agreement {
 public:
  /// Takes the next version; returns how many bytes at its start are those of the last version too, in whole words, or
  /// in whole characters of a script that does not put spaces between words.
  std::size_t with_next(const std::string& text);

 private:
  std::string last_;
};

}  // namespace dictum::transcription
