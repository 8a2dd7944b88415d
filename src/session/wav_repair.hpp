#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dictum/frame.hpp"
#include "journal/session_folder.hpp"

/// Puts right what a crash, or a power cut, left of the WAV files that the recording itself wrote.
namespace dictum::session {

/// The segments that have a WAV file, in order.
std::vector<std::uint32_t> segments_on_disk(const journal::SessionFolder& folder);

/// How many frames the file holds, by its size: the last ones may have been written and not yet announced by the
/// header, which may also be blank (zeros, as a power cut can leave it). 0 where there is no file, or a header at most.
/// Throws RecorderError(session_unreadable) where it is another kind of file.
Frame frames_on_disk(const journal::SessionFolder& folder, const std::string& wav);

/// The frames a second that the file's header states; empty where it has no header of ours.
std::optional<int> rate_on_disk(const journal::SessionFolder& folder, const std::string& wav);

/// Makes the file and its header say `frames`: cuts what is too much, adds silence where there is too little, writes
/// the header where it is blank or missing. Throws RecorderError, session_unreadable as above and where there is no
/// file, disk_full or output_unwritable.
void set_frames(const journal::SessionFolder& folder, const std::string& wav, Frame frames, int sample_rate);

}  // namespace dictum::session
