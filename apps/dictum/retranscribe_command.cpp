#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/sessions.hpp"
#include "dictum/transcribers.hpp"
#include "event_printer.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::vector<std::string> sessions;
  bool json = false;
  bool replace_edits = false;
};

ExitCode retranscribe(const Options& options) {
  RecorderConfig base;
  base.transcription.drain_sec = -1;  // all of it, unless there is a limit
  const RecorderConfig config = options.config.resolve(base);
  if (!transcribes(config)) throw UsageError("--transcriber none transcribes nothing");
  std::vector<std::filesystem::path> sessions;
  for (const auto& name : options.sessions) {
    sessions.push_back(find_session(session_root(config), name));
  }
  EventPrinter printer({.is_terminal = isatty(STDOUT_FILENO) != 0, .json = options.json});
  const auto edited_texts = options.replace_edits ? EditedTexts::replace : EditedTexts::keep;
  for (const auto& session : sessions) {
    const auto edited = std::ranges::count_if(open_session(session).segments, &TranscriptSegment::edited);
    retranscribe_session(
        config, session, edited_texts, [&](const Event& event) { printer.print(event); },
        config.transcription.drain_sec);
    printer.clear();
    if (!options.json) print("Session: {}\n", session.string());
    if (edited > 0 && !options.replace_edits) {
      print_error("{} {} corrected by hand and kept: --replace-edits transcribes {} too", edited,
                  edited == 1 ? "segment was" : "segments were", edited == 1 ? "it" : "them");
    }
  }
  return printer.has_failed() || printer.has_left_texts() ? ExitCode::failure : ExitCode::success;
}

}  // namespace

void add_retranscribe_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand(
      "retranscribe", "Transcribe a session again, by another engine or model; the old texts stay beside the new ones");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->sessions, "names, beginnings of names, folders, or \"last\"")->required();
  command->add_flag("--json", options->json, "print one event a line as JSON");
  command->add_flag("--replace-edits", options->replace_edits, "also the segments that were corrected by hand");
  options->config.add_root({"transcription"});
  command->callback([options, &code] { code = retranscribe(*options); });
}

}  // namespace dictum::program
