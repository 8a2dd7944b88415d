#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
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
#include "server/control_socket.hpp"
#include "server/server.hpp"
#include "server/service_manager.hpp"
#include "signals.hpp"

namespace dictum::program {
namespace {

constexpr double kLevelHz = 10;  // so that the page can show the sound

struct Options {
  explicit Options(CLI::App& command) : config(command) {}
  ConfigFlags config;
  server::ServerSettings settings;
  int port = 0;
  std::vector<std::filesystem::path> token_files;
  std::filesystem::path new_token;
  std::vector<std::string> scopes;
  bool no_control = false;
  std::string log;
  std::uint64_t disk_reserve_mib = server::kDiskReserve >> 20;
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
  settings.port = static_cast<std::uint16_t>(options.port);
  server::PassedSockets passed = server::take_passed_sockets();
  if (settings.tls_certificate.empty() != settings.tls_key.empty()) {
    throw UsageError("--tls-cert and --tls-key belong together");
  }
  const bool is_default_control = settings.control.empty();
  if (is_default_control && !options.no_control) settings.control = server::default_control_socket();
  settings.is_control_optional = is_default_control;
  RecorderConfig base;
  base.events.level_hz = kLevelHz;
  const RecorderConfig config = options.config.resolve(base);
  settings.limits.disk_reserve = options.disk_reserve_mib << 20;
  if (options.log == "text") settings.log = server::LogFormat::text;
  if (options.log == "json") settings.log = server::LogFormat::json;
  settings.on_notice = [](const std::string& sentence) { print_error("{}", sentence); };
  try {
    settings.hooks = server::read_hooks(options.config.file());
    for (const auto& file : options.token_files) settings.tokens.add_file(file);
    return std::make_unique<server::Server>(config, std::move(settings), std::move(passed));
  } catch (const RecorderError& error) {
    if (error.code() == Errc::invalid_argument || error.code() == Errc::config_invalid) throw UsageError(error.what());
    throw;
  }
}

/// Many systems begin with a limit of 1,024 descriptors, which each process may raise; all the streams and connections
/// that the server takes at once need more. No more than that: children inherit the limit.
void allow_many_descriptors() {
  constexpr rlim_t kEnough = 8192;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

ExitCode serve(const Options& options) {
  if (!options.new_token.empty()) return make_token(options);
  if (!options.scopes.empty()) throw UsageError("--scope belongs to --new-token");
  Signals signals;
  allow_many_descriptors();
  const auto server = start(options);
  if (!server->control_problem().empty()) server->notify(server->control_problem());
  if (server->url().starts_with("http://") && !server::is_loopback(server->address())) {
    server->notify(
        fmt::format("what is sent over {} is not encrypted: give --tls-cert and --tls-key, or use a proxy or a tunnel",
                    server->url()));
  }
  print("Listening on {}\n", server->url());
  flush_output();
  server::notify_service_manager("READY=1");
  while (signals.wait() != Signals::Event::signal) {
  }
  server::notify_service_manager("STOPPING=1");
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
  command->add_option("--port", options->port, "listen on this port; 0 takes a free one")->check(CLI::Range(0, 65535));
  command->add_option("--host", options->settings.hosts, "a name that leads to this server, besides localhost");
  command->add_option("--token-file", options->token_files, "a file with the tokens that let clients in");
  command->add_option("--new-token", options->new_token, "add a token to FILE, print it, and end")->type_name("FILE");
  command->add_option("--scope", options->scopes,
                      "of the new token: listen, control, library, transcribe; all if left out");
  command
      ->add_option("--control", options->settings.control,
                   "be controlled by `dictum ctl` at this socket; $XDG_RUNTIME_DIR/dictum/control.sock if left out")
      ->type_name("PATH");
  command->add_flag("--no-control", options->no_control, "do not be controlled by `dictum ctl`")->excludes("--control");
  command
      ->add_option("--tls-cert", options->settings.tls_certificate, "encrypt, with the certificate in this file (PEM)")
      ->type_name("FILE");
  command->add_option("--tls-key", options->settings.tls_key, "the certificate's key (PEM)")->type_name("FILE");
  command
      ->add_option("--disk-reserve", options->disk_reserve_mib,
                   "refuse uploads that would leave less of the disk free; recordings go on")
      ->type_name("MIB")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  command
      ->add_option("--log", options->log,
                   "log requests, recordings and faults on standard error, as lines of text or of JSON")
      ->check(CLI::IsMember({"text", "json"}));
  options->config.add_all();
  command->callback([options, &code] { code = serve(*options); });
}

}  // namespace dictum::program
