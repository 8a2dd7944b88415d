#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tui/action.hpp"
#include "tui/model.hpp"
#include "tui/text_input.hpp"

/// Where a person is looking, and what keys and clicks do there. Pure: a state and a key give a state and commands.
namespace dictum::tui {

enum class Page {
  main,
  help,
  devices,
  sessions,
  notes,      ///< of every session
  reading,    ///< one session
  exporting,  ///< choosing a format
  editing,    ///< a segment's text
  deleting,   ///< a session, which is asked first
  redoing,    ///< transcribing a session again, which is asked first
  search,
  leaving,  ///< waiting for the texts that are still to come
};

/// What narrows a list to the rows that have some words.
struct Filter {
  enum class State {
    off,
    typing,  ///< keys write into it
    on,
  };
  State state = State::off;
  TextInput words;
  bool operator==(const Filter&) const = default;
};

/// A page below the one that is shown, as it was left.
struct Place {
  Page page{};
  std::size_t selected{};
  Filter filter;
  bool operator==(const Place&) const = default;
};

struct View {
  Page page = Page::main;
  std::size_t selected = 0;           ///< row of a page with a list, of those that `shown_rows` has
  std::optional<std::size_t> anchor;  ///< line at the bottom of the transcript; empty: it follows the newest
  TextInput query;                    ///< of the search
  Filter filter;                      ///< of the page's list
  std::filesystem::path session;      ///< that is read, exported, edited, deleted or transcribed again
  std::uint32_t segment{};            ///< that is edited
  TextInput edited;                   ///< its new text
  std::vector<Place> below;           ///< where going back leads, the last first; empty: to the main page
  bool operator==(const View&) const = default;
};

/// The page's list as far as its filter leaves it: indices of what the model has. Empty for a page without a list.
std::vector<std::size_t> shown_rows(const Model& model, const View& view);

// What the program is to do. The model says later what came of it.
struct Perform {  ///< of the actions that are the recorder's: record, pause, long_note, end_note, mute, retry; and
                  ///< clear
  Action action{};
  bool operator==(const Perform&) const = default;
};
struct ListDevices {
  bool operator==(const ListDevices&) const = default;
};
struct ChooseDevice {
  std::string id;
  bool operator==(const ChooseDevice&) const = default;
};
struct ListSessions {
  bool operator==(const ListSessions&) const = default;
};
struct ListNotes {
  bool operator==(const ListNotes&) const = default;
};
struct Copy {  ///< to the clipboard of the terminal
  std::string text;
  bool operator==(const Copy&) const = default;
};
struct ReadSession {
  std::filesystem::path session;
  bool operator==(const ReadSession&) const = default;
};
struct Search {
  std::string query;
  bool operator==(const Search&) const = default;
};
struct Play {
  std::filesystem::path session;
  std::optional<std::uint32_t> segment;  ///< to begin with; empty: the first
  bool operator==(const Play&) const = default;
};
struct StopPlaying {
  bool operator==(const StopPlaying&) const = default;
};
struct Export {
  std::filesystem::path session;
  std::string format;  ///< a file's ending: "txt", "wav" ...
  bool operator==(const Export&) const = default;
};
struct CopySession {  ///< its whole text, to the clipboard of the terminal
  std::filesystem::path session;
  bool operator==(const CopySession&) const = default;
};
struct EditText {
  std::filesystem::path session;
  std::uint32_t segment{};
  std::string text;
  bool operator==(const EditText&) const = default;
};
struct DeleteSession {  ///< for good
  std::filesystem::path session;
  bool operator==(const DeleteSession&) const = default;
};
struct TranscribeAgain {
  enum class Texts { missing, all };
  std::filesystem::path session;
  Texts texts{};
  bool operator==(const TranscribeAgain&) const = default;
};
struct Leave {
  bool at_once{};  ///< else when every text is there
  bool operator==(const Leave&) const = default;
};
struct Stay {  ///< takes a Leave back
  bool operator==(const Stay&) const = default;
};
using Command =
    std::variant<Perform, ListDevices, ChooseDevice, ListSessions, ListNotes, Copy, ReadSession, Search, Play,
                 StopPlaying, Export, CopySession, EditText, DeleteSession, TranscribeAgain, Leave, Stay>;

struct Step {
  View view;
  std::vector<Command> commands;
};

/// What a click can hit: something that a key does too, or a row of the page's list.
struct RowTarget {
  std::size_t row{};
  bool operator==(const RowTarget&) const = default;
};
struct KeyTarget {
  std::string key;
  bool operator==(const KeyTarget&) const = default;
};
using Target = std::variant<Action, KeyTarget, RowTarget>;

/// The formats of an export, in the order of the page.
struct ExportFormat {
  std::string_view ending;
  std::string_view help;
};
std::span<const ExportFormat> export_formats();

/// `key` as `parse_key` has them.
[[nodiscard]] Step press(View view, const Model& model, const KeyMap& keys, std::string_view key);
[[nodiscard]] Step click(View view, const Model& model, const KeyMap& keys, const Target& target);

/// The wheel: `lines` down, or up where it is negative.
[[nodiscard]] View scroll(View view, const Model& model, int lines);

}  // namespace dictum::tui
