#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// What a person can do with one key, and with which.
namespace dictum::tui {

enum class Action {
  record,
  pause,
  long_note,
  end_note,
  mute,
  search,
  devices,
  sessions,
  notes,
  retry,
  clear,
  help,
  quit,
};

/// One action, described once: the keys, the footer, the help and the configuration file go by this table.
struct ActionInfo {
  Action action;
  std::string_view name;  ///< in the configuration file
  std::string_view key;   ///< unless the configuration file says otherwise
  std::string_view hint;  ///< in the footer
  std::string_view help;
};

std::span<const ActionInfo> actions();
const ActionInfo& info(Action action);

/// A key as it is called here and in the configuration file: a character, or "space", "enter", "esc", "tab", "up",
/// "page-up", "f1", "ctrl-r" and so on. Empty where the name is none.
std::optional<std::string> parse_key(std::string_view name);

/// Which key does what. A value.
class KeyMap {
 public:
  /// `wanted`: keys by the names of actions, as the configuration file has them. Throws RecorderError(config_invalid)
  /// for an unknown action, for what is no key, and for a key that would do two things. `where` begins the sentence.
  explicit KeyMap(const std::map<std::string, std::string>& wanted = {}, std::string_view where = "configuration");

  std::optional<Action> action(std::string_view key) const;
  const std::string& key(Action action) const { return keys_.at(action); }

 private:
  std::map<Action, std::string> keys_;
};

}  // namespace dictum::tui
