#include "base/xdg.hpp"

#include <cstdlib>

namespace dictum {
namespace {

namespace fs = std::filesystem;

fs::path base_folder(const char* variable, const char* below_home) {
  // The specification says to ignore a relative path.
  if (fs::path folder = environment(variable); folder.is_absolute()) return folder / "dictum";
  const fs::path home = environment("HOME");
  return home.is_absolute() ? home / below_home / "dictum" : fs::path();
}

}  // namespace

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

fs::path data_folder() {
  return base_folder("XDG_DATA_HOME", ".local/share");
}

fs::path config_folder() {
  return base_folder("XDG_CONFIG_HOME", ".config");
}

fs::path cache_folder() {
  return base_folder("XDG_CACHE_HOME", ".cache");
}

fs::path temporary_folder() {
  fs::path folder = environment("TMPDIR");
  return folder.is_absolute() ? folder : fs::path("/tmp");
}

}  // namespace dictum
