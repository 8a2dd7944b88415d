#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "dictum/error.hpp"
#include "recorder/event_log.hpp"
#include "recorder/flavours.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"
#include "support/virtual_microphone.hpp"

namespace dictum {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

template <class F>
class ChosenDevice : public testing::Test {
 protected:
  void SetUp() override {
    DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
    microphone.emplace();
    microphone->load("desk");
    RecorderConfig config;
    config.capture.device = "mic";
    config.transcription.transcriber = "none";
    config.session.root = root.path();
    recorder.emplace(config, [this](const Event& event) { log.add(event); });
  }

  test::TemporaryDirectory root;
  test::EventLog log;
  std::optional<test::VirtualMicrophone> microphone;
  std::optional<F> recorder;
};

using Flavours = testing::Types<test::BlockingFlavour, test::AsyncFlavour>;
TYPED_TEST_SUITE(ChosenDevice, Flavours);

TYPED_TEST(ChosenDevice, IsRecordedInTheSameSession) {
  ASSERT_FALSE(this->recorder->start());
  ASSERT_FALSE(this->recorder->set_device("desk"));
  ASSERT_TRUE(this->log.template wait_for<DeviceChanged>());
  EXPECT_THAT(this->log.template bodies<DeviceChanged>().front().device, HasSubstr("desk"));
  ASSERT_FALSE(this->recorder->stop());
  EXPECT_THAT(test::grammar_violations(this->recorder->session()), IsEmpty());
}

TYPED_TEST(ChosenDevice, ThatIsNotThereIsReportedAndThePreviousOneIsKept) {
  ASSERT_FALSE(this->recorder->start());
  ASSERT_FALSE(this->recorder->set_device("cellar"));
  ASSERT_TRUE(this->log.template wait_for<RecorderFault>());
  EXPECT_THAT(this->log.template bodies<RecorderFault>().front().message, HasSubstr("cellar"));
  ASSERT_FALSE(this->recorder->stop());
  EXPECT_THAT(this->log.template bodies<DeviceChanged>(), IsEmpty());
}

TYPED_TEST(ChosenDevice, BeforeTheStartIsTheOneThatIsOpened) {
  ASSERT_FALSE(this->recorder->set_device("cellar"));
  EXPECT_EQ(this->recorder->start(), Errc::input_not_found);
}

}  // namespace
}  // namespace dictum
