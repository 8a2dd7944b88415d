#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/recorder_backend.hpp"
#include "dictum/sound_file.hpp"
#include "event_printer.hpp"
#include "help_formatter.hpp"
#include "output.hpp"
#include "record_jobs.hpp"
#include "record_to.hpp"
#include "recording_outcome.hpp"
#include "server/hook_runner.hpp"
#include "signals.hpp"

namespace dictum::program {
namespace {

using namespace std::chrono_literals;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  std::vector<std::string> files;
  int jobs = 0;  // 0: one file after the other, with its events
  bool json = false;
  bool live_events = false;
  bool no_transcribe = false;
  std::string to;
  std::filesystem::path to_token;
  std::filesystem::path tls_ca;
  server::HookSettings hooks;
};

bool is_file(const RecorderConfig& config) {
  return !config.capture.input.empty() && config.capture.input != "-";
}

bool names_file(const Options& options, const RecorderConfig& config) {
  return options.files.empty() ? is_file(config) : options.files.front() != "-";
}

constexpr double kLevelHz = 10;
constexpr auto kOutputPatience = 500ms;
constexpr std::chrono::milliseconds kHooks = 30s;  // for programs that wait, at the end
constexpr std::chrono::milliseconds kHooksWhenInterrupted = 2s;

RecorderConfig resolve(const Options& options) {
  RecorderConfig base;
  base.capture.pace = "fast";  // a file is read as fast as it can be ...
  const bool shows_levels = options.json ? options.live_events : isatty(STDOUT_FILENO) != 0;
  base.events.level_hz = shows_levels ? kLevelHz : 0;  // they cost a third of what listening to silence takes
  RecorderConfig config = options.config.resolve(base);
  for (const auto& [flag, seconds] : {std::pair{"--duration", config.capture.duration_sec},
                                      std::pair{"--stop-after-silence", config.capture.stop_after_silence_sec}}) {
    if (options.config.was_given(flag) && seconds <= 0) {
      throw UsageError(fmt::format("{} must be more than 0 seconds", flag));
    }
  }
  if (names_file(options, config) && !options.config.was_given("--drain-sec")) {
    config.transcription.drain_sec = -1;  // ... and all of it is transcribed
  }
  if (options.no_transcribe) config.transcription.transcriber = "none";
  return config;
}

/// What the callback of a recording does and knows. Lives on the delivery thread; `signals` takes word to main's.
class Watcher {
 public:
  Watcher(const Options& options, const RecorderConfig& config, std::shared_ptr<Signals> signals)
      : signals_(std::move(signals)),
        is_file_(is_file(config)),
        printer_(settings(options, config)),
        hooks_(options.hooks, [](const std::string&, const std::string& sentence) { print_error("{}", sentence); }) {}

  void receive(const Event& event) {
    if (lost_output() == 0) show(event);
    hooks_.take(event);
    watch(event);
  }

  bool wants_stop() const { return wants_stop_; }
  const RecordingOutcome& outcome() const { return outcome_; }
  int lost_output() const { return lost_output_; }
  void clear() { printer_.clear(); }
  void finish_hooks(std::chrono::milliseconds patience) { hooks_.finish(patience); }

 private:
  static EventPrinter::Settings settings(const Options& options, const RecorderConfig& config) {
    EventPrinter::Settings settings{
        .is_terminal = isatty(STDOUT_FILENO) != 0, .json = options.json, .live_events = options.live_events};
    if (!is_file(config)) return settings;
    try {
      const SoundFileInfo file = sound_file_info(config.capture.input);
      settings.sample_rate = file.format.sample_rate;
      settings.total_frames = file.frames.value_or(0);
    } catch (const RecorderError&) {  // the start will say what is wrong with it
    }
    return settings;
  }

  void show(const Event& event) {
    printer_.print(event);
    lost_output_ = flush_output();
    // Nobody would see any more that it records; a file is read to its end all the same.
    if (lost_output_ != 0 && !is_file_) stop();
  }

