#include "config_flags.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "dictum/error.hpp"
#include "dictum/settings.hpp"
#include "exit_code.hpp"
#include "help_formatter.hpp"

namespace dictum::program {
namespace {

// Settings whose option is not just the key with dashes.
constexpr std::pair<std::string_view, std::string_view> kFlagNames[] = {
    {"capture.duration_sec", "--duration"},
    {"capture.stop_after_silence_sec", "--stop-after-silence"},
    {"session.root", "--output-dir"},
    {"vad.detector", "--vad"},
    {"vad.threshold", "--vad-threshold"},
    {"transcription.simulated.script", "--simulated-script"},
    {"transcription.nats.url", "--nats-url"},
    {"transcription.nats.credentials", "--nats-credentials"},
    {"transcription.nats.tls_ca", "--nats-tls-ca"},
    {"transcription.nats.tls_cert", "--nats-tls-cert"},
    {"transcription.nats.tls_key", "--nats-tls-key"},
    {"transcription.nats.queue", "--nats-queue"},
    {"transcription.nats.fallback_after_sec", "--nats-fallback-after-sec"},
    {"transcription.nats.fallback", "--nats-fallback"},
};

// Sections that somebody arranges once in the configuration file, not with each command.
constexpr std::array<std::string_view, 2> kArrangedOnce = {"notes", "retention"};

// Settings that many people give with a command. The options of the others are shown by --help-all.
constexpr std::string_view kOftenGiven[] = {"capture.input",
                                            "capture.input_format",
                                            "capture.device",
                                            "capture.duration_sec",
                                            "capture.channel",
                                            "vad.threshold",
                                            "vad.mode",
                                            "vad.min_silence_ms",
                                            "vad.max_segment_sec",
                                            "transcription.transcriber",
                                            "transcription.model",
                                            "transcription.language",
                                            "transcription.vocabulary",
                                            "session.root",
                                            "session.keep_all"};

/// Under which heading of the help the options of a section stand.
std::string_view heading(std::string_view section) {
  if (section == "capture") return "Sound";
  if (section == "vad") return "Speech detection";
  if (section.starts_with("transcription")) return "Words";
  return "Sessions";
}

bool is_often_given(const Setting& setting) {
  return std::ranges::find(kOftenGiven, setting.name()) != std::end(kOftenGiven);
}

constexpr const char* kRoot = "session.root";
constexpr const char* kFarField = "--far-field";
constexpr double kFarFieldThreshold = 0.2;  // speech then ends below 0.05

}  // namespace

ConfigFlags::ConfigFlags(CLI::App& command) : command_(command) {}

void ConfigFlags::add_all() {
  add_config_file();
  for (const Setting& setting : settings()) {
    if (std::ranges::find(kArrangedOnce, setting.section) == kArrangedOnce.end()) add(setting);
  }
  add_far_field();
}

void ConfigFlags::add_detection() {
  add_sections({"vad"}, {"capture.channel", "capture.input_format"});
  add_far_field();
}

void ConfigFlags::add_far_field() {
  const std::string far_field_help = "detect speech that is far from the microphone, and more noise";
  far_field_ = command_.add_flag(kFarField, far_field_help);
  far_field_->excludes("--vad-threshold")->group(std::string(heading("vad")));
}

void ConfigFlags::add_root(std::initializer_list<std::string_view> and_sections) {
  add_config_file();
  const std::vector<Setting> all = settings();
  add(*std::ranges::find(all, kRoot, &Setting::name));
  for (const Setting& setting : all) {
    const std::string_view section = setting.section;
    const auto holds = [section](std::string_view each) {
      return section == each || (section.starts_with(each) && section.substr(each.size()).starts_with('.'));
    };
    if (std::ranges::any_of(and_sections, holds)) add(setting);
  }
}

void ConfigFlags::add_sections(std::initializer_list<std::string_view> sections,
                               std::initializer_list<std::string_view> and_settings) {
  add_config_file();
  for (const Setting& setting : settings()) {
    const bool is_wanted = std::ranges::find(sections, setting.section) != sections.end() ||
                           std::ranges::find(and_settings, setting.name()) != and_settings.end();
    if (is_wanted) add(setting);
  }
}

void ConfigFlags::add_config_file() {
  command_.add_option("--config", config_, "configuration file (TOML); options beat it")->type_name("FILE");
}

void ConfigFlags::add(const Setting& setting) {
  const std::string setting_name = setting.name();
  const auto* const named = std::ranges::find(kFlagNames, setting_name, [](const auto& pair) { return pair.first; });
  std::string flag = named != std::end(kFlagNames) ? std::string(named->second) : "--" + setting.key;
  std::ranges::replace(flag, '_', '-');
  Flag& added = flags_.emplace_back(Flag{flag, setting.name(), {}, nullptr});
  if (setting.type == Setting::Type::flag) {
    if (setting.is_on) flag.insert(2, "no-");
    added.name = flag;
    added.text = setting.is_on ? "false" : "true";
    added.option = command_.add_flag(flag, setting.is_on ? fmt::format("do not {}", setting.help) : setting.help)
                       ->group(std::string(heading(setting.section)));
    if (!is_often_given(setting)) show_seldom(command_, *added.option);
    return;
  }
  const std::string type = !setting.one_of.empty()                 ? fmt::format("{}", fmt::join(setting.one_of, "|"))
                           : setting.type == Setting::Type::number ? "NUMBER"
                                                                   : "TEXT";
  added.option = command_.add_option(flag, added.text, setting.help)
                     ->type_name(type)
                     ->group(std::string(heading(setting.section)));
  if (!is_often_given(setting)) show_seldom(command_, *added.option);
}

RecorderConfig ConfigFlags::resolve(RecorderConfig base) const {
  try {
    if (const auto file = config_file(config_); !file.empty()) read_config_file(base, file);
    for (const Flag& flag : flags_) {
      if (flag.option->count() > 0) set_setting(base, flag.setting, flag.text, flag.name);
    }
    if (far_field_ != nullptr && far_field_->count() > 0) base.vad.threshold = kFarFieldThreshold;
    base.validate();
    return base;
  } catch (const RecorderError& error) {
    throw UsageError(error.what());
  }
}

std::filesystem::path ConfigFlags::file() const {
  return config_file(config_);
}

bool ConfigFlags::was_given(std::string_view name) const {
  return std::ranges::any_of(flags_,
                             [name](const Flag& flag) { return flag.name == name && flag.option->count() > 0; });
}

std::string ConfigFlags::given_outside(std::string_view section) const {
  for (const Flag& flag : flags_) {
    const std::string_view setting = flag.setting;
    const bool is_inside = setting.starts_with(section) && setting.substr(section.size()).starts_with('.');
    if (flag.option->count() > 0 && !is_inside && setting != kRoot) return flag.name;
  }
  return far_field_ != nullptr && far_field_->count() > 0 ? kFarField : "";
}

}  // namespace dictum::program
