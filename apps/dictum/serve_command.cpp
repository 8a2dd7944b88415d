#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "config_flags.hpp"
#include "dictum/error.hpp"
#include "output.hpp"
#include "server/server.hpp"
#include "signals.hpp"

namespace dictum::program {
namespace {

constexpr double kLevelHz = 10;  // so that the page can show the sound

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  server::ServerSettings settings;
  std::vector<std::filesystem::path> token_files;
  std::filesystem::path new_token;
  std::vector<std::string> scopes;
};

server::Scopes scopes_of(const Options& options) {
  if (options.scopes.empty()) return server::Scopes::all();
  server::Scopes scopes;
  for (const std::string& name : options.scopes) {
    const auto scope = server::scope_named(name);
    if (!scope) throw UsageError(fmt::format("\"{}\" is no scope: listen, control, library or transcribe", name));
    scopes = scopes.with(*scope);
  }
  return scopes;
}

ExitCode make_token(const Options& options) {
  print("{}\n", server::make_token(options.new_token, scopes_of(options)));
  return ExitCode::success;
}

/// What makes the start impossible is found in what was asked for, so it is a wrong usage.
std::unique_ptr<server::Server> start(const Options& options) {
  server::ServerSettings settings = options.settings;
  RecorderConfig base;
  base.events.level_hz = kLevelHz;
  const RecorderConfig config = options.config.resolve(base);
  try {
    for (const auto& file : options.token_files) settings.tokens.add_file(file);
    return std::make_unique<server::Server>(config, std::move(settings));
  } catch (const RecorderError& error) {
    if (error.code() == Errc::invalid_argument || error.code() == Errc::config_invalid) throw UsageError(error.what());
    throw;
  }
}

ExitCode serve(const Options& options) {
  if (!options.new_token.empty()) return make_token(options);
  if (!options.scopes.empty()) throw UsageError("--scope belongs to --new-token");
  Signals signals;
  const auto server = start(options);
  print("Listening on {}\n", server->url());
  flush_output();
  while (signals.wait() != Signals::Event::signal) {
  }
  std::jthread stopping([&] {
    server->stop();
    signals.wake();
  });
  // A second signal ends a stop that a disk or a device holds up. Sound files and the journal are valid at every
  // moment.
  if (signals.wait() == Signals::Event::signal) {
    print_error("stopped at once: `dictum resume` finishes the session");
    std::_Exit(int(ExitCode::failure));
  }
  stopping.join();
  return ExitCode::success;
}

}  // namespace

void add_serve_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("serve", "Serve the recorder and its sessions to other programs, over HTTP");
  auto options = std::make_shared<Options>(*command);
  command->add_option("--address", options->settings.address, "listen here; any but loopback needs a token")
      ->capture_default_str();
  command->add_option("--port", options->settings.port, "listen on this port; 0 takes a free one");
  command->add_option("--host", options->settings.hosts, "a name that leads to this server, besides localhost");
  command->add_option("--token-file", options->token_files, "let in who has a token of this file");
  command->add_option("--new-token", options->new_token, "add a token to FILE, print it, and end")->type_name("FILE");
  command->add_option("--scope", options->scopes,
                      "of the new token: listen, control, library, transcribe; all if left out");
  options->config.add_all();
  command->callback([options, &code] { code = serve(*options); });
}

}  // namespace dictum::program
