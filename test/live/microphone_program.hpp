#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/running_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/virtual_microphone.hpp"

namespace dictum::test {

/// `dictum` in front of a virtual microphone.
class MicrophoneProgram : public testing::Test {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    daemon.emplace();
  }

  ProgramSettings dictum(std::vector<std::string> arguments) const {
    return {.executable = DICTUM_PROGRAM,
            .arguments = std::move(arguments),
            .environment = {{"XDG_DATA_HOME", folder / "data"},
                            {"DICTUM_WORKER_DIR", DICTUM_BIN_DIR},
                            {"DICTUM_CONFIG", ""}},
            .input = {},
            .keeps_input_open = false,
            .output = std::nullopt,
            .file_size_limit = std::nullopt};
  }

  ProgramSettings record(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"record", "--no-transcribe", "--output-dir", (folder / "sessions").string()});
    return dictum(std::move(arguments));
  }

  /// Every session that is there.
  std::vector<std::filesystem::path> sessions() const {
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "sessions", none)) {
      if (entry.is_directory()) found.push_back(entry.path());
    }
    return found;
  }

  TemporaryDirectory folder;
  std::optional<VirtualMicrophone> daemon;
};

}  // namespace dictum::test
