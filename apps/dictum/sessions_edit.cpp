#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/scratch_folder.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
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

/// What somebody says now: until the first pause, the end of the input, or a signal. The sound is kept beside the
/// sessions meanwhile, where nobody else reads it; where this process is killed, the next start removes it.
std::string listen(RecorderConfig config) {
  const ScratchFolder scratch(session_root(config));
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
    if (!is_file) write_error("Say the segment again.\n");
    signals.wait();
    backend.stop_recording();
  }
  if (!failure.empty()) throw RecorderError(Errc::transcription_failed, failure);
  std::string text;
  for (const auto& [index, part] : texts) {
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  }
  if (text.empty())
    throw RecorderError(Errc::transcription_failed, "No words were recognised, so nothing was changed.");
  return text;
}

std::string read_standard_input() {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  std::string text;
  char block[4096];
  while (const std::size_t got = std::fread(block, 1, sizeof block, stdin)) {
    text.append(block, got);
    if (text.size() > kMaxBytes) throw UsageError("a text of more than 1 MiB is none");
  }
  return text;
}

ExitCode edit(const Options& options) {
  if (options.speak == options.text.has_value()) throw UsageError("give the new TEXT, - to read it, or --speak");
  RecorderConfig base;
  base.capture.pace = "fast";
  const RecorderConfig config = options.config.resolve(base);
  const fs::path path = find_session(session_root(config), options.session);
  const SessionTranscript before = open_session(path);
  if (std::ranges::find(before.segments, options.segment, &TranscriptSegment::index) == before.segments.end()) {
    throw RecorderError(Errc::invalid_argument,
                        fmt::format("The session '{}' has no segment {}.", before.name, options.segment));
  }
  std::string text = options.speak ? listen(config) : *options.text == "-" ? read_standard_input() : *options.text;
  while (text.ends_with('\n') || text.ends_with(' ')) text.pop_back();
  edit_session(path, options.segment, text);
  print("[{}] {}\n", options.segment, text);
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
