#pragma once

#include <CLI/App.hpp>

#include "exit_code.hpp"

/// The commands, one file each. Each adds itself to the command line and, when it is the one, runs and sets `code`.
namespace dictum::program {

void add_record_command(CLI::App& app, ExitCode& code);
void add_serve_command(CLI::App& app, ExitCode& code);
void add_worker_command(CLI::App& app, ExitCode& code);
void add_cluster_command(CLI::App& app, ExitCode& code);
void add_ctl_command(CLI::App& app, ExitCode& code);
void add_resume_command(CLI::App& app, ExitCode& code);
void add_analyze_command(CLI::App& app, ExitCode& code);
void add_devices_command(CLI::App& app, ExitCode& code);
void add_transcribers_command(CLI::App& app, ExitCode& code);
void add_models_command(CLI::App& app, ExitCode& code);
void add_doctor_command(CLI::App& app, ExitCode& code);
void add_sessions_command(CLI::App& app, ExitCode& code);
void add_notes_command(CLI::App& app, ExitCode& code);
void add_retranscribe_command(CLI::App& app, ExitCode& code);
void add_resegment_command(CLI::App& app, ExitCode& code);
void add_tui_command(CLI::App& app, ExitCode& code);
void add_replay_command(CLI::App& app, ExitCode& code);
void add_config_command(CLI::App& app, ExitCode& code);
void add_completion_command(CLI::App& app, ExitCode& code);
void add_manual_command(CLI::App& app, ExitCode& code);

}  // namespace dictum::program
