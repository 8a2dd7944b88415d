#pragma once

#include <filesystem>
#include <string>

#include "dictum/event.hpp"
#include "tui/model.hpp"

/// How the model follows from what happens. Pure: the same events give the same screen.
namespace dictum::tui {

/// The model after one more event of the recorder. Events of older sessions, and such as do not fit, change only what
/// they can be about.
[[nodiscard]] Model reduce(Model model, const Event& event);

/// The model with one more notice; the same one again is counted, not repeated.
[[nodiscard]] Model notify(Model model, Weight weight, std::string text);

/// A session was deleted: it is in no list any more.
[[nodiscard]] Model forget(Model model, const std::filesystem::path& session);

/// Time has passed and nothing happened.
[[nodiscard]] Model tick(Model model, Seconds now);

}  // namespace dictum::tui
