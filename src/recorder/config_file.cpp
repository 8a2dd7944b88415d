#include <fmt/format.h>
#include <toml++/toml.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "dictum/error.hpp"
#include "recorder/config_fields.hpp"

namespace dictum::recorder {
namespace {

ConfigValue value_of(const toml::node& node, const std::string& where) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  throw RecorderError(Errc::config_invalid, fmt::format("{}: expected a text, a number, true or false.", where));
}

void read_table(RecorderConfig& config, const toml::table& table, const std::string& section, std::string_view name) {
  for (const auto& [key, node] : table) {
    const std::string where = fmt::format("{}:{}", name, node.source().begin.line);
    if (const auto* inner = node.as_table()) {
      read_table(config, *inner, section.empty() ? std::string(key.str()) : fmt::format("{}.{}", section, key.str()),
                 name);
      continue;
    }
    try {
      set_config(config, find_config_field(section, key.str()), value_of(node, where), where);
    } catch (const RecorderError& error) {
      const std::string_view sentence = error.what();
      if (sentence.starts_with(where)) throw;
      throw RecorderError(Errc::config_invalid, fmt::format("{}: {}", where, sentence));
    }
  }
}

}  // namespace

void read_config_text(RecorderConfig& config, std::string_view text, std::string_view name) {
  try {
    RecorderConfig read = config;  // a file that is wrong in its last line changes nothing
    read_table(read, toml::parse(text, name), "", name);
    config = std::move(read);
  } catch (const toml::parse_error& error) {
    throw RecorderError(Errc::config_invalid,
                        fmt::format("{}:{}: {}.", name, error.source().begin.line, error.description()));
  }
}

void read_config_file(RecorderConfig& config, const std::filesystem::path& path) {
  constexpr std::uintmax_t kMost = 1 << 20;  // nobody writes a megabyte of settings
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  if (!regular) {
    throw RecorderError(Errc::input_not_found, fmt::format("{}: there is no such configuration file.", path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::file_size(path, error) > kMost || error) {
    throw RecorderError(Errc::config_invalid, fmt::format("{}: the configuration file cannot be read.", path.string()));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  read_config_text(config, text, path.string());
}

std::filesystem::path config_file(const std::filesystem::path& named) {
  if (!named.empty()) return named;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value != nullptr ? value : "");
  };
  if (auto path = variable("DICTUM_CONFIG"); !path.empty()) return path;
  std::filesystem::path home = variable("XDG_CONFIG_HOME");
  if (home.empty()) home = variable("HOME") / ".config";
  const auto path = home / "dictum" / "config.toml";
  std::error_code error;
  return std::filesystem::exists(path, error) ? path : std::filesystem::path();
}

}  // namespace dictum::recorder
