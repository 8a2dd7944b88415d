#pragma once

#include <CLI/Formatter.hpp>
#include <string>
#include <vector>

namespace dictum::program {

/// Shows an option of this command, which few people need, only in `--help-all`, which the command has from then on, in
/// the manual and in docs/commands.md. It is the last that is said of the option's group.
void show_seldom(CLI::App& command, CLI::Option& option);

/// The help of a command: what most people need, on one screen. Which option goes with which one is not said: a
/// command line where they do not is refused, with the reason.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override;
  std::string make_help(const CLI::App* command, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_option_opts(const CLI::Option* option) const override;

 private:
  std::string options_of(const CLI::App& command, const std::string& name, CLI::AppFormatMode mode) const;
};

}  // namespace dictum::program
