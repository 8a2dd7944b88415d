#pragma once

#include <CLI/App.hpp>
#include <deque>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "dictum/config.hpp"
#include "dictum/settings.hpp"

namespace dictum::program {

/// The settings of the configuration file as options of a command. Must live until the command has run.
class ConfigFlags {
 public:
  explicit ConfigFlags(CLI::App& command);

  /// Adds `--config` and an option for each setting; `--min-silence-ms` for `vad.min_silence_ms`, and so on.
  void add_all();

  /// Adds `--config` and where sessions are, and the settings of these sections and of those below them.
  void add_root(std::initializer_list<std::string_view> and_sections = {});

  /// Adds `--config`, the settings of these sections, and these others.
  void add_sections(std::initializer_list<std::string_view> sections,
                    std::initializer_list<std::string_view> and_settings = {});

  /// Adds `--config` and what decides where a sound file holds speech.
  void add_detection();

  /// The configuration: `base`, then the configuration file, then the options. Throws UsageError.
  RecorderConfig resolve(RecorderConfig base) const;

  /// The configuration file that is gone by; empty where there is none.
  std::filesystem::path file() const;

  bool was_given(std::string_view flag) const;

  /// The first option that was given and whose setting is neither of this section nor `session.root`; empty where
  /// there is none.
  std::string given_outside(std::string_view section) const;

 private:
  void add_config_file();
  void add_far_field();
  void add(const Setting& setting);

  struct Flag {
    std::string name;
    std::string setting;  // "section.key"
    std::string text;
    CLI::Option* option;
  };
  CLI::App& command_;
  std::string config_;
  CLI::Option* far_field_ = nullptr;
  std::deque<Flag> flags_;  // CLI11 keeps the addresses of the texts
};

}  // namespace dictum::program
