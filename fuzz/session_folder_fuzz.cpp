#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "hostile_folder.hpp"
#include "session/recovery.hpp"
#include "session/scribe.hpp"
#include "session/session_writer.hpp"

// A whole session folder that somebody hostile prepared, under every operation of `dictum/sessions.hpp` that needs no
// transcriber. The input says what was done to a good session (hostile_folder.hpp), and in which order the operations
// come. Checked after each of them: what is outside of the session is as it was, no secret of it was copied, the
// operation threw nothing but a RecorderError, took no more than two seconds, and left no descriptor open. Everything
// is in memory (/dev/shm).

namespace {

namespace fs = std::filesystem;
using namespace dictum;

constexpr std::string_view kSecret = "the-secret-of-somebody-else";
constexpr std::string_view kName = "20261122_154501";  // of the hostile session: test::kStarted
constexpr double kMaxSeconds = 2;
constexpr rlim_t kMaxFile = 8 << 20;  // of what an operation writes

[[noreturn]] void fail(std::string_view what) {
  fmt::print(stderr, "session_folder_fuzz: {}\n", what);
  std::abort();
}

/// A folder in /dev/shm, removed at the end of the process.
class MemoryFolder {
 public:
  MemoryFolder() {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~MemoryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  fs::path operator/(const fs::path& name) const { return fs::path(path_) / name; }

 private:
  std::string path_ = "/dev/shm/dictum-fuzz-XXXXXX";
};

/// A session with a segment, a discarded one, a gap, another segment and a note of it. Still being recorded: with a
/// third segment that is open.
void record(const fs::path& root, bool is_finished, bool keeps_all) {
  session::SessionInfo info = test::info();
  info.keep_all = keeps_all;
  session::SessionWriter writer = session::SessionWriter::create(root, test::kStarted, info);
  test::Scribe scribe(writer);
  const std::vector<std::int16_t> sound(4096, 100);
  writer.append_timeline(sound);
  writer.append_probabilities(0, std::vector<float>(8, 0.9F));
  scribe.start();
  const std::uint32_t first = scribe.speak(1000, true, 200);
  scribe.speak(200, false, 200);
  scribe.gap(300, GapReason::overflow);
  scribe.emit(scribe.now(), VADModeChanged{VADMode::long_note, 5000});
  const std::uint32_t third = scribe.speak(1500, true, 200);
  scribe.transcribe(third, "milk and honey");
  if (!is_finished) {
    writer.open_segment(3, scribe.now());
    writer.append_segment(3, sound);
    return;
  }
  scribe.stop();
  scribe.transcribe(first, "start a new note");
  scribe.note("Shopping list", "milk and honey", {third});
  scribe.finish();
}

/// The good sessions that the hostile ones are made of.
std::vector<fuzz::FolderContent> templates() {
  std::vector<fuzz::FolderContent> all;
  for (const auto& [is_finished, keeps_all] : {std::pair(true, false), {false, false}, {true, true}, {false, true}}) {
    const MemoryFolder folder;
    record(folder / "root", is_finished, keeps_all);
    all.push_back(fuzz::read_folder(folder / "root"));
  }
  return all;
}

/// What must not change: names, kinds, bytes, modes, owners, times of writing.
using Snapshot = std::map<std::string, std::tuple<mode_t, uid_t, off_t, std::int64_t, std::string>>;

Snapshot snapshot(const fs::path& folder) {
  Snapshot all;
  const auto add = [&](const fs::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) std::abort();
    const bool is_file = S_ISREG(status.st_mode);
    std::string content;
    if (is_file) {
      std::ifstream file(path, std::ios::binary);
      content.assign(std::istreambuf_iterator<char>(file), {});
    }
    const std::int64_t written = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    all[path] = {status.st_mode, status.st_uid, is_file ? status.st_size : 0, written, std::move(content)};
  };
  add(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) add(entry.path());
  return all;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Seconds that this thread has waited for a processor.
double seconds_waited() {
  std::ifstream file("/proc/thread-self/schedstat");
  double running = 0;
  double waited = 0;
  file >> running >> waited;
  return waited / 1e9;
}

std::size_t open_descriptors() {
  return names_in("/proc/self/fd").size();
}

void limit_files(rlim_t most) {
  const rlimit limit{most, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// What is the same for every input.
struct World {
  World() {
    ::signal(SIGXFSZ, SIG_IGN);
    fs::create_directories(outside / "folder");
    std::ofstream(outside / "text") << kSecret << '\n';
    std::ofstream(outside / "0001-note.md") << kSecret << '\n';
    std::ofstream(outside / "empty").flush();
    std::ofstream(outside / "folder/0001-note.md") << kSecret << '\n';
    record(outside, true, false);
    fs::copy_file(outside / kName / "seg_0000.wav", outside / "sound.wav");
    surroundings.session = kName;
    for (const char* name : {"text", "sound.wav", "empty", "folder", ".", "20261122_154501/events.jsonl",
                             "20261122_154501/manifest.json", "0001-note.md", "20261122_154501"}) {
      surroundings.outside.push_back((outside / name).lexically_normal());
    }
    for (const char* name : {"empty", "sound.wav", "20261122_154501/events.jsonl", "20261122_154501/manifest.json",
                             "20261122_154501/notes/0001-note.md", "20261122_154501/transcript_raw.txt"}) {
      surroundings.shared.push_back(outside / name);
    }
  }

  const MemoryFolder folder;
  const fs::path root = folder / "sessions";
  const fs::path outside = folder / "victim";
  const fs::path exports = folder / "exports";
  const std::vector<fuzz::FolderContent> sessions = templates();
  fuzz::Surroundings surroundings;
};

/// The operations, on what one input has made.
class Operations {
 public:
  explicit Operations(const World& world) : world_(world) {}

  void run(fuzz::Input& order) {
    using Operation = void (Operations::*)();
    std::vector<std::pair<const char*, Operation>> all = {
        {"list", &Operations::list},     {"open", &Operations::open},
        {"notes", &Operations::notes},   {"events", &Operations::events},
        {"verify", &Operations::verify}, {"export", &Operations::export_all},
        {"search", &Operations::search}, {"unfinished", &Operations::unfinished},
        {"edit", &Operations::edit},     {"recover", &Operations::recover},
        {"repair", &Operations::repair}, {"verify", &Operations::verify},
        {"open", &Operations::open},     {"reindex", &Operations::reindex},
        {"prune", &Operations::prune},   {"delete", &Operations::remove},
    };
    // The beginning is one of all; some inputs resume the session by the runtime, whose threads take longer.
    std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(order.below(all.size())));
    if (order.byte() % 16 == 15) all.insert(all.begin(), {"resume", &Operations::resume});
    for (const auto& [name, operation] : all) run(name, operation);
  }

 private:
  void run(const char* name, void (Operations::*operation)()) {
    const double began = seconds_of(CLOCK_MONOTONIC);
    const double computed = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    limit_files(kMaxFile);
    try {
      (this->*operation)();
    } catch (const RecorderError& error) {
      check_text(error.what());
    } catch (const std::exception& error) {
      fail(fmt::format("{} throws {}", name, error.what()));
    }
    limit_files(RLIM_INFINITY);
    const double took = seconds_of(CLOCK_MONOTONIC) - began;
    if (took > kMaxSeconds) {
      const double own = seconds_of(CLOCK_THREAD_CPUTIME_ID) - computed;
      const double slept = took - own - (seconds_waited() - waited_before_);
      if (own > kMaxSeconds || slept > kMaxSeconds)
        fail(fmt::format("{} took {:.1f} s, {:.1f} s of it awake", name, took, own));
    }
    if (snapshot(world_.outside) != outside_before_) fail(fmt::format("{} changed what is outside", name));
    for (const std::string& made : names_in(world_.root)) {
      if (made.starts_with("index.sqlite") || std::ranges::binary_search(names_before_, made)) continue;
      fail(fmt::format("{} made '{}' in the root", name, made));
    }
    for (const auto& [file, entry] : fuzz::read_folder(world_.exports)) {
      check_text(entry.content);
      fs::remove(world_.exports / file);
    }
    if (names_in(world_.folder / "") != std::vector<std::string>{"exports", "sessions", "victim"}) {
      fail(fmt::format("{} made something beside the root", name));
    }
    if (const std::size_t open = open_descriptors(); open != descriptors_before_) {
      fail(fmt::format("{} left {} descriptors open", name, open - descriptors_before_));
    }
  }

  static void check_text(std::string_view text) {
    if (text.find(kSecret) != std::string_view::npos) fail("a file of somebody else's was read");
  }

  /// One whose failure does not end the others of an operation.
  template <class Work>
  static void attempt(const Work& work) {
    try {
      work();
    } catch (const RecorderError& error) {
      check_text(error.what());
    }
  }

  void list() {
    attempt([&] { list_sessions(world_.root); });
    attempt([&] { find_session(world_.root, "last"); });
    attempt([&] { find_session(world_.root, kName.substr(0, 8)); });
    attempt([&] { session_entry(path_); });
    session_size(path_);
  }

  void open() {
    attempt([&] { open_session(path_); });
    attempt([&] { open_session(path_, 0); });
  }

  void notes() {
    for (const SessionNote& note : session_notes(path_)) {
      attempt([&] { check_text(read_note(path_, note)); });
    }
  }

  void events() {
    read_events(path_, [](const Event&) { return true; });
  }

  void verify() {
    for (const std::string& sentence : verify_session(path_).sentences()) check_text(sentence);
  }

  void export_all() {
    constexpr ExportFormat kTexts[] = {ExportFormat::txt, ExportFormat::srt, ExportFormat::vtt, ExportFormat::json,
                                       ExportFormat::markdown};
    for (const ExportFormat format : kTexts) {
      attempt([&] { check_text(export_text(path_, format)); });
    }
    for (const char* file : {"x.md", "x.wav", "x.flac"}) {
      attempt([&] { static_cast<void>(export_session(path_, world_.exports / file)); });
    }
    attempt([&] { static_cast<void>(export_session(path_, world_.exports / "t.wav", {.whole_timeline = true})); });
  }

  void search() {
    for (const SessionMatch& match :
         search_sessions(world_.root, {.text = "milk", .from = {}, .before = {}, .session = {}})) {
      check_text(match.text);
    }
  }

  void unfinished() { find_unfinished_sessions(world_.root); }

  void edit() { edit_session(path_, 2, "corrected"); }

  void recover() {
    auto writer = session::SessionWriter::reopen(path_);
    session::recover(writer, test::kStarted + std::chrono::hours(1));
    writer.finish(std::nullopt);
  }

  void repair() { repair_session(path_); }

  void reindex() { rebuild_search_index(world_.root); }

  void prune() {
    PruneRule rule{.before = test::kStarted - std::chrono::hours(24), .dry_run = true};
    prune_sessions(world_.root, rule);
    rule.dry_run = false;
    prune_sessions(world_.root, rule);
  }

  void remove() { delete_session(path_); }

  void resume() {
    RecorderConfig config;
    config.transcription.transcriber = "none";
    config.session.root = world_.root;
    resume_session(config, path_, FailedTexts::keep);
  }

  const World& world_;
  const fs::path path_ = world_.root / kName;
  const Snapshot outside_before_ = snapshot(world_.outside);
  const std::vector<std::string> names_before_ = names_in(world_.root);
  const std::size_t descriptors_before_ = open_descriptors();
  const double waited_before_ = seconds_waited();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  // libFuzzer copies into its inputs what memory is compared with: the secret, too.
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.find(kSecret.substr(0, 4)) != std::string_view::npos) return -1;  // not for the corpus
  fuzz::Input input(data, size);
  std::error_code ignored;
  fs::remove_all(world.root, ignored);
  fs::remove_all(world.exports, ignored);
  ::mkdir(world.exports.c_str(), 0700);
  fuzz::FolderContent root = world.sessions[input.below(world.sessions.size())];
  fuzz::Input order(data, std::min<std::size_t>(size, 2));
  input.byte();
  fuzz::change(root, world.surroundings, input);
  fuzz::make_folder(world.root, root);
  Operations(world).run(order);
  return 0;
}
