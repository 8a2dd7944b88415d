#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "output.hpp"
#include "signals.hpp"

namespace dictum::program {
namespace {

using Seconds = std::chrono::duration<double>;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::string session;
  double speed = 1;
};

/// How long after the event before it an event comes: as it was while recording. What happened to the session later
/// (texts that came days after, a second pass) follows without that wait.
class Pace {
 public:
  Seconds wait_before(const Event& event) {
    const Seconds passed{last_ ? event.timestamp - *last_ : 0};
    last_ = event.timestamp;
    const Seconds most = ended_ ? Seconds(1) : Seconds(24 * 3600);
    if (const auto* changed = std::get_if<RecordingStateChanged>(&event.body)) ended_ = !changed->is_recording;
    return std::clamp(passed, Seconds(0), most);  // false clocks give negative times, or no numbers
  }

 private:
  std::optional<double> last_;
  bool ended_ = false;
};

ExitCode replay(const Options& options) {
  const auto path = find_session(session_root(options.config.resolve({})), options.session);
  Signals signals;
  Pace pace;
  auto due = std::chrono::steady_clock::now();
  bool was_ended = false;
  const auto problems = read_events(path, [&](const Event& event) {
    if (options.speed > 0) {
      due += std::chrono::duration_cast<std::chrono::nanoseconds>(pace.wait_before(event) / options.speed);
      was_ended = due > std::chrono::steady_clock::now() && signals.wait(due) == Signals::Event::signal;
      if (was_ended) return false;
    }
    print_json(event.to_json());
    was_ended = flush_output() != 0;  // `finish_output` says so
    return !was_ended;
  });
  if (was_ended) return ExitCode::success;
  for (const SessionProblem& problem : problems) print_error("{}", problem.what);
  return problems.empty() ? ExitCode::success : ExitCode::failure;
}

}  // namespace

void add_replay_command(CLI::App& app, ExitCode& code) {
  CLI::App* command =
      app.add_subcommand("replay", "Print a session's events again, as --json did while it was recorded");
  auto options = std::make_shared<Options>(*command);
  command->add_option("SESSION", options->session, "a name, the beginning of one, a folder, or \"last\"")->required();
  command->add_option("--speed", options->speed, "times as fast as they came; 0: at once")->check(CLI::Range(0.0, 1e6));
  options->config.add_root();
  command->callback([options, &code] { code = replay(*options); });
}

}  // namespace dictum::program
