#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dictum/config.hpp"

namespace dictum::config {

using ConfigValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, std::map<std::string, std::string>>;

/// One setting, described once: the configuration file, the command line, the manifest, Python and the checks all go
/// by this table.
struct ConfigField {
  std::string_view section;
  std::string_view key;
  std::string_view help;
  ConfigValue example;  // of the setting's type: the default
  double least = 0;     // numbers only
  double most = 0;
  std::vector<std::string_view> one_of;                      // words only; empty: any
  bool may_be_empty = false;                                 // a text: "" is a value, not a variable that was not set
  std::function<std::string(const ConfigValue&)> complaint;  // what else may be wrong with a value; empty: nothing
  std::function<ConfigValue(const RecorderConfig&)> get;
  std::function<void(RecorderConfig&, const ConfigValue&)> set;  // of the right type

  std::string name() const { return std::string(section) + "." + std::string(key); }
};

const std::vector<ConfigField>& config_fields();

/// The setting `section`.`key`; throws RecorderError(config_invalid) that names the nearest one.
const ConfigField& find_config_field(std::string_view section, std::string_view key);

/// Sets one setting; whole numbers are taken where fractions are asked for. Throws RecorderError(config_invalid) that
/// says what is wrong, for a value of the wrong type or out of range. `where` begins the sentence, for example a file
/// name.
void set_config(RecorderConfig& config, const ConfigField& field, const ConfigValue& value, std::string_view where);

/// The value that somebody wrote as text, on a command line for example (a list as JSON or with commas, a table as
/// JSON); what cannot be a value of the setting's type is left as a text, which `set_config` then refuses.
ConfigValue parse_config_value(const ConfigField& field, const std::string& text);

/// `read_config_file` of the public interface from text; `name` stands for the file in messages.
void read_config_text(RecorderConfig& config, std::string_view text, std::string_view name);

}  // namespace dictum::config
