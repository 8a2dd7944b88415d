#include "hostile_folder.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "base/unique_fd.hpp"
#include "journal/line_chain.hpp"

namespace dictum::fuzz {
namespace {

namespace fs = std::filesystem;
using Kind = Entry::Kind;

constexpr std::size_t kMaxChanges = 24;
constexpr std::size_t kMaxContent = std::size_t{1} << 20;

constexpr const char* kNames[] = {"events.jsonl",
                                  "manifest.json",
                                  "unfinished.txt",
                                  "seg_0000.wav",
                                  "seg_0002.wav",
                                  "timeline.flac",
                                  "probabilities.f32",
                                  "transcript_raw.txt",
                                  "transcript_incremental.txt",
                                  "notes",
                                  "notes/0001-note.md",
                                  "notes/0001-note.md.new",
                                  "manifest.json.new",
                                  "transcript_raw.txt.new",
                                  "seg_0001.wav",
                                  "seg_0003.wav",
                                  "seg_4294967295.wav",
                                  "seg_99999999999999999999.wav",
                                  "events.jsonl/inner",
                                  "notes/inner/deeper/0001-note.md",
                                  "x.new",
                                  "odd\n\x1b[31m\xff.new",
                                  "20261122_154501",
                                  ".deleted-20261122_154501",
                                  ".dictum-scratch-abcdef"};

/// Beside the session, in the root.
constexpr const char* kNamesInRoot[] = {"index.sqlite",         "index.sqlite-wal",         "index.sqlite-shm",
                                        "index.sqlite-journal", ".deleted-20261122_154501", ".dictum-scratch-abcdef",
                                        "20261122_154501-2",    "20261122_154500",          "99991231_235959",
                                        "00000000_000000",      "20261122_154501-0",        "notes",
                                        "odd\n\x1b[31m\xff",    "20261122_154501.new"};

const boost::json::array& hostile_values() {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  static const boost::json::array values = {
      0,
      1,
      -1,
      2147483647,
      4294967295U,
      std::int64_t{1} << 40,
      std::int64_t{1} << 53,
      kLargest / 2,
      kLargest - 1,
      kLargest,
      std::numeric_limits<std::uint64_t>::max(),
      1e308,
      -1e308,
      0.5,
      nullptr,
      true,
      false,
      "",
      "..",
      "../../victim/text",
      "/etc/passwd",
      "notes/../../../victim/text",
      "\xe2\x80\xae\x1b[31m\x07",
      std::string(70'000, 'a'),
      "failed",
      "done",
      "recording",
      "queued",
      "idle",
      "seg_0002.wav",
      "9999-12-31T23:59:59.999Z",
      "0000-00-00T00:00:00Z",
      boost::json::array(),
      boost::json::object(),
      boost::json::array{boost::json::array{boost::json::array{}}},
  };
  return values;
}

std::size_t count_values(const boost::json::value& value) {
  std::size_t count = 1;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) count += count_values(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) count += count_values(item);
  }
  return count;
}

/// The value number `index` in the order of the text; null where there are fewer.
boost::json::value* nth_value(boost::json::value& value, std::size_t& index) {
  if (index-- == 0) return &value;
  if (auto* object = value.if_object()) {
    for (auto& member : *object) {
      if (auto* found = nth_value(member.value(), index)) return found;
    }
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array) {
      if (auto* found = nth_value(item, index)) return found;
    }
  }
  return nullptr;
}

