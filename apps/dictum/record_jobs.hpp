#pragma once

#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "exit_code.hpp"

namespace dictum::program {

constexpr int kMaxJobs = 256;

/// Records files, so many at once, each into a session of its own with transcription workers of its own. Prints a line
/// for each that is done, as JSON an object; on a terminal also how far the others are. A signal stops them all and
/// begins no other. Fails where one of them fails. Call it on main's thread, before there are others.
ExitCode record_jobs(const std::vector<std::string>& files, const RecorderConfig& config, int jobs, bool json);

}  // namespace dictum::program
