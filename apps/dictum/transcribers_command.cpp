#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "commands.hpp"
#include "dictum/error.hpp"
#include "dictum/transcribers.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

ExitCode transcribers() {
  const auto workers = list_transcribers();
  if (workers.empty()) {
    print("No transcriber is installed: a program dictum-worker-NAME beside dictum or on PATH is one.\n");
  }
  for (const std::string& sentence : ignored_transcriber_folders()) print("{}\n", sentence);
  const std::string chosen = auto_transcriber();
  for (const auto& worker : workers) {
    print("{} {:<14} ", worker.name == chosen ? "*" : " ", worker.name);
    try {
      const TranscriberInfo info = probe_transcriber(worker);
      print("{}; model {}; languages {}\n", info.engine, info.model,
            fmt::format("{}", fmt::join(info.languages, ", ")));
    } catch (const RecorderError& error) {
      print("not usable: {}\n", error.what());
    }
    print("  {:<14} {}\n", "", worker.executable.string());
  }
  return ExitCode::success;
}

}  // namespace

void add_transcribers_command(CLI::App& app, ExitCode& code) {
  CLI::App* command =
      app.add_subcommand("transcribers", "List the transcribers and what each says of itself; * is auto");
  command->callback([&code] { code = transcribers(); });
}

}  // namespace dictum::program