  void watch(const Event& event) {
    outcome_.take(event);
    if (outcome_.has_stopped()) stop();
  }

  void stop() {
    wants_stop_ = true;
    signals_->wake();
  }

  const std::shared_ptr<Signals> signals_;  // this outlives the recording where the reader of the output is stuck
  const bool is_file_;
  EventPrinter printer_;
  server::HookRunner hooks_;
  std::atomic<bool> wants_stop_{false};
  RecordingOutcome outcome_;
  std::atomic<int> lost_output_{0};  // errno, once standard output cannot be written
};

/// Does `work` on another thread; each signal meanwhile calls `interrupt`, which shortens it. True where there was one.
/// Throws what `work` throws.
bool do_interruptibly(Signals& signals, std::function<void()> work, const std::function<void()>& interrupt) {
  bool interrupted = false;
  std::packaged_task<void()> task(std::move(work));
  auto done = task.get_future();
  std::jthread thread;
  try {
    thread = std::jthread([&] {
      task();
      signals.wake();
    });
  } catch (const std::system_error&) {  // there are no threads left: no signal comes in between, then
    task();
  }
  while (done.wait_for(0s) != std::future_status::ready) {
    if (signals.wait() != Signals::Event::signal) continue;
    interrupted = true;
    interrupt();
  }
  done.get();
  return interrupted;
}

struct Recorded {
  ExitCode code{};
  bool interrupted = false;
};

Recorded record(const Options& options, const RecorderConfig& config) {
  limit_output(std::nullopt);
  const auto signals_owner = std::make_shared<Signals>();
  Signals& signals = *signals_owner;
  auto watcher = std::make_shared<Watcher>(options, config, signals_owner);
  auto backend = std::make_unique<RecorderBackend>(config, [watcher](const Event& event) { watcher->receive(event); });
  // The recording, and the wait for texts.
  const auto stop_at_once = [&] {
    std::error_code error;
    backend->stop_recording(0s, error);
  };
  bool interrupted = do_interruptibly(signals, [&] { backend->start_recording(); }, stop_at_once);
  auto why = Signals::Event::woken;
  // A signal in the start stops it already, and where the reader of the output is stuck, nothing else says so.
  while (!interrupted && !watcher->wants_stop() && why == Signals::Event::woken) why = signals.wait();
  interrupted = interrupted || why == Signals::Event::signal;

  const auto stop = [&] {
    std::error_code error;
    backend->stop_recording(error);
  };
  if (do_interruptibly(signals, stop, stop_at_once)) interrupted = true;
  const std::filesystem::path session = backend->get_session_path();
  backend.reset();
  const auto patience = interrupted ? kHooksWhenInterrupted : kHooks;
  if (do_interruptibly(
          signals, [&] { watcher->finish_hooks(patience); }, [&] { watcher->finish_hooks(kHooksWhenInterrupted); })) {
    interrupted = true;
  }
  // A reader that does not read has had its time, in which the last events were to be delivered.
  limit_output(kOutputPatience);
  const int lost_output = watcher->lost_output() != 0 ? watcher->lost_output() : flush_output();
  if (lost_output != 0) {
    set_loss_reported();
    print_error("standard output cannot be written ({}){}: {} {}", why_output_was_lost(lost_output),
                is_file(config) || watcher->lost_output() == 0 ? "" : ", so the recording was stopped",
                watcher->outcome().has_failed() ? "what could be written of it is in" : "it is safe in",
                session.string());
    return {ExitCode::failure, interrupted};
  }
  if (!options.json) {
    watcher->clear();
    print("Session: {}\n", session.string());
  }
  watcher->outcome().print_missing(session.string());
  return {watcher->outcome().code(), interrupted};
}

/// The session is the server's, and so is how it is segmented and transcribed.
ExitCode record_for_server(const Options& options, RecorderConfig config) {
  if (options.files.size() > 1) throw UsageError("--to sends one file at a time");
  if (options.jobs > 0) throw UsageError("--jobs does not go with --to");
  if (options.no_transcribe) throw UsageError("--no-transcribe does not go with --to: the server transcribes");
  std::string without_effect = options.config.given_outside("capture");
  for (const char* flag : {"--stop-after-silence", "--channel"}) {
    if (options.config.was_given(flag)) without_effect = flag;
  }
  if (options.live_events) without_effect = "--live-events";
  if (!without_effect.empty()) throw UsageError(fmt::format("{} does not go with --to", without_effect));
  if (!options.files.empty()) config.capture.input = options.files.front();
  return record_to({.url = options.to,
                    .token_file = options.to_token,
                    .authorities = options.tls_ca,
                    .printing = {.is_terminal = isatty(STDOUT_FILENO) != 0, .json = options.json}},
                   config);
}

/// Each file is a session of its own. One that fails does not keep the others from being recorded.
ExitCode record(const Options& options) {
  RecorderConfig config = resolve(options);
  if (!options.files.empty() && options.config.was_given("--input")) {
    throw UsageError("name files either with --input or as arguments");
  }
  if (!options.to.empty()) return record_for_server(options, std::move(config));
  if (!options.to_token.empty()) throw UsageError("--to-token belongs to --to");
  if (!options.tls_ca.empty()) throw UsageError("--tls-ca belongs to --to");
  if (options.jobs > 0) {
    if (options.files.empty()) throw UsageError("--jobs needs files: dictum record --jobs 2 FILE...");
    if (options.live_events) throw UsageError("--live-events does not go with --jobs");
    return record_jobs(options.files, config, options.hooks, options.jobs, options.json);
  }
  if (options.files.empty()) return record(options, config).code;
  ExitCode code = ExitCode::success;
  for (const auto& file : options.files) {
    config.capture.input = file;
    try {
      const Recorded recorded = record(options, config);
      if (recorded.code != ExitCode::success) code = recorded.code;
      if (recorded.interrupted) break;
    } catch (const RecorderError& error) {
      print_error("{}", error.what());
      code = ExitCode::failure;
      if (error.code() == Errc::cancelled) break;
    }
  }
  return code;
}

constexpr const char* kExamples = R"(
Examples:
  dictum record                                      the microphone, until Ctrl+C
  dictum record --duration 60 --language en          a minute of it, in English
  dictum record interview.mp3 lecture.wav            files, each a session
  dictum record --input - --input-format s16le:16000 samples from another program)";

}  // namespace

