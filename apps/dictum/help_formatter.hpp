#pragma once

#include <CLI/Formatter.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::program {

/// The name of the group in which the options under a heading are that few people need. They are shown by `--help-all`,
/// the manual and docs/commands.md.
std::string seldom_needed(std::string_view heading);

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
