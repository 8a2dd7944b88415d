#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "commands.hpp"
#include "dictum/error.hpp"
#include "output.hpp"
#include "server/control_client.hpp"
#include "server/control_socket.hpp"

namespace dictum::program {
namespace {

struct Options {
  std::filesystem::path socket;
  bool json = false;
};

/// What can be asked, and the command of the recorder that it is.
struct Action {
  const char* name;
  const char* help;
  const char* command;  ///< empty: none
  const char* body = "";
};
constexpr std::array<Action, 9> kActions = {{
    {"start", "Begin a recording", "start_recording"},
    {"stop", "End the recording, and wait for its texts", "stop_recording"},
    {"toggle", "Begin a recording, or end the one that there is", "toggle_recording"},
    {"pause", "Pause, and hand the microphone back", "pause_recording"},
    {"resume", "Go on in the same session", "resume_recording"},
    {"mute", "Record silence in place of the microphone", "set_muted", R"({"muted":true})"},
    {"unmute", "Record the microphone again", "set_muted", R"({"muted":false})"},
    {"note", "End the open note", "complete_note"},
    {"status", "Show what the recorder is doing", ""},
}};
constexpr int kOK = 200;

std::filesystem::path socket_of(const Options& options) {
  const auto socket = options.socket.empty() ? server::default_control_socket() : options.socket;
  if (socket.empty())
    throw UsageError(
        "XDG_RUNTIME_DIR is not set, so the socket of the server is not known: start it with dictum serve --control "
        "PATH, and "
        "give that PATH as --socket");
  return socket;
}

/// The answer as an object. Throws RecorderError with the server's sentence where it refuses.
boost::json::object ask(const Options& options, std::string_view method, std::string_view target,
                        std::string_view body = "") {
  const auto response = server::ask_control(socket_of(options), method, target, body);
  boost::system::error_code error;
  boost::json::value answer = json::parse(response.body, error);
  if (error || !answer.is_object()) throw RecorderError(Errc::internal, "What listens there is no server of Dictum.");
  if (response.status == kOK) return std::move(answer.as_object());
  const auto* const detail = answer.as_object().if_contains("detail");
  const bool has_sentence = detail != nullptr && detail->is_string();
  throw RecorderError(Errc::invalid_state, has_sentence ? std::string(std::string_view(detail->as_string()))
                                                        : fmt::format("The server answers {}.", response.status));
}

boost::json::object status_of(const Options& options) {
  return ask(options, "GET", "/api/v1/status");
}

std::string text_in(const boost::json::object& object, std::string_view key) {
  const auto* const found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(std::string_view(found->as_string())) : std::string();
}

ExitCode control(const Options& options, const Action& action) {
  const std::string_view command = action.command;
  const boost::json::object status =
      command.empty() ? status_of(options)
                      : ask(options, "POST", fmt::format("/api/v1/commands/{}", command), action.body);
  if (options.json) {
    print_json(status);
    return ExitCode::success;
  }
  const std::string session = text_in(status, "session");
  print("{}{}\n", text_in(status, "state"), session.empty() ? "" : fmt::format(" {}", session));
  return ExitCode::success;
}

}  // namespace

void add_ctl_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("ctl", "Control a recorder that `dictum serve` runs, for hotkeys and scripts");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  for (const Action& action : kActions) {
    CLI::App* verb = command->add_subcommand(action.name, action.help);
    verb->add_option("--socket", options->socket,
                     "the server's --control; $XDG_RUNTIME_DIR/dictum/control.sock if left out")
        ->type_name("PATH");
    verb->add_flag("--json", options->json, "print the recorder's status as JSON");
    verb->callback([options, &code, &action] { code = control(*options, action); });
  }
}

}  // namespace dictum::program
