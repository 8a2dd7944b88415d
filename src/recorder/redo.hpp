#pragma once

namespace dictum::recorder {

/// What of an old session is transcribed again, beside what has no text yet. Results are further revisions.
enum class Redo { nothing, failed, everything };

}  // namespace dictum::recorder
