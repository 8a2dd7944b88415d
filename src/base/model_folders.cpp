#include "base/model_folders.hpp"

#include <string>
#include <system_error>
#include <utility>

#include "base/own_programs.hpp"
#include "base/xdg.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

/// The models of set-up where `folder`, of a program or library, belongs to a build tree: build/NAME/bin has
/// build/NAME/CMakeCache.txt beside it.
fs::path models_beside(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || !fs::exists(folder.parent_path() / "CMakeCache.txt", error)) return {};
  const fs::path models = folder.parent_path().parent_path() / "models";
  return fs::is_directory(models, error) ? models : fs::path();
}

fs::path build_tree_models() {
  for (const fs::path& folder : own_folders()) {
    if (fs::path models = models_beside(folder); !models.empty()) return models;
  }
  return {};
}

}  // namespace

fs::path own_model_folder() {
  if (fs::path folder = environment("DICTUM_MODELS_DIR"); !folder.empty()) return folder;
  const fs::path data = data_folder();
  return data.empty() ? data : data / "models";
}

std::vector<fs::path> model_folders() {
  if (!environment("DICTUM_MODELS_DIR").empty()) return {own_model_folder()};
  std::vector<fs::path> folders;
  // The former name, which added a folder that is only read.
  if (fs::path folder = environment("DICTUM_MODEL_DIR"); !folder.empty()) folders.push_back(std::move(folder));
  if (fs::path folder = own_model_folder(); !folder.empty()) folders.push_back(std::move(folder));
  if (fs::path folder = build_tree_models(); !folder.empty()) folders.push_back(std::move(folder));
  return folders;
}

std::vector<fs::path> installed_model_files() {
  std::vector<fs::path> files;
  for (const fs::path& folder : model_folders()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".bin" && entry->path().filename().string().starts_with("ggml-"))
        files.push_back(entry->path());
    }
  }
  return files;
}

}  // namespace dictum
