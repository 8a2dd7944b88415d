#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "output.hpp"

/// The manual, written from what the command line itself is made of, so that it names every option there is: as pages
/// for `man`, and as docs/commands.md.
namespace dictum::program {
namespace {

struct Entry {
  std::string name;  ///< "--device", "-h, --help", "SESSION..."
  std::string type;  ///< "TEXT"; empty for a flag
  std::string help;
};

/// What holds for all commands: the name, and what it means.
constexpr std::pair<std::string_view, std::string_view> kExitCodes[] = {
    {"0", "All went well."},
    {"1", "It failed while it ran, or a part of it did; standard error says what."},
    {"2", "The command line or the configuration is wrong, and nothing has been done."},
};

constexpr std::pair<std::string_view, std::string_view> kEnvironment[] = {
    {"XDG_DATA_HOME", "Its folder dictum/ keeps the sessions and the models; without it ~/.local/share/dictum."},
    {"XDG_CONFIG_HOME", "Its file dictum/config.toml is the configuration; without it ~/.config/dictum/config.toml."},
    {"DICTUM_CONFIG", "The configuration file, in place of that one."},
    {"XDG_CACHE_HOME", "Its folder dictum/ keeps how fast each model is here; without it ~/.cache/dictum."},
    {"DICTUM_WORKER_DIR", "One more folder of transcribers, as an absolute path."},
    {"DICTUM_MODELS_DIR",
     "The one folder of models, in place of all others. (DICTUM_MODEL_DIR, a former name, adds a folder that is only "
     "read.)"},
    {"DICTUM_MODELS_URL", "Where models are fetched from, in place of their publisher's address."},
    {"DICTUM_OPENAI_URL", "Where the openai transcriber sends speech."},
    {"DICTUM_OPENAI_KEY_FILE",
     "A file with its key; otherwise DICTUM_OPENAI_KEY, or OPENAI_API_KEY, is the key itself."},
    {"DICTUM_NATS_URL, DICTUM_NATS_CREDENTIALS",
     "The servers of the cluster and a file with a password or key, where no setting names them."},
    {"DICTUM_COMMAND", "What the command transcriber runs."},
    {"DICTUM_WHISPER_THREADS", "Threads of Whisper, in place of as many as there are free cores."},
    {"PULSE_SERVER", "The sound server."},
    {"VISUAL, EDITOR", "What `dictum config edit` starts."},
    {"NO_COLOR", "Not empty: the terminal UI uses no colours."},
};

std::vector<Entry> entries(const CLI::App& command, bool positional) {
  std::vector<Entry> found;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() != positional || option == command.get_help_all_ptr()) continue;  // a manual has all
    const bool many = option->get_items_expected_max() > 1;
    const bool is_flag = option->get_items_expected_max() == 0;
    std::string name = positional ? option->get_single_name() + (many ? "..." : "") : "";
    if (!positional) {
      for (const std::string& one : option->get_snames()) name += (name.empty() ? "-" : ", -") + one;
      for (const std::string& one : option->get_lnames()) name += (name.empty() ? "--" : ", --") + one;
    }
    found.push_back({std::move(name), is_flag ? "" : option->get_type_name(), option->get_description()});
  }
  return found;
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

/// "dictum sessions export [OPTIONS] SESSION FILE", without the name.
std::string usage(const CLI::App& command) {
  if (!commands_of(command).empty()) return "[OPTIONS] COMMAND";
  std::string text = "[OPTIONS]";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_single_name() + (option->get_items_expected_max() > 1 ? "..." : "");
    text += option->get_required() ? " " + name : " [" + name + "]";
  }
  return text;
}

/// Text for troff, in which a dash, a backslash and a dot at the beginning of a line mean something.
std::string roff(std::string_view text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char letter : text) {
    if (letter == '\\') {
      out += "\\e";
    } else if (letter == '-') {
      out += "\\-";
    } else {
      out += letter;
    }
  }
  return out;
}

void roff_entries(std::string& page, const std::vector<Entry>& all) {
  for (const Entry& entry : all) {
    page += fmt::format(".TP\n\\fB{}\\fR", roff(entry.name));
    if (!entry.type.empty()) page += fmt::format(" \\fI{}\\fR", roff(entry.type));
    page += fmt::format("\n{}\n", roff(entry.help));
  }
}

template <class Pairs>
void roff_list(std::string& page, std::string_view heading, const Pairs& pairs) {
  page += fmt::format(".SH {}\n", heading);
  for (const auto& [name, meaning] : pairs) page += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff(meaning));
}

void roff_options(std::string& page, std::string_view name, const CLI::App& command) {
  page += fmt::format("\\fB{}\\fR {}\n", roff(name), roff(usage(command)));
  roff_entries(page, entries(command, true));
  roff_entries(page, entries(command, false));
}

