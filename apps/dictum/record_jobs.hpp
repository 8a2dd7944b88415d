#pragma once

#include <string>
#include <vector>

#include "dictum/config.hpp"
#include "exit_code.hpp"
#include "server/hook_runner.hpp"

namespace dictum::program {

constexpr int kMaxJobs = 256;

/// Records files, so many at once, each into a session of its own with transcription workers of its own. Prints a line
/// for each that is done, as JSON an object; on a terminal also how far the others are. A signal stops them all and
/// begins no other. Fails where one of them fails. `hooks` are run for each file, for those of different files at once.
/// Call it on main's thread, before there are others.
ExitCode record_jobs(const std::vector<std::string>& files, const RecorderConfig& config,
                     const server::HookSettings& hooks, int jobs, bool json);

}  // namespace dictum::program
