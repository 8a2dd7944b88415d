#pragma once

namespace dictum::program {

/// Makes the local time safe to ask for. The C library reads the file that TZ names, in the folder TZDIR where that is
/// set, and waits for ever where it is a pipe. A zone whose file is no regular one is replaced by UTC, which standard
/// error reports.
///
/// Changes the environment: to be called before the first thread starts. Errors: none.
void guard_time_zone() noexcept;

}  // namespace dictum::program
