#include "capture/device_stream.hpp"

#include <gmock/gmock.h>
#include <pthread.h>

#include <array>
#include <future>
#include <string>

namespace dictum::capture {
namespace {

using namespace std::chrono_literals;

TEST(DeviceStream, RunsOnAThreadThatTheSystemKnowsAsAudio) {
  std::promise<std::string> name;
  const auto stream = DeviceStream::launch([&](DeviceStream&) {
    std::array<char, 16> text{};
    ::pthread_getname_np(::pthread_self(), text.data(), text.size());
    name.set_value(text.data());
  });
  EXPECT_EQ(name.get_future().get(), "audio");
  EXPECT_TRUE(stream->wait_until_ended(5s));
}

TEST(DeviceStream, IsLostWithTheReasonOfItsException) {
  const auto stream = DeviceStream::launch(
      [](DeviceStream&) { throw RecorderError(Errc::device_busy, "Another program holds the device."); });
  EXPECT_TRUE(stream->wait_until_ended(5s));
  EXPECT_EQ(stream->state(), DeviceStream::State::lost);
  EXPECT_EQ(stream->failure().code, Errc::device_busy);
  EXPECT_EQ(stream->failure().message, "Another program holds the device.");
}

TEST(DeviceStream, KeepsTheFirstReasonOfItsLoss) {
  const auto stream = DeviceStream::launch([](DeviceStream& s) {
    s.lose({Errc::device_lost, "first"});
    s.lose({Errc::internal, "second"});
  });
  EXPECT_TRUE(stream->wait_until_ended(5s));
  EXPECT_EQ(stream->failure().message, "first");
}

TEST(DeviceStream, ReturnsFromTheWaitForItsEndOnceItIsAskedToStop) {
  const auto stream = DeviceStream::launch([](DeviceStream& s) { s.wait_for_end(); });
  stream->request_stop();
  EXPECT_TRUE(stream->wait_until_ended(5s));
}

TEST(DeviceStream, IsNotWaitedForBeyondTheLimitWhereItsThreadHangs) {
  std::promise<void> release;
  const auto stream =
      DeviceStream::launch([released = release.get_future().share()](DeviceStream&) { released.wait(); });
  stream->request_stop();
  EXPECT_FALSE(stream->wait_until_ended(1ms));
  release.set_value();
  EXPECT_TRUE(stream->wait_until_ended(5s));
}

}  // namespace
}  // namespace dictum::capture
