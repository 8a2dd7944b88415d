#include "dictum/settings.hpp"

#include "config/config_fields.hpp"
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
                   .one_of = std::vector<std::string>(field.one_of.begin(), field.one_of.end())});
  }
  return all;
}

void set_setting(RecorderConfig& config, std::string_view name, const std::string& text, std::string_view where) {
  const std::size_t dot = name.rfind('.');
  const std::string_view section = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  const config::ConfigField& field = config::find_config_field(section, name.substr(dot + 1));
  config::set_config(config, field, config::parse_config_value(field, text), where);
}

}  // namespace dictum
