#pragma once

namespace dictum::recorder {

/// What of an old session is transcribed again, beside what has no text yet. Results are further revisions.
/// `everything` leaves out the segments whose text a person wrote.
enum class Redo { nothing, failed, everything, everything_and_edits };

}  // namespace dictum::recorder
