#include "config_flags.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <array>
#include <map>

#include "config/config_fields.hpp"
#include "dictum/error.hpp"
#include "exit_code.hpp"

namespace dictum::program {
namespace {

// Settings whose option is not just the key with dashes.
const std::map<std::string, std::string, std::less<>> kFlagNames = {
    {"capture.duration_sec", "--duration"}, {"capture.stop_after_silence_sec", "--stop-after-silence"},
    {"session.root", "--output-dir"},       {"vad.detector", "--vad"},
    {"vad.threshold", "--vad-threshold"},   {"transcription.simulated.script", "--simulated-script"},
};

// Sections that somebody arranges once in the configuration file, not with each command.
constexpr std::array<std::string_view, 2> kArrangedOnce = {"notes", "retention"};

constexpr double kFarFieldThreshold = 0.2;  // speech then ends below 0.05

}  // namespace

ConfigFlags::ConfigFlags(CLI::App& command) : command_(command) {}

void ConfigFlags::add_all() {
  add_config_file();
  for (const auto& field : config::config_fields()) {
    if (std::ranges::find(kArrangedOnce, field.section) == kArrangedOnce.end()) add(field.section, field.key);
  }
  const std::string far_field_help = "detect speech that is far from the microphone, and more noise";
  far_field_ = command_.add_flag("--far-field", far_field_help);
  far_field_->excludes("--vad-threshold");
}

void ConfigFlags::add_root(std::initializer_list<std::string_view> and_sections) {
  add_config_file();
  add("session", "root");
  for (const auto& field : config::config_fields()) {
    if (std::ranges::find(and_sections, field.section) != and_sections.end()) add(field.section, field.key);
  }
}

void ConfigFlags::add_config_file() {
  command_.add_option("--config", config_, "configuration file (TOML); options beat it")->type_name("FILE");
}

void ConfigFlags::add(std::string_view section, std::string_view key) {
  const auto& field = config::find_config_field(section, key);
  const auto named = kFlagNames.find(field.name());
  std::string flag = named != kFlagNames.end() ? named->second : "--" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  Flag& added = flags_.emplace_back(Flag{flag, std::string(section), std::string(key), {}, nullptr});
  if (std::holds_alternative<bool>(field.example)) {
    const bool is_on = std::get<bool>(field.example);
    if (is_on) flag.insert(2, "no-");
    added.name = flag;
    added.text = is_on ? "false" : "true";
    const std::string help = is_on ? fmt::format("do not {}", field.help) : std::string(field.help);
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
    if (const auto file = config::config_file(config_); !file.empty()) config::read_config_file(base, file);
    for (const Flag& flag : flags_) {
      if (flag.option->count() == 0) continue;
      const auto& field = config::find_config_field(flag.section, flag.key);
      config::set_config(base, field, config::parse_config_value(field, flag.text), flag.name);
    }
    if (far_field_ != nullptr && far_field_->count() > 0) base.vad.threshold = kFarFieldThreshold;
    base.validate();
    return base;
  } catch (const RecorderError& error) {
    throw UsageError(error.what());
  }
}

std::filesystem::path ConfigFlags::file() const {
  return config::config_file(config_);
}

bool ConfigFlags::was_given(std::string_view name) const {
  return std::ranges::any_of(flags_,
                             [name](const Flag& flag) { return flag.name == name && flag.option->count() > 0; });
}

}  // namespace dictum::program
