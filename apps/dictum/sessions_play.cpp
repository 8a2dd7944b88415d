#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/playback.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
#include "sessions_verbs.hpp"
#include "signals.hpp"
#include "times.hpp"

namespace dictum::program {
namespace {

namespace fs = std::filesystem;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string session;
  std::string at;
  std::optional<std::uint32_t> segment;
  bool only = false;
};

ExitCode play(const fs::path& path, const Options& options, const std::stop_token& stop) {
  const SessionTranscript session = open_session(path);
  Frame from = 0;
  if (!options.at.empty()) from = static_cast<Frame>(parse_position(options.at) * session.sample_rate);
  if (options.segment) from = session.segment(*options.segment).start_frame;
  int missing = 0;
  const auto show = [&](const TranscriptSegment& segment, Frame start) {
    print("{:>9}  [{}] {}\n", position_text(session.seconds(start)), segment.index, segment.text);
    flush_output();
  };
  const auto count = [&](const RecorderError& error) {
    print_error("{}", error.what());
    ++missing;
  };
  const bool found = play_session(
      session,
      {.from = from, .only = options.only ? options.segment : std::nullopt, .on_segment = show, .on_missing = count},
      stop);
  if (!found) print_error("there is no sound from {} on", position_text(session.seconds(from)));
  return found && missing == 0 ? ExitCode::success : ExitCode::failure;
}

ExitCode play(const Options& options) {
  if (options.only && !options.segment) throw UsageError("--only goes with --segment");
  if (!options.at.empty() && options.segment) throw UsageError("--at and --segment exclude each other");
  const fs::path path = find_session(session_root(options.config.resolve({})), options.session);
  Signals signals;  // before any thread
  std::stop_source stop;
  std::jthread interrupter([&] {
    if (signals.wait() == Signals::Event::signal) stop.request_stop();
  });
  struct Wake {
    Signals& signals;
    ~Wake() { signals.wake(); }
  } wake{signals};
  return play(path, options, stop.get_token());
}

}  // namespace

void add_play_verb(CLI::App& sessions, ExitCode& code) {
  CLI::App* command = sessions.add_subcommand("play", "Play what was kept of a session");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session, "a name, the beginning of one, a folder, or \"last\"")->required();
  command->add_option("--at", options->at, "from this place on: 83.4, 1:23.4");
  command->add_option("--segment", options->segment, "from this segment on");
  command->add_flag("--only", options->only, "just that segment");
  options->config.add_root();
  command->callback([options, &code] { code = play(*options); });
}

}  // namespace dictum::program