std::optional<boost::json::value> parsed(std::string_view text) {
  boost::system::error_code error;
  boost::json::value value = json::parse(text, error);
  if (error) return std::nullopt;
  return value;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// The changes of one input, on the content of one root.
class Changes {
 public:
  Changes(FolderContent& root, const Surroundings& surroundings, Input& input)
      : root_(root), around_(surroundings), input_(input) {}

  void run() {
    const bool seals = input_.byte() % 4 != 0;
    using Change = void (Changes::*)();
    constexpr Change kChanges[] = {
        &Changes::value,  &Changes::value,      &Changes::line,   &Changes::lines,       &Changes::bytes,
        &Changes::cut,    &Changes::number,     &Changes::link,   &Changes::second_name, &Changes::special,
        &Changes::folder, &Changes::empty,      &Changes::grow,   &Changes::mode,        &Changes::remove,
        &Changes::rename, &Changes::whole_file, &Changes::nested, &Changes::root_file,   &Changes::session_mode,
    };
    for (std::size_t i = 0; i < kMaxChanges && !input_.is_over(); ++i) (this->*input_.one_of(kChanges))();
    if (seals) seal();
  }

 private:
  std::string in_session(std::string_view name) const { return around_.session + '/' + std::string(name); }

  std::string name() {
    const bool is_beside = input_.byte() % 8 == 7;
    return is_beside ? std::string(input_.one_of(kNamesInRoot)) : in_session(input_.one_of(kNames));
  }

  /// The content of the file that the input names; null where there is none.
  std::string* content() {
    const auto found = root_.find(name());
    return found == root_.end() || found->second.kind != Kind::file ? nullptr : &found->second.content;
  }

  Entry* journal() {
    const auto found = root_.find(in_session("events.jsonl"));
    return found == root_.end() || found->second.kind != Kind::file ? nullptr : &found->second;
  }

  /// Replaces the entry of that path, and those below it.
  Entry& put(const std::string& path, Entry entry) {
    std::erase_if(root_, [&](const auto& each) { return each.first.starts_with(path + '/'); });
    return root_[path] = std::move(entry);
  }

  /// Replaces a value of the manifest or of a line of the journal.
  void value() {
    const std::size_t line = input_.byte();
    const auto replaced = [&](std::string_view text) -> std::optional<boost::json::value> {
      auto value = parsed(text);
      if (!value) return std::nullopt;
      std::size_t at = input_.number() % count_values(*value);
      const std::size_t which = input_.byte();
      const auto& hostile = hostile_values();
      auto* const target = nth_value(*value, at);
      *target = which < 200 ? hostile[which % hostile.size()] : boost::json::value(boost::json::string(input_.text()));
      return value;
    };
    if (line % 3 == 0) {
      const auto found = root_.find(in_session("manifest.json"));
      if (found == root_.end()) return;
      // With the line breaks that the recorder writes, since some code searches the text before it parses it.
      if (const auto value = replaced(found->second.content)) {
        found->second.content = (line & 128) != 0 ? json::to_line(*value) : json::to_pages(*value);
      }
    } else if (Entry* const journal = this->journal()) {
      std::vector<std::string> lines = lines_of(journal->content);
      if (lines.empty()) return;
      std::string& changed = lines[line / 3 % lines.size()];
      if (const auto value = replaced(changed)) changed = json::to_line(*value);
      journal->content = text_of(lines);
    }
  }

  /// Inserts a line into the journal.
  void line() {
    Entry* const journal = this->journal();
    if (journal == nullptr || journal->content.size() > kMaxContent) return;
    std::vector<std::string> lines = lines_of(journal->content);
    const std::size_t at = input_.below(lines.size() + 1);
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::string(input_.text()));
    journal->content = text_of(lines);
  }

  /// Removes, repeats or swaps lines of the journal.
  void lines() {
    Entry* const journal = this->journal();
    if (journal == nullptr || journal->content.size() > kMaxContent) return;
    std::vector<std::string> lines = lines_of(journal->content);
    if (lines.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(input_.below(lines.size()));
    const std::size_t other = input_.below(lines.size());
    switch (input_.below(4)) {
      case 0:
        lines.erase(lines.begin() + at);
        break;
      case 1:
        lines.insert(lines.begin() + at, std::string(lines[other]));
        break;
      case 2:
        std::swap(lines[static_cast<std::size_t>(at)], lines[other]);
        break;
      default:
        lines.insert(lines.begin() + at, 300, std::string(lines[other]));
    }
    journal->content = text_of(lines);
  }

  void bytes() {
    std::string* const content = this->content();
    if (content == nullptr || content->size() > kMaxContent) return;
    const std::size_t at = input_.number() % (content->size() + 1);
    const bool inserts = input_.byte() % 2 == 1;
    const std::string_view text = input_.text();
    content->replace(at, inserts ? 0 : text.size(), text);
  }

  void cut() {
    std::string* const content = this->content();
    if (content == nullptr) return;
    const std::size_t at = input_.number() % (content->size() + 1);
    const std::size_t size = input_.number();
    content->erase(at, size % 2 == 0 ? std::string::npos : size);
  }

  /// Replaces a binary number in a header.
  void number() {
    std::string* const content = this->content();
    if (content == nullptr || content->size() < 64) return;
    constexpr std::uint32_t kNumbers[] = {0,          1,          2,          0x7fffffff, 0x80000000,
                                          0xffffffff, 0xfffffffe, 0x7fc00000, 44,         16000};
    const std::size_t at = input_.below(60);
    const std::uint32_t number = input_.one_of(kNumbers);
    for (std::size_t i = 0; i < 4; ++i) (*content)[at + i] = static_cast<char>(number >> (8 * i) & 0xff);
  }

  void link() {
    const std::string path = name();
    constexpr const char* kTargets[] = {"/dev/zero", "/proc/self/environ", "/proc/self/fd/0", "/dev/null",    ".",
                                        "..",        "events.jsonl",       "notes",           "seg_0000.wav", "",
                                        "/"};
    const std::size_t which = input_.byte();
    std::string target = which < around_.outside.size() * 2
                             ? around_.outside[which / 2] + (which % 2 == 1 ? "/made" : "")
                             : std::string(kTargets[which % std::size(kTargets)]);
    put(path, {.kind = Kind::link, .content = std::move(target)});
  }

  void second_name() {
    const std::string path = name();
    put(path, {.kind = Kind::second_name, .content = around_.shared[input_.below(around_.shared.size())]});
  }

  void special() {
    constexpr Kind kKinds[] = {Kind::pipe, Kind::pipe, Kind::socket, Kind::device};
    const std::string path = name();
    put(path, {.kind = input_.one_of(kKinds)});
  }

  void folder() {
    const std::string path = name();
    put(path, {.kind = Kind::folder});
    if (input_.byte() % 2 == 1) root_[path + "/inner"] = {.content = "inner"};
  }

  void empty() { put(name(), {}); }

  /// Makes a file large without taking room on the disk.
  void grow() {
    const std::string path = name();
    const std::uintmax_t size = std::uintmax_t{1} << input_.below(44);
    const auto found = root_.find(path);
    if (found == root_.end() || found->second.kind != Kind::file) put(path, {});
    root_[path].grown_to = size;
  }

  void mode() {
    constexpr mode_t kModes[] = {0, 0444, 0777, 0200, 04755, 01777, 0600};
    const auto found = root_.find(name());
    if (found != root_.end()) found->second.mode = input_.one_of(kModes);
  }

  void session_mode() {
    constexpr mode_t kModes[] = {0777, 0500, 01777, 0700};
    root_[around_.session].mode = input_.one_of(kModes);
  }

  void remove() {
    const std::string path = name();
    root_.erase(path);
    std::erase_if(root_, [&](const auto& each) { return each.first.starts_with(path + '/'); });
  }

  void rename() {
    const std::string from = name();
    const std::string to = name();
    const auto found = root_.find(from);
    if (found == root_.end() || from == to) return;
    Entry entry = found->second;
    if (input_.byte() % 2 == 0) root_.erase(found);  // else a copy
    put(to, std::move(entry));
  }

  /// Replaces a file by one with any content.
  void whole_file() {
    const std::string path = name();
    std::string content(input_.text());
    const std::size_t times = std::size_t{1} << input_.below(12);
    std::string repeated;
    for (std::size_t i = 0; i < times; ++i) repeated += content;
    put(path, {.content = std::move(repeated)});
  }

  /// Copies the session into itself, or beside itself.
  void nested() {
    const std::string to = name();
    if (root_.size() > 200) return;
    FolderContent copies;
    for (const auto& [path, entry] : root_) {
      if (path.starts_with(around_.session + '/')) copies[to + path.substr(around_.session.size())] = entry;
    }
    put(to, {.kind = Kind::folder, .mode = 0700});
    root_.merge(copies);
  }

  void root_file() {
    const std::string path = input_.one_of(kNamesInRoot);
    const std::size_t way = input_.below(4);
    const std::string& outside = around_.outside[input_.below(around_.outside.size())];
    if (way == 0) put(path, {.kind = Kind::link, .content = outside});
    if (way == 1) put(path, {.kind = Kind::second_name, .content = around_.shared.front()});
    if (way == 2) put(path, {.kind = Kind::pipe});
    if (way == 3) put(path, {.content = std::string(input_.text())});
  }

  /// Gives each line of the journal its right checksum, so that the changes are not refused as damage.
  void seal() {
    Entry* const journal = this->journal();
    if (journal == nullptr) return;
    journal::LineChain chain;
    std::vector<std::string> lines = lines_of(journal->content);
    for (std::string& line : lines) {
      if (const std::size_t check = line.rfind(",\"check\":\""); check != std::string::npos) {
        line.resize(check);
        line += '}';
      }
      if (line.ends_with('}')) line = chain.sealed(line);
    }
    journal->content = text_of(lines);
  }

  FolderContent& root_;
  const Surroundings& around_;
  Input& input_;
};

void make_file(const fs::path& path, const Entry& entry) {
  const UniqueFD file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return;
  if (::write(file.get(), entry.content.data(), entry.content.size()) < 0) std::abort();
  if (entry.grown_to > entry.content.size()) {
    [[maybe_unused]] const int refused = ::ftruncate(file.get(), static_cast<off_t>(entry.grown_to));
  }
  ::fchmod(file.get(), entry.mode);
}

void make_socket(const fs::path& path) {
  const UniqueFD made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) return;
  std::ranges::copy(name, address.sun_path);
  [[maybe_unused]] const int refused =
      ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);  // NOLINT(*-reinterpret-cast)
}

