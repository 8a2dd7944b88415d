#pragma once

#include <CLI/App.hpp>

#include "exit_code.hpp"

/// Verbs of `dictum sessions` that are too long for its own file.
namespace dictum::program {

void add_play_verb(CLI::App& sessions, ExitCode& code);
void add_edit_verb(CLI::App& sessions, ExitCode& code);

}  // namespace dictum::program
