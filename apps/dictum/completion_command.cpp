#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands.hpp"
#include "dictum/devices.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/settings.hpp"
#include "dictum/transcribers.hpp"
#include "models/model_store.hpp"
#include "output.hpp"

/// What a shell offers behind the words that are typed already. A shell's script is three lines that ask the program,
/// so that what is offered never differs from what the program takes.
namespace dictum::program {
namespace {

/// The words come on standard input, one a line, the last one as far as it is typed: no word is taken for an option, or
/// expanded by the shell.
constexpr std::string_view kBash = R"sh(# dictum for bash: eval "$(dictum completion bash)"
_dictum() {
  local found word
  COMPREPLY=()
  mapfile -t found < <(printf '%s\n' "${COMP_WORDS[@]:1:COMP_CWORD}" | dictum completion words 2>/dev/null)
  for word in "${found[@]}"; do COMPREPLY+=("$(printf '%q' "$word")"); done
}
complete -o bashdefault -o default -F _dictum dictum
)sh";

constexpr std::string_view kZsh = R"sh(#compdef dictum
# dictum for zsh: eval "$(dictum completion zsh)"
_dictum() {
  local -a found
  found=("${(@f)$(printf '%s\n' "${(@)words[2,CURRENT]}" | dictum completion words 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
# Installed, this file is the function itself, and the first use of it is a completion already.
if [[ $funcstack[1] == _dictum ]]; then _dictum; else compdef _dictum dictum; fi
)sh";

constexpr std::string_view kFish = R"sh(# dictum for fish: dictum completion fish | source
function __dictum_words
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    printf '%s\n' $before[2..-1] "$typed" | dictum completion words 2>/dev/null
    or __fish_complete_path "$typed"
end
complete -c dictum -f -k -a '(__dictum_words)'
)sh";

using Words = std::vector<std::string>;

/// The values of options that stand before the word to complete, by their long names without dashes.
using Values = std::map<std::string, std::string>;

/// Where the command that is being typed will look for sessions.
std::filesystem::path root_of(const Values& given) {
  if (const auto root = given.find("output-dir"); root != given.end()) return root->second;
  RecorderConfig config;
  const auto named = given.find("config");
  const auto file = config_file(named == given.end() ? "" : named->second);
  if (!file.empty()) read_config_file(config, file);
  return session_root(config);
}

/// What stands in a list of this machine, by the name of the option or the argument that takes it. Nothing where it
/// cannot be found out: a shell has no use for an error.
Words listed(const std::string& name, const Values& given) {
  Words words;
  try {
    if (name == "SESSION") {
      for (const SessionEntry& entry : list_sessions(root_of(given))) words.push_back(entry.name);
      std::ranges::reverse(words);  // the newest first
      if (!words.empty()) words.insert(words.begin(), "last");
    } else if (name == "device") {
      for (const DeviceInfo& device : list_devices("auto")) words.push_back(device.id);
    } else if (name == "transcriber") {
      words = {"auto", "none"};
      for (const InstalledTranscriber& worker : list_transcribers()) words.push_back(worker.name);
    } else if (name == "model" || name == "NAME") {
      for (const auto& entry : models::ModelStore::of_user().list()) words.emplace_back(entry.model.name);
    }
  } catch (const std::exception&) {
    words.clear();
  }
  return words;
}

/// "auto|pulse|portaudio" and "TEXT:{auto,pulse,portaudio}" as three words; of any other type, what is listed.
Words values_of(const CLI::Option& option, const Values& given) {
  std::string type = option.get_type_name();
  if (type.find_first_of("|{") == std::string::npos) return listed(option.get_single_name(), given);
  type.erase(0, type.find('{') + 1);  // npos + 1 is 0
  Words words{""};
  for (const char letter : type) {
    if (letter == '|' || letter == ',') {
      words.emplace_back();
    } else if (letter != '}') {
      words.back() += letter;
    }
  }
  return words;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

/// The option of that name, with its dashes; null where there is none.
const CLI::Option* find_option(const CLI::App& command, const std::string& word) {
  return word.starts_with('-') ? command.get_option_no_throw(word) : nullptr;
}

const CLI::App* find_command(const CLI::App& command, const std::string& word) {
  for (const CLI::App* each : command.get_subcommands({})) {
    if (each->get_name() == word) return each;
  }
  return nullptr;
}

Words long_options(const CLI::App& command, const std::set<std::string>& given) {
  Words words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (!given.contains("--" + name)) words.push_back("--" + name);
    }
  }
  return words;
}

/// Everything that may stand behind `before`.
Words candidates(const CLI::App& program, std::span<const std::string> before, const std::string& typed) {
  const CLI::App* command = &program;
  const CLI::Option* waiting = nullptr;  // for its value
  std::set<std::string> given;
  Values values;
  for (const std::string& word : before) {
    if (word == "=") continue;  // bash has cut "--option=value" into three words
    if (waiting != nullptr) {
      values[waiting->get_single_name()] = word;
      waiting = nullptr;
    } else if (const CLI::Option* option = find_option(*command, word)) {
      given.insert(word);
      if (takes_value(*option)) waiting = option;
    } else if (const CLI::App* verb = find_command(*command, word)) {
      command = verb;
      given.clear();
    }
  }
  if (waiting != nullptr) return values_of(*waiting, values);
  if (typed.starts_with('-')) return long_options(*command, given);
  Words words;
  for (const CLI::App* verb : command->get_subcommands({})) {
    if (!verb->get_group().empty()) words.push_back(verb->get_name());
  }
  for (const CLI::Option* option : command->get_options()) {
    if (!option->get_positional()) continue;
    for (std::string& word : values_of(*option, values)) words.push_back(std::move(word));
  }
  return words;
}

ExitCode print_candidates(const CLI::App& program) {
  Words before;
  for (std::string line; std::getline(std::cin, line);) before.push_back(std::move(line));
  std::string typed;
  if (!before.empty()) {
    typed = std::move(before.back());
    before.pop_back();
  }
  if (typed == "=") typed.clear();
  ExitCode code = ExitCode::failure;  // with nothing to offer, the shell may offer files
  for (const std::string& word : candidates(program, before, typed)) {
    if (!word.starts_with(typed)) continue;
    print("{}\n", word);
    code = ExitCode::success;
  }
  return code;
}

}  // namespace

void add_completion_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("completion", "Print what makes a shell complete the words of dictum");
  command->require_subcommand(1);
  const auto add = [command](const char* shell, const char* help, std::string_view script) {
    command->add_subcommand(shell, help)->callback([script] { write_output(script); });
  };
  add("bash", "eval \"$(dictum completion bash)\" in ~/.bashrc", kBash);
  add("zsh", "eval \"$(dictum completion zsh)\" in ~/.zshrc, behind compinit", kZsh);
  add("fish", "dictum completion fish | source in config.fish", kFish);
  command->add_subcommand("words", "What may stand behind the words on standard input")
      ->group("")  // for the scripts
      ->callback([&app, &code] { code = print_candidates(app); });
}

}  // namespace dictum::program
