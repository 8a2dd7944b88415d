#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "models/catalogue.hpp"

namespace dictum::models {

/// Bytes done, of all; called a few times a second at least where anything moves.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// How a download behaves when the network does not.
struct Patience {
  std::chrono::milliseconds connect{15'000};
  std::chrono::milliseconds stall{30'000};  ///< no byte for so long breaks the connection off
  int attempts = 3;                         ///< connections in a row that bring nothing new before it gives up
};

/// The models on this machine: a folder of files named as their publisher names them, each either whole and checked or
/// not there (what is still coming ends in ".part"), and further folders that are only read. Holds no files open
/// between calls; two processes may use one folder. Every method may throw RecorderError: model_missing, config_invalid
/// for a name that is not in the catalogue, output_unwritable, disk_full, timed_out, cancelled.
class ModelStore {
 public:
  /// The folders of base/model_folders.hpp; from $DICTUM_MODELS_URL, else the publisher's address.
  static ModelStore of_user();

  ModelStore(std::filesystem::path folder, std::string address, std::span<const Model> models = catalogue(),
             Patience patience = {}, std::vector<std::filesystem::path> read_folders = {});

  struct Entry {
    Model model;
    bool installed{};
    std::uint64_t part{};        ///< bytes of an unfinished download
    std::filesystem::path file;  ///< where it is, or would be
  };
  std::vector<Entry> list() const;

  /// Files of whisper.cpp's kind in the folders that are none of the catalogue's.
  std::vector<std::filesystem::path> unknown_files() const;

  /// Where the model's file is, or would be.
  std::filesystem::path path(std::string_view name) const;

  /// The file that a user means by `name_or_file`: a file of that path, else the installed model of that name. Says how
  /// to get it where it is missing.
  std::filesystem::path resolve(std::string_view name_or_file) const;

  /// Fetches the model, going on where an earlier attempt stopped, checks it and puts it in its place in one step.
  /// Returns at once where it is installed. Blocks; `cancelled` ends it at once and keeps what has come.
  std::filesystem::path pull(std::string_view name, const Progress& progress = {},
                             std::stop_token cancelled = {}) const;

  /// Reads the whole file and throws model_missing where it is not the publisher's.
  void verify(std::string_view name, const Progress& progress = {}) const;

  /// Removes the file and what is there of an unfinished download. False where there was neither.
  bool remove(std::string_view name) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  class Download;

  const Model& find(std::string_view name) const;
  std::filesystem::path own_path(const Model& model) const { return folder_ / model.file_name(); }
  std::filesystem::path path_of(const Model& model) const;

  const std::filesystem::path folder_;
  const std::string address_;
  const std::span<const Model> models_;
  const Patience patience_;
  const std::vector<std::filesystem::path> read_folders_;
};

}  // namespace dictum::models
