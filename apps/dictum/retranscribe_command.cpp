#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/resume.hpp"
#include "base/utf8.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "journal/session_directory.hpp"
#include "session/library.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::program {
namespace {

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::vector<std::string> sessions;
  bool json = false;
};

ExitCode retranscribe(const Options& options) {
  const RecorderConfig config = options.config.resolve({});
  if (!transcription::transcribes(config)) throw UsageError("--transcriber none transcribes nothing");
  std::vector<std::filesystem::path> sessions;
  for (const auto& name : options.sessions) {
    sessions.push_back(session::find_session(journal::session_root(config), name));
  }
  int failed = 0;
  for (const auto& session : sessions) {
    api::resume_session(config, session, recorder::Redo::everything, [&](const Event& event) {
      const auto* complete = std::get_if<TranscriptionComplete>(&event.body);
      if (complete != nullptr && !complete->success) ++failed;
      if (options.json) {
        if (!event.is_ephemeral()) fmt::print("{}\n", event.to_json());
      } else if (complete != nullptr) {
        fmt::print("{:>4}  {}\n", complete->segment_index,
                   utf8::on_one_line(complete->success ? complete->text
                                                       : fmt::format("[no text: {}]", complete->error->message)));
      }
    });
    if (!options.json) fmt::print("Session: {}\n", session.string());
  }
  return failed == 0 ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_retranscribe_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand(
      "retranscribe", "Transcribe a session again, by another engine or model; the old texts stay beside the new ones");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->sessions, "names, beginnings of names, folders, or \"last\"")->required();
  command->add_flag("--json", options->json, "print one event a line as JSON");
  options->config.add_root({"transcription", "transcription.simulated"});
  command->callback([options, &code] { code = retranscribe(*options); });
}

}  // namespace dictum::program
