#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "api/resume.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "journal/session_directory.hpp"
#include "session/library.hpp"
#include "session/recovery.hpp"
#include "wire/event_json.hpp"

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
  const RecorderConfig config = options.config.resolve({});
  const std::filesystem::path root = journal::session_root(config);
  std::vector<std::filesystem::path> sessions;
  if (!options.session.empty()) {
    sessions.push_back(session::find_session(root, options.session));
  } else {
    for (const auto& unfinished : session::find_unfinished(root)) {
      if (!options.json) fmt::print("{}: {}\n", unfinished.path.filename().string(), unfinished.reason);
      sessions.push_back(unfinished.path);
    }
    if (sessions.empty() && !options.json) fmt::print("Nothing is unfinished in {}.\n", root.string());
  }
  int failed = 0;
  for (const auto& session : sessions) {
    const auto redo = options.failed ? recorder::Redo::failed : recorder::Redo::nothing;
    api::resume_session(config, session, redo, [&](const Event& event) {
      const auto* complete = std::get_if<TranscriptionComplete>(&event.body);
      if (complete != nullptr && !complete->success) ++failed;
      if (options.json) {
        if (!event.is_ephemeral()) fmt::print("{}\n", event.to_json());
      } else if (complete != nullptr) {
        fmt::print("{:>4}  {}\n", complete->segment_index,
                   complete->success ? complete->text : fmt::format("[no text: {}]", complete->error->message));
      }
    });
    if (!options.json) fmt::print("Session: {}\n", session.string());
  }
  return failed == 0 ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_resume_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("resume", "Finish sessions that a crash or a stop left unfinished");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session,
                      "a name, the beginning of one, a folder, or \"last\"; none: all that are unfinished");
  command->add_flag("--failed", options->failed, "transcribe again what had failed");
  command->add_flag("--json", options->json, "print one event a line as JSON");
  options->config.add_all();
  command->callback([options, &code] { code = resume(*options); });
}

}  // namespace dictum::program
