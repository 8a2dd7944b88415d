#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "event_printer.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string session;
  bool failed = false;
  bool json = false;
};

ExitCode resume(const Options& options) {
  RecorderConfig base;
  base.transcription.drain_sec = -1;  // what is unfinished is finished, unless there is a limit
  const RecorderConfig config = options.config.resolve(base);
  const std::filesystem::path root = session_root(config);
  std::vector<std::filesystem::path> sessions;
  if (!options.session.empty()) {
    sessions.push_back(find_session(root, options.session));
  } else {
    for (const auto& unfinished : find_unfinished_sessions(root)) {
      if (!options.json) print("{}: {}\n", unfinished.path.filename().string(), unfinished.reason);
      sessions.push_back(unfinished.path);
    }
    if (sessions.empty() && !options.json) print("Nothing is unfinished in {}.\n", root.string());
  }
  EventPrinter printer({.is_terminal = isatty(STDOUT_FILENO) != 0, .json = options.json});
  bool all_resumed = true;
  for (const auto& session : sessions) {
    const auto failed = options.failed ? FailedTexts::retry : FailedTexts::keep;
    try {
      resume_session(
          config, session, failed, [&](const Event& event) { printer.print(event); }, config.transcription.drain_sec);
    } catch (const RecorderError& error) {
      if (sessions.size() == 1) throw;
      all_resumed = false;  // the others are none the worse for it
      printer.clear();
      print_error("{}: {}", session.filename().string(), error.what());
      continue;
    }
    printer.clear();
    if (!options.json) print("Session: {}\n", session.string());
  }
  return all_resumed && !printer.has_failed() && !printer.has_left_texts() ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_resume_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("resume", "Finish sessions that a crash or a stop left unfinished");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session,
                      "a name, the beginning of one, a folder, or \"last\"; none: all that are unfinished");
  command->add_flag("--failed", options->failed, "transcribe again what had failed");
  command->add_flag("--json", options->json, "print one event a line as JSON");
  options->config.add_root({"transcription"});
  command->callback([options, &code] { code = resume(*options); });
}

}  // namespace dictum::program
