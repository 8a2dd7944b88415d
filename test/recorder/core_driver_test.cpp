#include "recorder/core_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/invariant.hpp"

namespace dictum::recorder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CoreDriverTest : public testing::Test {
 protected:
  void begin() {
    driver.begin({.session = "20261122_000000",
                  .session_path = "/sessions/20261122_000000",
                  .sample_rate = 16000,
                  .mode = VADMode::normal},
                 clock);
  }

  SystemClock clock;
  std::vector<std::string> faults;
  std::function<void()> on_fault;
  int stops = 0;
  CoreDriver driver{{.carry_out =
                         [this](RecorderCore::Actions& actions) {
                           for (const Action& action : actions) {
                             const auto* emitted = std::get_if<Emit>(&action);
                             const auto* fault =
                                 emitted != nullptr ? std::get_if<RecorderFault>(&emitted->event.body) : nullptr;
                             if (fault == nullptr) continue;
                             if (const auto react = std::exchange(on_fault, nullptr)) react();
                             faults.push_back(fault->message);
                           }
                         },
                     .stop = [this] { ++stops; }}};
};

TEST_F(CoreDriverTest, IgnoresInputsBeforeTheCoreHasBegun) {
  driver.report(EventError{"code", "too early"});
  driver.end_broken({"code", "too early"});
  begin();
  driver.report(EventError{"code", "now"});
  EXPECT_THAT(faults, ElementsAre("now"));
  EXPECT_EQ(stops, 0);
}

TEST_F(CoreDriverTest, AnInputThatArrivesWhileAnotherIsHandledWaits) {
  begin();
  on_fault = [&] { driver.report(EventError{"code", "second"}); };
  driver.report(EventError{"code", "first"});
  EXPECT_THAT(faults, ElementsAre("first", "second"));
}

TEST_F(CoreDriverTest, ABrokenInvariantIsReportedAndStopsTheRecordingOnce) {
  begin();
  for (int i = 0; i < 2; ++i) {
    driver.give([](RecorderCore&, RecorderCore::Actions&) { invariant(false, "one is more than two"); });
  }
  EXPECT_EQ(faults.size(), 1U);
  EXPECT_EQ(stops, 1);
}

}  // namespace
}  // namespace dictum::recorder
