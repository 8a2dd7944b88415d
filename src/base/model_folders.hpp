#pragma once

#include <filesystem>
#include <vector>

namespace dictum {

/// Where speech models are looked for, in this order. Only $DICTUM_MODELS_DIR where it is set; else $DICTUM_MODEL_DIR,
/// a folder of models that are only read; $XDG_DATA_HOME/dictum/models (~/.local/share/dictum/models), where pulled
/// ones are kept; and, for a program that runs in its build tree, the models that set-up got. Reads the environment at
/// each call; safe from any thread.
std::vector<std::filesystem::path> model_folders();

/// The one of them that pulled models are kept in; empty where there is no place for one.
std::filesystem::path own_model_folder();

/// Every file `ggml-*.bin` in these folders.
std::vector<std::filesystem::path> installed_model_files();

}  // namespace dictum
