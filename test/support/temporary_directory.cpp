#include "support/temporary_directory.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <system_error>

namespace dictum::test {
namespace {

std::filesystem::path folder_on(Medium medium) {
  const char* const memory = "/dev/shm";
  if (medium == Medium::memory && ::access(memory, W_OK | X_OK) == 0) return memory;
  return std::filesystem::temp_directory_path();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory(Medium medium) {
  std::string pattern = (folder_on(medium) / "dictum-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace dictum::test