void add_record_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("record", "Record the microphone, files, or a stream (-)");
  auto options = std::make_shared<Options>(*command);
  command->add_option("FILE", options->files, "sound files, each a session of its own; - is standard input");
  options->config.add_all();
  command->add_option("--jobs", options->jobs, "record so many files at once; a line for each that is done")
      ->check(CLI::Range(1, kMaxJobs));
  command->add_flag("--json", options->json, "print one event a line as JSON, and nothing else, on standard output");
  command->add_flag("--live-events", options->live_events, "with --json: also levels, interim text, queue status");
  command->add_flag("--no-transcribe", options->no_transcribe, "keep the audio only");
  command
      ->add_option("--to", options->to, "send the audio to a server, which records it: ws://HOST:PORT, wss:// with TLS")
      ->type_name("URL");
  show_seldom(*command,
              *command->add_option("--to-token", options->to_token, "a file with the token that the server lets in by")
                   ->type_name("FILE"));
  show_seldom(*command, *command
                             ->add_option("--tls-ca", options->tls_ca,
                                          "trust a server (wss://) by the certificates in this file (PEM)")
                             ->type_name("FILE"));
  command->footer(kExamples);
  command->callback([options, &code] {
    try {
      options->hooks = server::read_hooks(options->config.file());
    } catch (const RecorderError& error) {
      throw UsageError(error.what());
    }
    code = record(*options);
  });
}

}  // namespace dictum::program
