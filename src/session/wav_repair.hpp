#pragma once

#include <string>

#include "dictum/frame.hpp"
#include "journal/session_folder.hpp"

/// Puts right what a crash left of the WAV files that the recording itself wrote.
namespace dictum::session {

/// How many frames the file holds, by its size: the last ones may have been written and not yet announced by the
/// header. 0 where there is no file, or a header at most. Throws RecorderError(session_unreadable) where it is another
/// kind of file.
Frame frames_on_disk(const journal::SessionFolder& folder, const std::string& wav);

/// Makes the file and its header say `frames`: cuts what is too much, adds silence where there is too little. Throws
/// RecorderError, session_unreadable as above, disk_full or output_unwritable.
void set_frames(const journal::SessionFolder& folder, const std::string& wav, Frame frames);

}  // namespace dictum::session
