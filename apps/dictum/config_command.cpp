#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"
#include "output.hpp"
#include "server/hook_runner.hpp"
#ifdef DICTUM_TUI
#include "tui/action.hpp"
#endif

extern char** environ;

/// What is set, where, and what could be.
namespace dictum::program {
namespace {

namespace fs = std::filesystem;

/// What a value may be, for people: "0 to 10000", "silero, energy"; empty where the help says it.
std::string range(const Setting& setting) {
  if (!setting.one_of.empty()) return fmt::format("{}", fmt::join(setting.one_of, ", "));
  if (setting.least && setting.most) return fmt::format("{} to {}", *setting.least, *setting.most);
  if (setting.most) return fmt::format("at most {}", *setting.most);
  return {};
}

/// A whole configuration file: what differs from its default is set, the rest is shown behind a "#".
std::string as_file(const RecorderConfig& config) {
  const RecorderConfig defaults;
  std::string text;
  std::string section;
  for (const Setting& setting : settings()) {
    if (setting.section != section) text += fmt::format("\n[{}]\n", section = setting.section);
    const std::string allowed = range(setting);
    const std::string value = setting_as_toml(config, setting.name());
    const bool is_default = value == setting_as_toml(defaults, setting.name());
    text += fmt::format("# {}{}\n{}{} = {}\n", setting.help, allowed.empty() ? "" : " (" + allowed + ")",
                        is_default ? "#" : "", setting.key, value);
  }
  return text;
}

/// A table of `settings()` has no place for the sections of programs: those are read by whoever goes by them.
std::string section_of_hooks(const fs::path& file) {
  const server::HookSettings hooks = server::read_hooks(file);
  const auto line = [](std::string_view key, std::string_view help, const std::vector<std::string>& command) {
    return fmt::format("# {}\n{}{} = {}\n", help, command.empty() ? "#" : "", key,
                       boost::json::serialize(boost::json::value_from(command)));
  };
  return "\n[hooks]\n" +
         line("on_text", "a program and its arguments, run with the first text of each segment", hooks.on_text) +
         line("on_note", "the same, with each note that is complete", hooks.on_note);
}

#ifdef DICTUM_TUI
tui::KeyMap keys_of(const fs::path& file) {
  const auto wanted = file.empty() ? std::map<std::string, std::string>() : read_config_texts(file, "tui.keys");
  return tui::KeyMap(wanted, file.string());
}
#endif

std::string section_of_keys([[maybe_unused]] const fs::path& file) {
#ifdef DICTUM_TUI
  const tui::KeyMap keys = keys_of(file);
  std::string text = "\n[tui.keys]\n";
  for (const tui::ActionInfo& action : tui::actions()) {
    const std::string& key = keys.key(action.action);
    text += fmt::format("# {}\n{}{} = {}\n", action.help, key == action.key ? "#" : "", action.name,
                        boost::json::serialize(boost::json::value(key)));
  }
  return text;
#else
  return {};
#endif
}

/// Throws where something in the sections of programs is wrong.
void verify_sections(const fs::path& file) {
  (void)server::read_hooks(file);
#ifdef DICTUM_TUI
  (void)keys_of(file);
#endif
}

/// Everything that a configuration file may hold.
std::string as_whole_file(const RecorderConfig& config, const fs::path& file) {
  return as_file(config) + section_of_hooks(file) + section_of_keys(file);
}

std::string as_markdown() {
  std::string text =
      "# Settings\n\nThe settings of a recorder, as `dictum config show --markdown` writes them. The configuration "
      "file is\n"
      "`~/.config/dictum/config.toml` (`dictum config path`); `dictum config edit` opens it, with all of "
      "them in it.\n"
      "An option of the command line overrides the file. The file may also have `[hooks]` ([server.md](server.md)) "
      "and\n"
      "`[tui.keys]` ([tui.md](tui.md)).\n";
  const RecorderConfig defaults;
  std::string section;
  for (const Setting& setting : settings()) {
    if (setting.section != section) {
      section = setting.section;
      text += fmt::format("\n## [{}]\n\n| setting | what it is | default | may be |\n|---|---|---|---|\n", section);
    }
    text += fmt::format("| `{}` | {} | `{}` | {} |\n", setting.key, setting.help,
                        setting_as_toml(defaults, setting.name()), range(setting));
  }
  return text;
}

ExitCode show(const std::string& named, bool markdown) {
  if (markdown) {
    write_output(as_markdown());
    return ExitCode::success;
  }
  RecorderConfig config;
  const fs::path file = config_file(named);
  if (file.empty()) {
    print("# No configuration file: the defaults hold. One would be read from {}.\n", default_config_file().string());
  } else {
    read_config_file(config, file);
    print("# From {}. A # stands before what has its default.\n", file.string());
  }
  print_document(as_whole_file(config, file));
  return ExitCode::success;
}

ExitCode check(const std::string& named) {
  const fs::path file = config_file(named);
  if (file.empty()) {
    print("No configuration file: the defaults hold.\n");
    return ExitCode::success;
  }
  RecorderConfig config;
  read_config_file(config, file);
  config.validate();
  verify_sections(file);
  print("{} is right.\n", file.string());
  return ExitCode::success;
}

/// The words of $VISUAL or $EDITOR, without a shell.
std::vector<std::string> editor() {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    const char* const value = std::getenv(name);
    std::istringstream words(value == nullptr ? "" : value);
    std::vector<std::string> found;
    for (std::string word; words >> word;) found.push_back(word);
    if (!found.empty()) return found;
  }
  return {"vi"};
}

void run_editor(const fs::path& file) {
  std::vector<std::string> words = editor();
  words.push_back(file.string());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t process = -1;
  if (::posix_spawnp(&process, arguments.front(), nullptr, nullptr, arguments.data(), environ) != 0) {
    throw UsageError(fmt::format("the editor \"{}\" cannot be started: set EDITOR to one that is installed, or edit {}",
                                 words.front(), file.string()));
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw RecorderError(Errc::config_invalid, fmt::format("{} ended with an error.", words.front()));
}

ExitCode edit(const std::string& named) {
  const fs::path file = named.empty() ? default_config_file() : fs::path(named);
  if (file.empty()) throw UsageError("there is no place for a configuration file: set HOME, or name one with --config");
  if (!fs::exists(file)) {
    if (file.has_parent_path()) fs::create_directories(file.parent_path());
    std::ofstream made(file);
    made << "# The settings of dictum: take the # away to change one.\n" << as_whole_file(RecorderConfig(), {});
    if (!made.flush())
      throw RecorderError(Errc::output_unwritable, fmt::format("{} cannot be written.", file.string()));
  }
  run_editor(file);
  return check(file.string());
}

}  // namespace

void add_config_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("config", "Show, check and edit the settings");
  command->require_subcommand(1);
  auto named = std::make_shared<std::string>();
  auto markdown = std::make_shared<bool>();
  // A file that is wrong is a wrong use, as for every command that reads it.
  const auto add = [=, &code](const char* verb, const char* help, auto run) {
    CLI::App* one = command->add_subcommand(verb, help);
    one->add_option("--config", *named, "configuration file (TOML), in place of the usual one")->type_name("FILE");
    one->callback([run, &code] {
      try {
        code = run();
      } catch (const RecorderError& error) {
        throw UsageError(error.what());
      }
    });
    return one;
  };
  add("show", "Every setting with its value, as a configuration file", [=] {
    return show(*named, *markdown);
  })->add_flag("--markdown", *markdown, "all settings and their defaults, as a Markdown document");
  add("check", "Say whether the configuration file is right", [=] { return check(*named); });
  add("edit", "Open the configuration file in $EDITOR, and check it", [=] { return edit(*named); });
  command->add_subcommand("path", "Where the configuration file is, or would be")->callback([] {
    print("{}\n", default_config_file().string());
  });
}

}  // namespace dictum::program
