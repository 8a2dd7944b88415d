#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dictum/config.hpp"
#include "dictum/export.hpp"

/// The settings of RecorderConfig by their names, and the configuration file. For programs with a file, options or a
/// dialog for the settings; `dictum` makes its options from this list.
///
/// Errors: RecorderError(config_invalid), with one sentence that names the setting and says what is wrong; further ones
/// are named at the function.
///
/// Thread safety: any thread; a RecorderConfig is a value of the caller's.
namespace dictum {

/// One setting, as the configuration file has it.
struct Setting {
  enum class Type { flag, number, text, list, table };

  std::string section;  ///< "vad", "transcription.simulated"
  std::string key;
  std::string help;  ///< for people, one line, without a capital at its beginning
  Type type{};
  bool is_on = false;                 ///< the default of a flag
  std::vector<std::string> one_of;    ///< the valid words of a text; empty: any
  std::optional<double> least, most;  ///< of a number; empty: no limit

  std::string name() const { return section + "." + key; }
};

/// Every setting, in the order of the documentation.
DICTUM_API std::vector<Setting> settings();

/// Sets one setting from a text, as on a command line: a list as JSON or with commas, a table as JSON. `name` is
/// "section.key"; `where` begins the sentence of an error, for example the option's name.
DICTUM_API void set_setting(RecorderConfig& config, std::string_view name, const std::string& text,
                            std::string_view where);

/// The value of one setting as the configuration file has it, in TOML: `0.5`, `"auto"`, `["new note"]`. `name` is
/// "section.key".
DICTUM_API std::string setting_as_toml(const RecorderConfig& config, std::string_view name);

/// The phrases that steer notes as they are in effect: the configured ones, and the English ones where a list is empty.
/// Each list has the usual phrase first. Errors: a phrase that means two commands.
DICTUM_API RecorderConfig::Notes phrases_in_effect(const RecorderConfig& config);

/// Reads a TOML file over `config`. Unknown sections and keys are errors that name the nearest one. Errors:
/// `input_not_found` too.
DICTUM_API void read_config_file(RecorderConfig& config, const std::filesystem::path& path);

/// The texts of a section that belongs to a program and not to the recorder, for example "tui.keys": every key of it,
/// in any order; empty where it is missing.
DICTUM_API std::map<std::string, std::string> read_config_texts(const std::filesystem::path& path,
                                                                std::string_view section);

/// The same of lists of texts, for example "hooks".
DICTUM_API std::map<std::string, std::vector<std::string>> read_config_lists(const std::filesystem::path& path,
                                                                             std::string_view section);

/// The configuration file that a program uses: `named` (where not empty), else $DICTUM_CONFIG, else
/// $XDG_CONFIG_HOME/dictum/config.toml where it exists; empty where there is none.
DICTUM_API std::filesystem::path config_file(const std::filesystem::path& named = {});

/// Where that file is looked for, whether it exists or not: $DICTUM_CONFIG, else $XDG_CONFIG_HOME/dictum/config.toml;
/// empty where neither HOME nor XDG_CONFIG_HOME is set.
DICTUM_API std::filesystem::path default_config_file();

}  // namespace dictum
