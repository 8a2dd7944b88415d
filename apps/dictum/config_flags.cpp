#include "config_flags.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "dictum/error.hpp"
#include "exit_code.hpp"
#include "recorder/config_fields.hpp"

namespace dictum::program {
namespace {

// Settings whose option is not just the key with dashes.
const std::map<std::string, std::string, std::less<>> kFlagNames = {
    {"session.root", "--output-dir"},
    {"vad.detector", "--vad"},
    {"vad.threshold", "--vad-threshold"},
    {"transcription.simulated.script", "--simulated-script"},
};

template <class Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

recorder::ConfigValue parse(const std::string& text, const recorder::ConfigValue& example) {
  if (std::holds_alternative<bool>(example)) return text == "true";
  if (std::holds_alternative<std::int64_t>(example)) {
    if (const auto whole = number<std::int64_t>(text)) return *whole;
  } else if (std::holds_alternative<double>(example)) {
    if (const auto fraction = number<double>(text)) return *fraction;
  }
  return text;  // of the wrong kind where a number was asked for: set_config says so
}

}  // namespace

ConfigFlags::ConfigFlags(CLI::App& command) : command_(command) {}

void ConfigFlags::add_all() {
  command_.add_option("--config", config_, "configuration file (TOML); options beat it")->type_name("FILE");
  for (const auto& field : recorder::config_fields()) {
    const auto named = kFlagNames.find(field.name());
    std::string flag = named != kFlagNames.end() ? named->second : "--" + std::string(field.key);
    std::ranges::replace(flag, '_', '-');
    add(std::move(flag), field.section, field.key);
  }
}

void ConfigFlags::add(std::string flag, std::string_view section, std::string_view key) {
  const auto& field = recorder::find_config_field(section, key);
  Flag& added = flags_.emplace_back(Flag{flag, std::string(section), std::string(key), {}, nullptr});
  if (std::holds_alternative<bool>(field.example)) {
    added.text = "true";
    const std::string help(field.help);
    added.option = command_.add_flag(flag, help);
    return;
  }
  const std::string type = !field.one_of.empty() ? fmt::format("{}", fmt::join(field.one_of, "|"))
                           : std::holds_alternative<std::string>(field.example) ? "TEXT"
                                                                                : "NUMBER";
  added.option = command_.add_option(flag, added.text, std::string(field.help))->type_name(type);
}

RecorderConfig ConfigFlags::resolve(RecorderConfig base) const {
  try {
    if (const auto file = recorder::config_file(config_); !file.empty()) recorder::read_config_file(base, file);
    for (const Flag& flag : flags_) {
      if (flag.option->count() == 0) continue;
      const auto& field = recorder::find_config_field(flag.section, flag.key);
      recorder::set_config(base, field, parse(flag.text, field.example), flag.name);
    }
    base.validate();
    return base;
  } catch (const RecorderError& error) {
    throw UsageError(error.what());
  }
}

bool ConfigFlags::was_given(std::string_view name) const {
  return std::ranges::any_of(flags_,
                             [name](const Flag& flag) { return flag.name == name && flag.option->count() > 0; });
}

}  // namespace dictum::program