void make_entry(const fs::path& path, const Entry& entry) {
  std::error_code refused;
  constexpr unsigned int kZero = 5;
  switch (entry.kind) {
    case Kind::file:
      return make_file(path, entry);
    case Kind::link:
      return fs::create_symlink(entry.content, path, refused);
    case Kind::second_name:
      return fs::create_hard_link(entry.content, path, refused);
    case Kind::pipe:
      ::mkfifo(path.c_str(), 0600);
      return;
    case Kind::socket:
      return make_socket(path);
    case Kind::device:
      ::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, kZero));
      return;
    case Kind::folder:
      ::mkdir(path.c_str(), 0700);
  }
}

/// Makes the folders above the last part of the path. False where one of them cannot be, or is a link.
bool make_parents(const fs::path& root, const fs::path& name) {
  fs::path path = root;
  for (const fs::path& part : name.parent_path()) {
    path /= part;
    ::mkdir(path.c_str(), 0700);
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  }
  return true;
}

}  // namespace

unsigned int Input::byte() {
  if (left_.empty()) return 0;
  const auto first = static_cast<unsigned char>(left_.front());
  left_.remove_prefix(1);
  return first;
}

std::size_t Input::number() {
  const std::size_t high = byte();
  return high << 8 | byte();
}

std::string_view Input::text() {
  const std::size_t size = std::min<std::size_t>(byte(), left_.size());
  const std::string_view text = left_.substr(0, size);
  left_.remove_prefix(size);
  return text;
}

FolderContent read_folder(const fs::path& folder) {
  FolderContent content;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    content[entry.path().lexically_relative(folder)].content = {std::istreambuf_iterator<char>(file), {}};
  }
  return content;
}

void make_folder(const fs::path& folder, const FolderContent& content) {
  ::mkdir(folder.c_str(), 0700);
  for (const auto& [name, entry] : content) {
    if (make_parents(folder, name)) make_entry(folder / name, entry);
  }
  for (const auto& [name, entry] : content) {  // after the files in it, which a mode may forbid to make
    if (entry.kind == Kind::folder && make_parents(folder, name)) ::chmod((folder / name).c_str(), entry.mode);
  }
}

void change(FolderContent& root, const Surroundings& surroundings, Input& input) {
  Changes(root, surroundings, input).run();
}

}  // namespace dictum::fuzz
