#pragma once

#include <boost/json/object.hpp>

#include "dictum/config.hpp"
#include "notes/phrase_matcher.hpp"

namespace dictum::config {

/// The phrases that steer notes: the configuration's own, English where it names none. Throws
/// RecorderError(config_invalid) where one phrase would mean two commands.
notes::NotePhrases note_phrases(const RecorderConfig& config);

/// Those that a session was recorded with, as its manifest keeps them: its notes are read again by the same. What the
/// manifest does not name, or names wrongly, is English.
notes::NotePhrases recorded_note_phrases(const boost::json::object& config);

}  // namespace dictum::config
