#include "models/model_choice.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "base/private_folders.hpp"
#include "base/xdg.hpp"

namespace dictum::models {
namespace {

namespace fs = std::filesystem;

/// What a measurement is of: another file, or another number of processors, is measured again.
std::string key_of(const fs::path& model) {
  std::error_code error;
  const auto size = fs::file_size(model, error);
  return fmt::format("{}:{}:{}", model.filename().string(), error ? 0 : size, std::thread::hardware_concurrency());
}

/// Lower is better; within one quality.
int rank_of(const Model& model) {
  if (model.name.ends_with("-q8_0")) return 0;  // as good as unquantised, and quicker
  return model.quantised() ? 2 : 1;
}

}  // namespace

SpeedCache SpeedCache::of_user() {
  const fs::path cache = cache_folder();
  return SpeedCache(cache.empty() ? cache : cache / "whisper_speed.txt");
}

std::optional<double> SpeedCache::find(const fs::path& model) const {
  const std::string wanted = key_of(model);
  std::ifstream file(file_);
  std::optional<double> found;
  std::string key;
  for (double seconds = 0; file >> key >> seconds;) {
    if (key == wanted && seconds > 0) found = seconds;
  }
  return found;
}

void SpeedCache::keep(const fs::path& model, double seconds) const {
  if (file_.empty()) return;
  const std::string wanted = key_of(model);
  std::string text;
  {
    std::ifstream file(file_);
    std::string key;
    for (double other = 0; file >> key >> other;) {
      if (key != wanted) text += fmt::format("{} {}\n", key, other);
    }
  }
  text += fmt::format("{} {:.3f}\n", wanted, seconds);
  std::error_code error;
  if (make_private_folders(file_.parent_path())) return;  // it is measured again the next time
  const fs::path fresh = fmt::format("{}.{}", file_.string(), ::getpid());
  if (std::ofstream(fresh) << text << std::flush) fs::rename(fresh, file_, error);
  fs::remove(fresh, error);
}

std::vector<fs::path> by_quality(const ModelStore& store) {
  std::vector<std::pair<std::tuple<int, int, bool>, fs::path>> ranked;
  for (const auto& entry : store.list()) {
    if (entry.installed)
      ranked.emplace_back(std::tuple(-entry.model.quality, rank_of(entry.model), entry.model.english_only()),
                          entry.file);
  }
  std::ranges::sort(ranked);
  std::vector<fs::path> files;
  for (auto& [rank, file] : ranked) files.push_back(std::move(file));
  for (fs::path& file : store.unknown_files()) files.push_back(std::move(file));
  return files;
}

fs::path choose(const std::vector<fs::path>& best_first, const SpeedCache& speeds) {
  fs::path quickest;
  double least = 0;
  for (const fs::path& file : best_first) {
    const auto seconds = speeds.find(file);
    if (!seconds || *seconds < kKeepsUpSeconds) return file;
    if (quickest.empty() || *seconds <= least) {
      quickest = file;
      least = *seconds;
    }
  }
  return quickest;
}

std::string name_of(const fs::path& file) {
  std::string name = file.stem().string();
  if (name.starts_with("ggml-")) name.erase(0, 5);
  return name;
}

}  // namespace dictum::models
