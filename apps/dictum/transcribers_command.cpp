#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/utf8.hpp"
#include "commands.hpp"
#include "dictum/error.hpp"
#include "output.hpp"
#include "transcription/worker_lookup.hpp"

namespace dictum::program {
namespace {

ExitCode transcribers() {
  const auto workers = transcription::list_workers();
  if (workers.empty()) {
    print("No transcriber is installed: a program dictum-worker-NAME beside dictum or on PATH is one.\n");
  }
  for (const std::string& sentence : transcription::ignored_worker_folders()) print("{}\n", sentence);
  const std::string chosen = transcription::resolve_transcriber("auto");
  for (const auto& worker : workers) {
    print("{} {:<14} ", worker.name == chosen ? "*" : " ", worker.name);
    try {
      const auto hello = transcription::probe(worker.executable);
      print("{}; model {}; languages {}\n", utf8::on_one_line(hello.engine), utf8::on_one_line(hello.model),
            utf8::on_one_line(fmt::format("{}", fmt::join(hello.languages, ", "))));
    } catch (const RecorderError& error) {
      print("not usable: {}\n", utf8::on_one_line(error.what()));
    }
    print("  {:<14} {}\n", "", utf8::on_one_line(worker.executable.string()));
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