/// The page of a command of the program, with its verbs; of the program itself, with its commands.
std::string roff_page(const CLI::App& program, const CLI::App& command) {
  const bool is_program = &command == &program;
  const std::string name = is_program ? "dictum" : "dictum-" + command.get_name();
  const std::string words = is_program ? "dictum" : "dictum " + command.get_name();
  std::string page = fmt::format(".TH {} 1 \"\" \"dictum {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
                                 roff(name), DICTUM_VERSION, roff(name), roff(command.get_description()));
  roff_options(page, words, command);
  const auto verbs = commands_of(command);
  if (!verbs.empty()) page += ".SH COMMANDS\n";
  for (const CLI::App* verb : verbs) {
    if (is_program) {
      page += fmt::format(".TP\n\\fBdictum\\-{}\\fR(1)\n{}\n", roff(verb->get_name()), roff(verb->get_description()));
    } else {
      page += fmt::format(".SS {}\n{}.\n.PP\n", roff(verb->get_name()), roff(verb->get_description()));
      roff_options(page, words + " " + verb->get_name(), *verb);
    }
  }
  roff_list(page, "EXIT STATUS", kExitCodes);
  if (is_program) {
    roff_list(page, "ENVIRONMENT", kEnvironment);
  } else {
    page += ".SH SEE ALSO\n\\fBdictum\\fR(1)\n";
  }
  return page;
}

/// A cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) out += letter == '|' ? std::string("\\|") : std::string(1, letter);
  return out;
}

void markdown_command(std::string& page, const std::string& name, const CLI::App& command, std::string_view heading) {
  page += fmt::format("\n{} {}\n\n{}.\n\n`{} {}`\n", heading, name, command.get_description(), name, usage(command));
  std::vector<Entry> all = entries(command, true);
  for (Entry& entry : entries(command, false)) {
    if (entry.name != "-h, --help") all.push_back(std::move(entry));
  }
  if (!all.empty()) page += "\n| | |\n|---|---|\n";
  for (const Entry& entry : all) {
    const std::string type = entry.type.empty() ? "" : " " + entry.type;
    page += fmt::format("| `{}{}` | {} |\n", cell(entry.name), cell(type), cell(entry.help));
  }
  for (const CLI::App* verb : commands_of(command)) markdown_command(page, name + " " + verb->get_name(), *verb, "###");
}

template <class Pairs>
void markdown_list(std::string& page, std::string_view heading, const Pairs& pairs) {
  page += fmt::format("\n## {}\n\n| | |\n|---|---|\n", heading);
  for (const auto& [name, meaning] : pairs) page += fmt::format("| `{}` | {} |\n", name, cell(meaning));
}

std::string markdown_of_all(const CLI::App& program) {
  std::string page =
      "# Commands\n\nEvery command of `dictum` with its options, as `dictum manual --markdown` writes it.\n"
      "`dictum COMMAND --help` says the same, with `--help-all` where that hides some; `dictum completion` makes a "
      "shell complete it.\n";
  for (const CLI::App* command : commands_of(program))
    markdown_command(page, "dictum " + command->get_name(), *command, "##");
  markdown_list(page, "Exit codes", kExitCodes);
  markdown_list(page, "Environment variables", kEnvironment);
  return page;
}

/// Every page as a file of its own, for the package: dictum.1, dictum-record.1, ...
void write_pages(const CLI::App& program, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& name, const CLI::App& command) {
    std::ofstream file(folder / (name + ".1"));
    file << roff_page(program, command);
    file.flush();
    if (!file) throw std::runtime_error(fmt::format("{} cannot be written", (folder / (name + ".1")).string()));
  };
  write("dictum", program);
  for (const CLI::App* command : commands_of(program)) write("dictum-" + command->get_name(), *command);
}

struct Options {
  std::string command;
  std::string folder;
  bool markdown = false;
};

ExitCode manual(const CLI::App& program, const Options& options) {
  if (options.markdown) {
    write_output(markdown_of_all(program));
    return ExitCode::success;
  }
  if (!options.folder.empty()) {
    write_pages(program, options.folder);
    return ExitCode::success;
  }
  const CLI::App* of = options.command.empty() ? &program : nullptr;
  for (const CLI::App* command : commands_of(program)) {
    if (command->get_name() == options.command) of = command;
  }
  if (of == nullptr) throw UsageError(fmt::format("there is no command \"{}\": see dictum --help", options.command));
  write_output(roff_page(program, *of));
  return ExitCode::success;
}

}  // namespace

void add_manual_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("manual", "Print a page of the manual: dictum manual record | man -l -");
  auto options = std::make_shared<Options>();
  command->add_option("COMMAND", options->command, "the command; none: the program");
  command->add_flag("--markdown", options->markdown, "all commands in one Markdown document");
  command->add_option("--write", options->folder, "every page as a file in this folder")->type_name("FOLDER");
  command->callback([&app, options, &code] { code = manual(app, *options); });
}

}  // namespace dictum::program
