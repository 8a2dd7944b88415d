#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "live/noise_recording.hpp"
#include "support/running_program.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

using Stress = test::NoiseRecording;

TEST_F(Stress, LosesNothingWhileEveryCoreIsLoaded) {
  const std::filesystem::path stress = "/usr/bin/stress-ng";
  if (!std::filesystem::exists(stress)) GTEST_SKIP() << "stress-ng is not installed";
  const auto length = test::is_soak() ? 600s : 20s;
  const std::string cores = std::to_string(::sysconf(_SC_NPROCESSORS_ONLN));
  test::RunningProgram load({.executable = stress,
                             .arguments = {"--cpu", cores, "--memcpy", cores, "--timeout",
                                           std::to_string(length.count() + 30), "--temp-path", folder_.path()},
                             .environment = {},
                             .input = {},
                             .keeps_input_open = false,
                             .output = std::nullopt,
                             .file_size_limit = std::nullopt});
  play_noise(length);
  finish();
  load.send(SIGINT);
  load.wait();
  EXPECT_THAT(live_->received().gaps, IsEmpty());
  EXPECT_EQ(wrong_samples(), 0);
}

}  // namespace
}  // namespace dictum
