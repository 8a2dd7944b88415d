#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "dictum/error.hpp"
#include "journal/journal_reader.hpp"
#include "session/manifest.hpp"
#include "wire/event_json.hpp"

namespace {

/// A folder in memory for one journal.
class Folder {
 public:
  Folder() {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
    file_ = ::open((path_ + "/events.jsonl").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) std::abort();
  }
  ~Folder() {
    ::close(file_);
    std::filesystem::remove_all(path_);
  }
  void write(const std::uint8_t* data, std::size_t size) const {
    if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, data, size, 0) < 0) std::abort();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/dev/shm/dictum-fuzz-XXXXXX";
  int file_;
};

}  // namespace

// Any journal is read to its end, and the same from any place in it; every event is written and read back to the same
// line, and folds into a manifest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dictum;
  static const Folder folder;
  folder.write(data, size);
  journal::JournalReader reader(folder.path());
  session::Manifest manifest;
  manifest.sample_rate = 16000;
  std::uint64_t last = 0;
  while (const auto event = reader.next()) {
    const std::string line = event->to_json();
    if (wire::parse_event(line).to_json() != line) std::abort();
    manifest.apply(*event);
    last = *event->sequence;
  }
  reader.seek(last / 2);
  while (reader.next()) {
  }
  return 0;
}
