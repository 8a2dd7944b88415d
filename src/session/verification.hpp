#pragma once

#include <chrono>
#include <filesystem>

#include "dictum/sessions.hpp"

namespace dictum::session {

/// `verify_session` of the public interface. Throws RecorderError(input_not_found).
SessionCheck verify(const std::filesystem::path& session);

/// `repair_session` of the public interface; what it records in the journal has the time `now`.
SessionCheck repair(const std::filesystem::path& session, std::chrono::system_clock::time_point now);

}  // namespace dictum::session
