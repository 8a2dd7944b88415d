#include "dictum/settings.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "config/config_fields.hpp"
#include "config/note_phrases.hpp"
#include "dictum/error.hpp"

namespace dictum {
namespace {

Setting::Type type_of(const config::ConfigValue& value) {
  if (std::holds_alternative<bool>(value)) return Setting::Type::flag;
  if (std::holds_alternative<std::string>(value)) return Setting::Type::text;
  if (std::holds_alternative<std::vector<std::string>>(value)) return Setting::Type::list;
  if (std::holds_alternative<std::map<std::string, std::string>>(value)) return Setting::Type::table;
  return Setting::Type::number;
}

/// JSON's texts, numbers and lists are TOML's, too; its tables are not.
std::string as_toml(const config::ConfigValue& value) {
  const auto json = [](const auto& one) { return boost::json::serialize(boost::json::value_from(one)); };
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  const auto* table = std::get_if<std::map<std::string, std::string>>(&value);
  if (table == nullptr) return std::visit(json, value);
  std::string text;
  for (const auto& [key, meant] : *table)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", json(key), json(meant));
  return "{" + text + "}";
}

const config::ConfigField& field_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view section = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  return config::find_config_field(section, name.substr(dot + 1));
}

std::optional<double> limit(const config::ConfigField& field, double at) {
  const bool is_number = type_of(field.example) == Setting::Type::number;
  return is_number && std::abs(at) < std::numeric_limits<double>::max() ? std::optional(at) : std::nullopt;
}

}  // namespace

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const config::ConfigField& field : config::config_fields()) {
    const bool* const flag = std::get_if<bool>(&field.example);
    all.push_back({.section = std::string(field.section),
                   .key = std::string(field.key),
                   .help = std::string(field.help),
                   .type = type_of(field.example),
                   .is_on = flag != nullptr && *flag,
                   .one_of = std::vector<std::string>(field.one_of.begin(), field.one_of.end()),
                   .least = limit(field, field.least),
                   .most = limit(field, field.most)});
  }
  return all;
}

void set_setting(RecorderConfig& config, std::string_view name, const std::string& text, std::string_view where) {
  const config::ConfigField& field = field_of(name);
  config::set_config(config, field, config::parse_config_value(field, text), where);
}

std::string setting_as_toml(const RecorderConfig& config, std::string_view name) {
  return as_toml(field_of(name).get(config));
}

RecorderConfig::Notes phrases_in_effect(const RecorderConfig& config) {
  notes::NotePhrases phrases = config::note_phrases(config);
  return {.start = std::move(phrases.start),
          .title = std::move(phrases.title),
          .end = std::move(phrases.end),
          .cancel = std::move(phrases.cancel),
          .scratch = std::move(phrases.scratch),
          .stop = std::move(phrases.stop),
          .prefix = std::move(phrases.prefixes)};
}

}  // namespace dictum
