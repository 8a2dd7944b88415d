#include "tui/action.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/nearest.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::tui {
namespace {

constexpr std::array kActions = {
    ActionInfo{Action::record, "record", "space", "record", "begin to record, and stop"},
    ActionInfo{Action::pause, "pause", "p", "pause", "pause, and go on in the same session"},
    ActionInfo{Action::long_note, "long_note", "l", "long note", "let silences be longer, and back again"},
    ActionInfo{Action::end_note, "end_note", "n", "end note", "complete the note that is being dictated"},
    ActionInfo{Action::mute, "mute", "m", "mute", "record silence in place of the microphone"},
    ActionInfo{Action::search, "search", "/", "search", "find what was said, in every session"},
    ActionInfo{Action::devices, "devices", "d", "devices", "choose a microphone, also while recording"},
    ActionInfo{Action::sessions, "sessions", "s", "sessions", "read, play and export what was recorded"},
    ActionInfo{Action::notes, "notes", "N", "notes", "read, play and copy the notes of every session"},
    ActionInfo{Action::retry, "retry", "r", "retry", "transcribe what has failed once more"},
    ActionInfo{Action::clear, "clear", "c", "clear", "forget the notifications"},
    ActionInfo{Action::help, "help", "?", "help", "this page"},
    ActionInfo{Action::quit, "quit", "q", "quit", "stop, wait for texts, leave; twice: at once"},
};

constexpr std::array<std::string_view, 25> kNamedKeys = {
    "space",   "enter",     "esc", "tab", "backspace", "delete", "insert", "up", "down", "left", "right", "home", "end",
    "page-up", "page-down", "f1",  "f2",  "f3",        "f4",     "f5",     "f6", "f7",   "f8",   "f9",    "f10"};

// Those that move about and close; elsewhere they could not.
constexpr std::array<std::string_view, 9> kReserved = {"up",  "down", "page-up", "page-down", "home",
                                                       "end", "esc",  "enter",   "backspace"};

}  // namespace

std::span<const ActionInfo> actions() {
  return kActions;
}

const ActionInfo& info(Action action) {
  return *std::ranges::find(kActions, action, &ActionInfo::action);
}

std::optional<std::string> parse_key(std::string_view name) {
  if (std::ranges::find(kNamedKeys, name) != kNamedKeys.end()) return std::string(name);
  // ctrl-c, -z, -s, -q, -i, -j and -m are the terminal's own.
  if (name.size() == 6 && name.starts_with("ctrl-") && name[5] >= 'a' && name[5] <= 'z' &&
      std::string_view("czsqijm").find(name[5]) == std::string_view::npos) {
    return std::string(name);
  }
  if (name.empty()) return std::nullopt;
  const auto point = utf8::decode(name, 0);
  const bool is_control = point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0);
  if (!point.valid || point.next != name.size() || is_control) return std::nullopt;
  return name == " " ? "space" : std::string(name);
}

KeyMap::KeyMap(const std::map<std::string, std::string>& wanted, std::string_view where) {
  for (const auto& each : kActions) keys_[each.action] = each.key;
  for (const auto& [name, key] : wanted) {
    const auto found = std::ranges::find(kActions, name, &ActionInfo::name);
    if (found == kActions.end()) {
      std::vector<std::string> names;
      for (const auto& each : kActions) names.emplace_back(each.name);
      throw RecorderError(Errc::config_invalid, fmt::format("{}: unknown action \"{}\": did you mean \"{}\"?", where,
                                                            name, nearest(name, names)));
    }
    const auto parsed = parse_key(key);
    if (!parsed || std::ranges::find(kReserved, *parsed) != kReserved.end()) {
      throw RecorderError(Errc::config_invalid,
                          fmt::format("{}: tui.keys.{} is \"{}\"; it must be one character, \"space\", \"tab\", \"f1\" "
                                      "to \"f10\", or \"ctrl-\" and a letter.",
                                      where, name, key));
    }
    keys_[found->action] = *parsed;
  }
  for (const auto& [first, key] : keys_) {
    for (const auto& [second, other] : keys_) {
      if (first < second && key == other) {
        throw RecorderError(Errc::config_invalid, fmt::format("{}: the key \"{}\" is to do two things: {} and {}.",
                                                              where, key, info(first).name, info(second).name));
      }
    }
  }
}

std::optional<Action> KeyMap::action(std::string_view key) const {
  const auto found = std::ranges::find_if(keys_, [key](const auto& each) { return each.second == key; });
  if (found == keys_.end()) return std::nullopt;
  return found->first;
}

}  // namespace dictum::tui
