#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/utf8.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/recorder_backend.hpp"
#include "journal/session_directory.hpp"
#include "recorder/revised_notes.hpp"
#include "session/library.hpp"
#include "session/revision.hpp"
#include "session/session_writer.hpp"
#include "sessions_verbs.hpp"
#include "signals.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string session;
  std::uint32_t segment{};
  std::optional<std::string> text;
  bool speak = false;
};

/// A folder that is gone with what is in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "dictum-edit-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw RecorderError(Errc::output_unwritable, fmt::format("'{}' cannot be made.", name));
    }
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What somebody says now: until the first pause, the end of the input, or a signal.
std::string listen(RecorderConfig config) {
  const ScratchFolder scratch;
  config.session.root = scratch.path();
  config.transcription.drain_sec = -1;
  const bool is_file = !config.capture.input.empty();
  Signals signals;
  std::mutex mutex;
  std::map<std::uint32_t, std::string> texts;
  std::string failure;
  {
    RecorderBackend backend(config, [&](const Event& event) {
      const std::lock_guard lock(mutex);
      if (const auto* ended = std::get_if<SpeechEnded>(&event.body)) {
        if (ended->kept && !is_file) signals.wake();
      } else if (const auto* changed = std::get_if<RecordingStateChanged>(&event.body)) {
        if (!changed->is_recording) signals.wake();
      } else if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
        if (complete->success) texts[complete->segment_index] = complete->text;
        if (!complete->success) failure = complete->error->message;
      }
    });
    backend.start_recording();
    if (!is_file) fmt::print(stderr, "Say the segment again.\n");
    signals.wait();
    backend.stop_recording();
  }
  if (!failure.empty()) throw RecorderError(Errc::transcription_failed, failure);
  std::string text;
  for (const auto& [index, part] : texts) {
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  }
  if (text.empty()) throw RecorderError(Errc::transcription_failed, "Nothing was heard, so nothing was changed.");
  return text;
}

std::string read_standard_input() {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::string text;
  char block[4096];
  while (const std::size_t got = std::fread(block, 1, sizeof block, stdin)) {
    text.append(block, got);
    if (text.size() > kMost) throw UsageError("a text of more than 1 MiB is none");
  }
  return text;
}

ExitCode edit(const Options& options) {
  if (options.speak == options.text.has_value()) throw UsageError("give the new TEXT, - to read it, or --speak");
  RecorderConfig base;
  base.capture.pace = "fast";
  const RecorderConfig config = options.config.resolve(base);
  const fs::path path = session::find_session(journal::session_root(config), options.session);
  const session::Manifest before = session::read_manifest(path);
  const session::Segment* segment = before.find(options.segment);
  if (segment == nullptr || !segment->is_kept()) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("The session '{}' has no segment {}.", before.session, options.segment));
  }
  if (!before.stopped_at) {
    throw RecorderError(Errc::invalid_state, fmt::format("The session '{}' is being recorded or was interrupted: stop "
                                                         "it, or finish it with `dictum resume {}`.",
                                                         before.session, path.string()));
  }
  TranscriptionComplete result;
  result.text = utf8::on_one_line(options.speak          ? listen(config)
                                  : *options.text == "-" ? read_standard_input()
                                                         : *options.text);
  while (result.text.ends_with(' ')) result.text.pop_back();
  result.success = true;
  {
    auto writer = session::SessionWriter::reopen(path);
    const auto now = std::chrono::system_clock::now();
    session::add_revision(writer, options.segment, result, now);
    recorder::record_revised_notes(writer, now);
    writer.finish(std::nullopt);
  }
  session::tell_index(path);
  fmt::print("[{}] {}\n", options.segment, result.text);
  return ExitCode::success;
}

}  // namespace

void add_edit_verb(CLI::App& sessions, ExitCode& code) {
  CLI::App* command =
      sessions.add_subcommand("edit", "Correct a segment's text, as a revision: the old text and the sound stay");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session, "a name, the beginning of one, a folder, or \"last\"")->required();
  command->add_option("SEGMENT", options->segment, "its number")->required();
  command->add_option("TEXT", options->text, "what was said; - reads it from standard input");
  command->add_flag("--speak", options->speak, "say it again, into the microphone or with --input FILE");
  options->config.add_all();
  command->callback([options, &code] { code = edit(*options); });
}

}  // namespace dictum::program
