#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <functional>
#include <memory>

#include "config_flags.hpp"
#include "dictum/sessions.hpp"
#include "exit_code.hpp"

/// The verbs of `dictum sessions`, one file each. Each adds itself and, when it is the one, runs and sets `code`.
namespace dictum::program {

inline constexpr const char* kSessionHelp = "a name, the beginning of one, a folder, or \"last\"";

void add_list_verb(CLI::App& sessions, ExitCode& code);
void add_show_verb(CLI::App& sessions, ExitCode& code);
void add_search_verb(CLI::App& sessions, ExitCode& code);
void add_export_verb(CLI::App& sessions, ExitCode& code);
void add_play_verb(CLI::App& sessions, ExitCode& code);
void add_edit_verb(CLI::App& sessions, ExitCode& code);
void add_delete_verb(CLI::App& sessions, ExitCode& code);
void add_prune_verb(CLI::App& sessions, ExitCode& code);
void add_reindex_verb(CLI::App& sessions, ExitCode& code);
void add_verify_verb(CLI::App& sessions, ExitCode& code);

/// A verb that needs the folder of the sessions and `options`, which its command line has filled by then.
template <class Options>
CLI::App* add_verb(CLI::App& sessions, ExitCode& code, const char* verb, const char* help,
                   const std::shared_ptr<Options>& options,
                   std::function<ExitCode(const std::filesystem::path&, Options&)> run) {
  CLI::App* command = sessions.add_subcommand(verb, help);
  auto flags = std::make_shared<ConfigFlags>(*command);
  flags->add_root();
  command->callback([=, &code] { code = run(session_root(flags->resolve({})), *options); });
  return command;
}

}  // namespace dictum::program
