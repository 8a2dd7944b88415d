#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/sanitized.hpp"

/// What tests and benchmarks ask the system about processes.
namespace dictum::transcription {

using dictum::kSanitized;

/// The folder of the programs under test.
std::filesystem::path programs();

/// Every process whose environment names `marker`, whoever its parent is; zombies are gone for this purpose.
std::vector<pid_t> processes_with(const std::string& marker);

/// How many descriptors this process has open.
std::size_t open_descriptors();

/// Waits for `condition` of another process, asking every millisecond: such a thing sends no event.
bool soon(const std::function<bool()>& condition, std::chrono::milliseconds within = std::chrono::seconds(10));

/// Bytes of this process that are in memory.
std::size_t resident_bytes();

}  // namespace dictum::transcription
