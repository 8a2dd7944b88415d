#include "help_formatter.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Option.hpp>
#include <string_view>
#include <utility>

namespace dictum::program {
namespace {

constexpr std::string_view kSeldomNeeded = ", seldom needed";

}  // namespace

void show_seldom(CLI::App& command, CLI::Option& option) {
  option.group(option.get_group() + std::string(kSeldomNeeded));
  if (command.get_help_all_ptr() == nullptr) {
    command.set_help_all_flag("--help-all", "print this help with every option");
  }
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  const std::string heading = group == "Positionals" ? "Arguments" : std::move(group);
  return Formatter::make_group(heading, is_positional, std::move(options));
}

std::string HelpFormatter::options_of(const CLI::App& command, const std::string& name, CLI::AppFormatMode mode) const {
  std::string out;
  bool hides = false;
  for (const std::string& group : command.get_groups()) {
    if (mode != CLI::AppFormatMode::All && group.ends_with(kSeldomNeeded)) {
      hides = true;
      continue;
    }
    const auto options = command.get_options(
        [&group](const CLI::Option* option) { return option->get_group() == group && option->nonpositional(); });
    if (!group.empty() && !options.empty()) out += make_group(group, false, options);
  }
  if (hides) out += fmt::format("\nMore options: {} --help-all\n", name);
  return out;
}

std::string HelpFormatter::make_help(const CLI::App* command, std::string name, CLI::AppFormatMode mode) const {
  return make_description(command) + make_usage(command, name) + make_positionals(command) +
         options_of(*command, name, mode) + make_subcommands(command, mode) + make_footer(command);
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return {};
  std::string text = option->get_type_name().empty() ? "" : " " + option->get_type_name();
  if (!option->get_default_str().empty()) text += "=" + option->get_default_str();
  if (option->get_items_expected_max() > 1) text += "...";
  return text;
}

}  // namespace dictum::program
