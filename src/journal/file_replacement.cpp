#include "journal/file_replacement.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/disk_error.hpp"

namespace dictum::journal {

namespace fs = std::filesystem;

FileReplacement::FileReplacement(const SessionFolder& folder, fs::path name)
    : folder_(folder), name_(std::move(name)), fresh_(fs::path(name_) += ".new"), file_(folder_.make(fresh_)) {}

FileReplacement::~FileReplacement() {
  if (!is_named_) folder_.remove(fresh_);
}

void FileReplacement::append(std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file_.get(), content.data(), content.size());
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      throw_disk_error(errno, folder_.path() / name_);
    }
  }
}

void FileReplacement::commit(Flush flush) {
  if (flush == Flush::now && ::fdatasync(file_.get()) != 0) throw_disk_error(errno, folder_.path() / name_);
  give_name();
  if (flush == Flush::now) folder_.sync_names(name_.parent_path());
}

void FileReplacement::give_name() {
  folder_.rename(fresh_, name_);
  is_named_ = true;
}

void replace_file(const SessionFolder& folder, const fs::path& name, std::string_view content) {
  FileReplacement file(folder, name);
  file.append(content);
  file.commit();
}

}  // namespace dictum::journal
