#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/model_store.hpp"

/// Which of the installed models `auto` takes.
namespace dictum::models {

/// Processor time for a sentence, in seconds, above which a model does not keep up with speech.
inline constexpr double kKeepsUpSeconds = 3.0;

/// What was measured of the models on this machine, kept in $XDG_CACHE_HOME/dictum/whisper_speed.txt. A file that
/// cannot be read or written means that it is measured again; nothing throws. Lives on one thread; two processes may
/// use one file.
class SpeedCache {
 public:
  /// Where the user's cache is.
  static SpeedCache of_user();
  explicit SpeedCache(std::filesystem::path file) : file_(std::move(file)) {}

  /// Seconds for a sentence with the model of this file; nothing where it was not measured as it is now.
  std::optional<double> find(const std::filesystem::path& model) const;
  void keep(const std::filesystem::path& model, double seconds) const;

 private:
  const std::filesystem::path file_;
};

/// The installed models, the best first: fewest errors; then quantised to 8 bits, as written, to fewer bits; then those
/// of many languages. Files that the catalogue does not know come last.
std::vector<std::filesystem::path> by_quality(const ModelStore& store);

/// The first that keeps up, or was not measured; where none keeps up, the quickest. Empty where none is installed.
std::filesystem::path choose(const std::vector<std::filesystem::path>& best_first, const SpeedCache& speeds);

/// The name of a model's file as people write it: "base-q8_0" of ".../ggml-base-q8_0.bin".
std::string name_of(const std::filesystem::path& file);

}  // namespace dictum::models
