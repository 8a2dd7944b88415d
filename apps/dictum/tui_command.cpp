#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <ftxui/screen/terminal.hpp>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "base/scratch_folder.hpp"
#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"
#include "tui_controller.hpp"
#include "tui_window.hpp"

namespace dictum::program {
namespace {

namespace asio = boost::asio;

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  bool demo = false;
};

constexpr double kLevelHz = 15;
constexpr int kDemoWorkers = 2;  // one is idle for interim text

/// The sample that comes with the program: beside an installed one, or in the sources that it was built from.
std::filesystem::path sample() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  auto installed = program.parent_path().parent_path() / DICTUM_SAMPLE_FROM_PREFIX;
  if (std::filesystem::exists(installed, error)) return installed;
  return (program.parent_path() / DICTUM_SAMPLE_FROM_PROGRAM).lexically_normal();
}

tui::Palette palette() {
  using Colours = tui::Palette::Colours;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const std::string_view terminal = term != nullptr ? term : "";
  if ((no_colour != nullptr && *no_colour != '\0') || terminal == "dumb" || terminal.ends_with("-mono") ||
      terminal.starts_with("vt")) {
    return tui::Palette(Colours::none);
  }
  // What the palette has decided on is sent as it is.
  const bool many = ftxui::Terminal::ColorSupport() == ftxui::Terminal::Color::TrueColor;
  ftxui::Terminal::SetColorSupport(ftxui::Terminal::Color::TrueColor);
  return tui::Palette(many ? Colours::many : Colours::few);
}

/// The signals that end, stop and continue the program, as something to read. They are blocked from then on, in this
/// thread and in those that it starts.
int open_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return descriptor;
}

/// Everything that lives while the terminal UI runs. The main thread draws; `loop` has the recorder's events, the
/// signals and the library's answers.
class Program {
 public:
  Program(const RecorderConfig& config, tui::KeyMap keys, bool records_at_once)
      : window_(std::move(keys), palette(), [this](tui::Command command) { carry_out(std::move(command)); }),
        signals_(context_, open_signals()),
        controller_(std::in_place, context_.get_executor(), config,
                    TUIController::Callbacks{
                        .publish = [this](std::shared_ptr<const tui::Model> model) { window_.show(std::move(model)); },
                        .copy = [this](std::string text) { window_.copy(std::move(text)); },
                        .done = [this] { come_to_an_end(); }}) {
    controller_->read_messages(quiet_.take_reader());
    read_signal();
    if (records_at_once) asio::post(context_, [this] { controller_->record(); });
  }

  ExitCode run() {
    std::exception_ptr failure;
    auto work = asio::make_work_guard(context_);
    std::thread loop([&] {
      try {
        context_.run();
      } catch (...) {
        failure = std::current_exception();
        come_to_an_end();
      }
    });
    std::exception_ptr drawing_failure;
    try {
      window_.run();
    } catch (...) {
      drawing_failure = std::current_exception();
      asio::post(context_, [this] { controller_->end(); });
    }
    // The terminal is as it was. What was recorded may still have texts to come.
    ended_.get_future().wait();
    asio::post(context_, [this] {
      controller_->shut_down();
      signals_.close();
    });
    work.reset();
    loop.join();
    controller_.reset();
    if (!failure) failure = drawing_failure;
    if (failure) std::rethrow_exception(failure);
    return ExitCode::success;
  }

 private:
  void carry_out(tui::Command command) {
    asio::post(context_, [this, command = std::move(command)] { controller_->carry_out(command); });
  }

  void come_to_an_end() {
    window_.quit();
    if (!std::exchange(has_ended_, true)) ended_.set_value();
  }

  void read_signal() {
    signals_.async_read_some(asio::buffer(&signal_, sizeof signal_),
                             [this](const boost::system::error_code& error, std::size_t) {
                               if (error) return;
                               take_signal(static_cast<int>(signal_.ssi_signo));
                               read_signal();
                             });
  }

  void take_signal(int signal) {
    if (signal == SIGTSTP) {
      was_suspended_ = true;
      window_.suspend();
    } else if (signal == SIGCONT) {
      if (!std::exchange(was_suspended_, false)) window_.wake_up();
    } else {
      window_.quit();
      controller_->end();
    }
  }

  QuietStandardError quiet_;
  asio::io_context context_{1};
  TUIWindow window_;
  asio::posix::stream_descriptor signals_;
  signalfd_siginfo signal_{};
  bool was_suspended_ = false;
  bool has_ended_ = false;  // the loop thread's
  std::promise<void> ended_;
  std::optional<TUIController> controller_;
};

ExitCode tui_command(const Options& options) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    throw UsageError("the terminal UI needs a terminal: for programs there is dictum record --json");
  }
  RecorderConfig base;
  base.events.level_hz = kLevelHz;
  RecorderConfig config = options.config.resolve(base);
  if (config.events.level_hz <= 0) config.events.level_hz = kLevelHz;
  const auto file = options.config.file();
  tui::KeyMap keys;
  try {
    if (!file.empty()) keys = tui::KeyMap(read_config_texts(file, "tui.keys"), file.string());
  } catch (const RecorderError& error) {
    throw UsageError(error.what());
  }
  std::optional<ScratchFolder> scratch;
  if (options.demo) {
    config.capture.input = sample();
    config.transcription.workers = std::max(config.transcription.workers, kDemoWorkers);
    if (!options.config.was_given("--output-dir")) config.session.root = scratch.emplace().path();
  }
  return Program(config, std::move(keys), !config.capture.input.empty()).run();
}

}  // namespace

void add_tui_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("tui", "Record in the terminal: see, read, search and play what is said");
  auto options = std::make_shared<Options>(*command);
  options->config.add_all();
  command->add_flag("--demo", options->demo, "record the bundled sample, and keep nothing");
  command->callback([options, &code] { code = tui_command(*options); });
}

}  // namespace dictum::program
