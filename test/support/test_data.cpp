#include "support/test_data.hpp"

#include <cstdlib>

namespace dictum::test {

std::optional<std::filesystem::path> test_data(std::string_view name) {
  if (const char* folder = std::getenv("DICTUM_TEST_DATA")) {
    if (auto path = std::filesystem::path(folder) / name; std::filesystem::exists(path)) return path;
  }
  if (auto path = project_file("../shared") / name; std::filesystem::exists(path)) return path;
  return std::nullopt;
}

std::filesystem::path project_file(std::string_view name) {
  return std::filesystem::path(DICTUM_SOURCE_DIR) / name;
}

}  // namespace dictum::test
