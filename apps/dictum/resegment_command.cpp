#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "journal/session_directory.hpp"
#include "offline/resegment.hpp"
#include "session/library.hpp"
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

void print(const offline::Analysis& analysis) {
  const auto seconds = [&](Frame frame) { return static_cast<double>(frame) / analysis.sample_rate; };
  for (const auto& segment : analysis.segments) {
    fmt::print("segment {:>3}  {:>9} to {:>9}{}\n", segment.index, position_text(seconds(segment.speech_start_frame)),
               position_text(seconds(segment.speech_end_frame)), segment.kept ? "" : "  too short to be kept");
  }
}

ExitCode resegment(const Options& options) {
  const RecorderConfig config = options.config.resolve({});
  const auto path = session::find_session(journal::session_root(config), options.session);
  if (options.dry_run) {
    const offline::Analysis analysis = offline::analyze_timeline(config, path);
    for (const auto& warning : analysis.warnings) fmt::print(stderr, "dictum: {}\n", warning);
    if (options.json) {
      fmt::print("{}\n", json::to_line(to_json(analysis)));
    } else {
      print(analysis);
    }
    return ExitCode::success;
  }
  int failed = 0;
  const auto made = offline::resegment_session(config, path, [&](const Event& event) {
    const auto* complete = std::get_if<TranscriptionComplete>(&event.body);
    if (complete != nullptr && !complete->success) ++failed;
    if (options.json) {
      if (!event.is_ephemeral()) fmt::print("{}\n", event.to_json());
    } else if (complete != nullptr) {
      fmt::print("{:>4}  {}\n", complete->segment_index,
                 utf8::on_one_line(complete->success ? complete->text
                                                     : fmt::format("[no text: {}]", complete->error->message)));
    } else if (const auto* fault = std::get_if<RecorderFault>(&event.body)) {
      fmt::print(stderr, "dictum: {}\n", utf8::on_one_line(fault->message));
    }
  });
  if (!options.json) fmt::print("Session: {}\n", made.string());
  return failed == 0 ? ExitCode::success : ExitCode::failure;
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
  options->config.add_root({"vad", "transcription", "transcription.simulated"});
  command->callback([options, &code] { code = resegment(*options); });
}

}  // namespace dictum::program
