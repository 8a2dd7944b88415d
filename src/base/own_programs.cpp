#include "base/own_programs.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "base/xdg.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;

void add(std::vector<fs::path>& folders, const fs::path& folder) {
  if (folder.is_absolute() && std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
}

/// Empty where this code is part of the program itself. Its name in dladdr's answer is argv[0], which a shell that
/// found it by PATH leaves without a folder, so that the current one would decide.
fs::path library_folder() {
  Dl_info info{};
  link_map* map = nullptr;
  const auto* const here = reinterpret_cast<void*>(&library_folder);
  if (::dladdr1(here, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0 || map == nullptr) return {};
  const fs::path library = map->l_name;
  std::error_code error;
  return library.is_absolute() ? fs::canonical(library, error).parent_path() : fs::path();
}

}  // namespace

std::vector<fs::path> own_folders() {
  std::vector<fs::path> folders;
  add(folders, library_folder());
  std::error_code ignored;
  add(folders, fs::read_symlink("/proc/self/exe", ignored).parent_path());
  return folders;
}

std::vector<fs::path> program_folders() {
  std::vector<fs::path> folders;
  add(folders, environment("DICTUM_WORKER_DIR"));
  for (const fs::path& own : own_folders()) {
    add(folders, (own / "../libexec/dictum").lexically_normal());     // PREFIX/bin and PREFIX/lib
    add(folders, (own / "../../libexec/dictum").lexically_normal());  // PREFIX/lib/x86_64-linux-gnu
    add(folders, own);
  }
  return folders;
}

std::vector<std::string> path_entries() {
  std::vector<std::string> entries;
  const std::string list = environment("PATH");
  for (std::size_t begin = 0; !list.empty() && begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    entries.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return entries;
}

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::string find_command(const std::string& program) {
  if (program.find('/') != std::string::npos) return is_program(program) ? program : "";
  for (const fs::path folder : path_entries()) {
    if (folder.is_absolute() && is_program(folder / program)) return folder / program;
  }
  return {};
}

std::optional<fs::path> find_own_program(std::string_view file) {
  for (const fs::path& folder : program_folders()) {
    if (fs::path path = folder / file; is_program(path)) return path;
  }
  return std::nullopt;
}

}  // namespace dictum
