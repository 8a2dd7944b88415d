#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>

#include "base/unique_fd.hpp"
#include "faulty_recording.hpp"
#include "support/event_grammar.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

/// A reader of standard output that does not read.
class StuckReader : public test::FaultyRecording {
 protected:
  StuckReader() {
    if (::mkfifo((folder / "output").c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category());
    reader = UniqueFD(::open((folder / "output").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ::fcntl(reader.get(), F_SETPIPE_SZ, 4096);
  }

  test::ProgramSettings into_the_pipe(test::ProgramSettings settings) const {
    settings.output = folder / "output";
    return settings;
  }

  void wait_until_something_is_written() const {
    pollfd output{reader.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&output, 1, 10'000), 1);
  }

  UniqueFD reader;
};

TEST_F(StuckReader, DoesNotHoldUpASignal) {
  test::RunningProgram program(into_the_pipe(recording({"--live-events", "--input", beeps(60)})));
  wait_until_something_is_written();
  program.send(SIGTERM);
  const auto result = program.wait(15s);
  EXPECT_EQ(result.exit_code, 1) << result.signal;
  EXPECT_THAT(result.err, HasSubstr("nobody reads it"));
  EXPECT_THAT(result.err, HasSubstr("it is safe in " + session().string()));
  EXPECT_THAT(test::grammar_violations(session(), {.transcription_may_be_pending = true}), IsEmpty());
}

}  // namespace
}  // namespace dictum
