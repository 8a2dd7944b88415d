#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "commands.hpp"
#include "dictum/error.hpp"
#include "exit_code.hpp"

int main(int argc, char** argv) {
  using namespace dictum::program;
  CLI::App app("Records what is said, keeps every spoken segment safe on disk, and transcribes it.", "dictum");
  app.set_version_flag("--version", DICTUM_VERSION);
  app.require_subcommand(1);

  ExitCode code = ExitCode::success;
  add_record_command(app, code);
  add_resume_command(app, code);
  add_analyze_command(app, code);
  add_devices_command(app, code);
  add_transcribers_command(app, code);
  add_models_command(app, code);
  add_doctor_command(app, code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? int(ExitCode::success) : int(ExitCode::usage);
  } catch (const UsageError& error) {
    fmt::print(stderr, "dictum: {}\n", error.what());
    return int(ExitCode::usage);
  } catch (const std::exception& error) {
    fmt::print(stderr, "dictum: {}\n", error.what());
    return int(ExitCode::failure);
  }
  return int(code);
}
