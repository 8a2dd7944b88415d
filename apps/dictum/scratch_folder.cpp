#include "scratch_folder.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "dictum/error.hpp"

namespace dictum::program {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder() {
  std::error_code error;
  const fs::path folder = fs::absolute(fs::temp_directory_path(error));
  std::string name = (folder / "dictum-XXXXXX").string();
  if (!error && ::mkdtemp(name.data()) == nullptr) error.assign(errno, std::generic_category());
  if (error) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("A folder for temporary files cannot be made in '{}': {}. Set TMPDIR to a folder "
                                    "that can be written.",
                                    folder.string(), error.message()));
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace dictum::program
