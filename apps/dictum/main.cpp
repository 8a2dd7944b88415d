#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/nearest.hpp"
#include "build_info.hpp"
#include "commands.hpp"
#include "dictum/error.hpp"
#include "exit_code.hpp"
#include "help_formatter.hpp"
#include "output.hpp"
#include "time_zone.hpp"

namespace {

/// The first word on the command line that names no option of `command`; empty where each does.
std::string unknown_option(const CLI::App& command) {
  for (const std::string& word : command.remaining()) {
    if (word.starts_with('-') && word != "-" && word != "--") return word.substr(0, word.find('='));
  }
  return {};
}

std::vector<std::string> long_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What somebody probably meant by a word that is not known, or where all of them are described.
std::string hint(std::string_view word, const std::vector<std::string>& words, std::string_view help) {
  const std::string meant = dictum::near(word, words);
  return meant.empty() ? fmt::format("see {}", help) : fmt::format("did you mean \"{}\"?", meant);
}

/// On one line, as every other refusal. `command` is where the command line's words begin.
std::string sentence(const CLI::App& app, const CLI::ParseError& error, const char* const* command) {
  const CLI::App* last = &app;  // the one that a further command is missing behind
  std::string name = app.get_name();
  for (; !last->get_subcommands().empty(); ++command) {
    last = last->get_subcommands().front();
    name += " " + last->get_name();
  }
  const std::string help = name + " --help";
  std::vector<std::string> names;
  for (const CLI::App* each : last->get_subcommands({})) names.push_back(each->get_name());
  if (!names.empty() && *command == nullptr) {
    return fmt::format("{} needs a command ({}): see {}", name, fmt::join(names, ", "), help);
  }
  if (!names.empty() && **command != '-') {
    return fmt::format("unknown command \"{}\": {}", *command, hint(*command, names, help));
  }
  if (const std::string option = unknown_option(*last); !option.empty()) {
    return fmt::format("unknown option \"{}\": {}", option, hint(option, long_names(*last), help));
  }
  std::string text = error.what();
  std::ranges::replace(text, '\n', ' ');
  // "--port: 1 required UINT missing"
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && text.ends_with("missing")) {
    text.resize(std::min(text.find(':'), text.size()));
    text += " needs a value";
  }
  return fmt::format("{}: see {}", text, help);
}

/// Threads and descriptors that the system does not give reach us as its errors, which say little.
std::string sentence(const std::exception& error) {
  const auto* const refusal = dynamic_cast<const std::system_error*>(&error);
  const bool is_ours = dynamic_cast<const dictum::RecorderError*>(&error) != nullptr;
  if (!is_ours && refusal != nullptr &&
      (refusal->code() == std::errc::resource_unavailable_try_again ||
       refusal->code() == std::errc::too_many_files_open ||
       refusal->code() == std::errc::too_many_files_open_in_system)) {
    return fmt::format(
        "the system refuses what the program needs ({}): close other programs, or raise its limits (ulimit)",
        error.what());
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return "there is not enough memory: close other programs, or raise the limit (ulimit -v)";
  }
  return error.what();
}

/// The first argument that is empty, by the option before it: in a script, a variable that is not set. It never means
/// "not given".
std::optional<std::string> empty_argument(std::span<const char* const> arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      return std::string(argument.substr(0, argument.size() - 1));
    }
    if (!argument.empty()) continue;
    const std::string_view before = arguments[i - 1];
    return before.starts_with("--") && before.size() > 2 ? std::string(before) : fmt::format("argument {}", i);
  }
  return std::nullopt;
}

/// The help calls each number NUMBER, whatever its type and range; the message that refuses one has the range. Choices
/// stay: "{a,b}".
void simplify_numbers(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    try {
      for (int i = 0;; ++i) {
        CLI::Validator* const check = option->get_validator(i);
        if (!check->get_description().starts_with('{')) check->description("");
      }
    } catch (const CLI::OptionNotFound&) {  // there are no more
    }
    if (option->get_type_name() == "INT" || option->get_type_name() == "UINT") option->type_name("NUMBER");
  }
  for (CLI::App* each : command.get_subcommands({})) simplify_numbers(*each);
}

