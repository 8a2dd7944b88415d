#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/analysis.hpp"
#include "dictum/sessions.hpp"
#include "event_printer.hpp"
#include "output.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string session;
  bool dry_run = false;
  bool json = false;
};

void print_segments(const Analysis& analysis) {
  const auto seconds = [&](Frame frame) { return static_cast<double>(frame) / analysis.sample_rate; };
  for (const auto& segment : analysis.segments) {
    print("segment {:>3}  {:>9} to {:>9}{}\n", segment.index, position_text(seconds(segment.speech_start_frame)),
          position_text(seconds(segment.speech_end_frame)), segment.kept ? "" : "  too short to be kept");
  }
}

ExitCode resegment(const Options& options) {
  const RecorderConfig config = options.config.resolve({});
  const auto path = find_session(session_root(config), options.session);
  if (options.dry_run) {
    const Analysis analysis = analyze_session(config, path);
    for (const auto& warning : analysis.warnings) print_error("{}", warning);
    if (options.json) {
      print_json(analysis.to_json());
    } else {
      print_segments(analysis);
    }
    return ExitCode::success;
  }
  EventPrinter printer({.is_terminal = isatty(STDOUT_FILENO) != 0, .json = options.json});
  const auto made = resegment_session(config, path, [&](const Event& event) { printer.print(event); });
  printer.clear();
  if (!options.json) print("Session: {}\n", made.string());
  return printer.has_failed() ? ExitCode::failure : ExitCode::success;
}

}  // namespace

void add_resegment_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand(
      "resegment",
      "Find the segments of a session that was recorded with --keep-all again, with other settings, as a "
      "new session beside it");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session, "a name, the beginning of one, a folder, or \"last\"")->required();
  command->add_flag("--dry-run", options->dry_run, "only show the segments");
  command->add_flag("--json", options->json, "print events, or with --dry-run one document, as JSON");
  options->config.add_root({"vad", "transcription"});
  command->callback([options, &code] { code = resegment(*options); });
}

}  // namespace dictum::program
