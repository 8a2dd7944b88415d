#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace dictum::server {

struct ControlResponse {
  int status{};
  std::string body;  ///< JSON
};

/// Sends one request to the server that is controlled at `socket`, and waits for its answer, which a command has once
/// it has ended. Throws RecorderError: input_not_found where nothing listens there; device_lost where the server ends
/// without an answer. Any thread; no state.
ControlResponse ask_control(const std::filesystem::path& socket, std::string_view method, std::string_view target,
                            std::string_view body = {});

}  // namespace dictum::server