struct Command {
  std::string_view name;
  void (*add)(CLI::App& app, dictum::program::ExitCode& code);
  bool describes_all = false;  ///< its output names the options of every other command
};

constexpr Command kCommands[] = {
    {"record", dictum::program::add_record_command},
    {"serve", dictum::program::add_serve_command},
    {"worker", dictum::program::add_worker_command},
    {"cluster", dictum::program::add_cluster_command},
    {"ctl", dictum::program::add_ctl_command},
    {"tui", dictum::program::add_tui_command},
    {"resume", dictum::program::add_resume_command},
    {"sessions", dictum::program::add_sessions_command},
    {"notes", dictum::program::add_notes_command},
    {"retranscribe", dictum::program::add_retranscribe_command},
    {"resegment", dictum::program::add_resegment_command},
    {"replay", dictum::program::add_replay_command},
    {"analyze", dictum::program::add_analyze_command},
    {"devices", dictum::program::add_devices_command},
    {"transcribers", dictum::program::add_transcribers_command},
    {"models", dictum::program::add_models_command},
    {"config", dictum::program::add_config_command},
    {"doctor", dictum::program::add_doctor_command},
    {"completion", dictum::program::add_completion_command, true},
    {"manual", dictum::program::add_manual_command, true},
};

/// Adds the command that the first word names, or all of them where it names none: hundreds of options take longer to
/// describe than most commands to carry out.
void add_commands(CLI::App& app, dictum::program::ExitCode& code, std::span<const char* const> words) {
  const auto first = std::ranges::find_if(words, [](std::string_view word) { return !word.starts_with('-'); });
  const auto* const named =
      std::ranges::find(kCommands, first != words.end() ? std::string_view(*first) : "", &Command::name);
  const bool is_alone = named != std::end(kCommands) && !named->describes_all;
  for (const Command& command : kCommands) {
    if (!is_alone || &command == named) command.add(app, code);
  }
  if (named != std::end(kCommands)) simplify_numbers(app);  // the program's own help shows no options of commands
}

int run(int argc, char** argv) {
  using namespace dictum::program;
  guard_standard_descriptors();
  guard_time_zone();
  // A core dump would hold what was said. Not 0, which Linux takes for "no file": a program that is named in
  // core_pattern would get the dump all the same.
  const rlimit no_core{1, 1};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // A disk that is full and a reader that is gone are errors of one write, not the end of a recording.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app("Records what is said, keeps every spoken segment safe on disk, and transcribes it.", "dictum");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "print this help");
  bool as_json = false;
  CLI::Option* json = app.add_flag("--json", as_json, "with --version: as JSON");
  const auto print_version = [&as_json] {  // behind --json, whose value is known by now
    if (!as_json) throw CLI::CallForVersion(version_text(), 0);
    print_json(version_json());
    throw CLI::Success();
  };
  json->needs(app.add_flag_callback("--version", print_version, "print the version, and what it was built from"));
  app.require_subcommand(1);

  ExitCode code = ExitCode::success;
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  add_commands(app, code, words.subspan(std::min<std::size_t>(1, words.size())));

  if (const auto empty = empty_argument(words)) {
    print_error("{} is empty: give it a value, or leave it out", *empty);
    return int(ExitCode::usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // help, or the version
      app.exit(error);
    } else {
      print_error("{}", sentence(app, error, argv + 1));
      code = ExitCode::usage;
    }
  } catch (const UsageError& error) {
    print_error("{}", error.what());
    code = ExitCode::usage;
  } catch (const std::exception& error) {
    print_error("{}", sentence(error));
    code = ExitCode::failure;
  }
  std::cout.flush();
  return int(finish_output(code));
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv);
}
