#include "command_template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include "dictum/error.hpp"

namespace dictum::workers {
namespace {

constexpr std::string_view kWAV = "{wav}";
constexpr std::string_view kModel = "{model}";
constexpr std::size_t kMaxArguments = 256;
constexpr std::size_t kMaxArgument = 65536;

[[noreturn]] void invalid(const std::string& why) {
  throw RecorderError(
      Errc::config_invalid,
      fmt::format(R"(DICTUM_COMMAND {}: write a JSON array like ["recognise", "{{wav}}"], or whisper-cli)", why));
}

// No time stamps, and nothing but the text on standard output.
std::vector<std::string> whisper_cli() {
  return {"whisper-cli", "--model", std::string(kModel), "--file", std::string(kWAV), "--no-timestamps", "--no-prints"};
}

}  // namespace

CommandTemplate CommandTemplate::parse(std::string_view text) {
  if (text == "whisper-cli") return CommandTemplate(whisper_cli());
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || !value.is_array()) invalid("is neither a list nor a preset");
  const auto& list = value.get_array();
  if (list.empty() || list.size() > kMaxArguments) invalid("names no program, or has too many arguments");
  std::vector<std::string> arguments;
  for (const auto& item : list) {
    if (!item.is_string()) invalid("holds something that is no string");
    const std::string_view argument = item.get_string();
    if (argument.size() > kMaxArgument || argument.find('\0') != std::string_view::npos)
      invalid("holds an argument that no program can take");
    arguments.emplace_back(argument);
  }
  if (arguments.front().empty()) invalid("names no program");
  if (std::ranges::none_of(arguments, [](const auto& argument) { return argument.find(kWAV) != std::string::npos; })) {
    invalid("has no {wav}");
  }
  return CommandTemplate(std::move(arguments));
}

bool CommandTemplate::needs_model() const {
  return std::ranges::any_of(arguments_,
                             [](const auto& argument) { return argument.find(kModel) != std::string::npos; });
}

std::vector<std::string> CommandTemplate::filled(std::string_view wav, std::string_view model) const {
  std::vector<std::string> arguments;
  for (const std::string& argument : arguments_) {
    std::string& out = arguments.emplace_back();
    // From left to right, so that a placeholder in the name of a file stays what it is.
    for (std::string_view rest = argument; !rest.empty();) {
      if (rest.starts_with(kWAV)) {
        out += wav;
        rest.remove_prefix(kWAV.size());
      } else if (rest.starts_with(kModel)) {
        out += model;
        rest.remove_prefix(kModel.size());
      } else {
        out += rest.front();
        rest.remove_prefix(1);
      }
    }
  }
  return arguments;
}

}  // namespace dictum::workers
