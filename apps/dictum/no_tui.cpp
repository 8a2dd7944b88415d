#ifndef DICTUM_TUI

#include "commands.hpp"

/// `dictum tui` in a build that was made without FTXUI.
namespace dictum::program {

void add_tui_command(CLI::App& app, ExitCode&) {
  CLI::App* command = app.add_subcommand("tui", "Record in the terminal (not in this build)");
  command->allow_extras();
  command->callback([] {
    throw UsageError("this build has no terminal UI, since FTXUI was not there: run ./setup and build again");
  });
}

}  // namespace dictum::program

#endif
