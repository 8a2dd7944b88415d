#include "capture/devices.hpp"

#include <gmock/gmock.h>

#include "dictum/error.hpp"

namespace dictum::capture {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<DeviceInfo> example_devices() {
  return {
      {.id = "pulse:usb.jabra",
       .name = "usb.jabra",
       .description = "Jabra Speak 510",
       .channels = 1,
       .sample_rate = 16000,
       .backend = "pulse"},
      {.id = "pulse:usb.jabra.2",
       .name = "usb.jabra.2",
       .description = "Jabra Speak 750",
       .channels = 1,
       .sample_rate = 16000,
       .backend = "pulse"},
      {.id = "pulse:pci.mic",
       .name = "pci.mic",
       .description = "Built-in Audio",
       .channels = 2,
       .sample_rate = 48000,
       .is_default = true,
       .backend = "pulse"},
      {.id = "pulse:pci.monitor",
       .name = "pci.monitor",
       .description = "Monitor of Built-in Audio",
       .channels = 2,
       .sample_rate = 48000,
       .is_monitor = true,
       .backend = "pulse"},
  };
}

/// The code and the sentence of what `call` throws.
std::pair<std::error_code, std::string> error_of(auto call) {
  try {
    call();
  } catch (const RecorderError& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TEST(ResolveDevice, TakesAnId) {
  EXPECT_EQ(resolve_device(example_devices(), "pulse:usb.jabra").name, "usb.jabra");
}

TEST(ResolveDevice, TakesANameThatIsPartOfAnother) {
  EXPECT_EQ(resolve_device(example_devices(), "usb.jabra").name, "usb.jabra");
}

TEST(ResolveDevice, TakesADescriptionThatIsPartOfAnother) {
  EXPECT_EQ(resolve_device(example_devices(), "Built-in Audio").name, "pci.mic");
}

TEST(ResolveDevice, TakesAUniquePartInAnyCase) {
  EXPECT_EQ(resolve_device(example_devices(), "SPEAK 750").name, "usb.jabra.2");
}

TEST(ResolveDevice, ListsWhatThereIsWhereNothingMatches) {
  const auto devices = example_devices();
  const auto [code, sentence] = error_of([&] { resolve_device(devices, "blue yeti"); });
  EXPECT_EQ(code, Errc::input_not_found);
  EXPECT_THAT(sentence, AllOf(HasSubstr("blue yeti"), HasSubstr("pulse:usb.jabra"), HasSubstr("pulse:pci.mic")));
}

TEST(ResolveDevice, ListsWhatMatchesWhereSeveralDo) {
  const auto devices = example_devices();
  const auto [code, sentence] = error_of([&] { resolve_device(devices, "jabra"); });
  EXPECT_EQ(code, Errc::device_ambiguous);
  EXPECT_THAT(sentence, AllOf(HasSubstr("pulse:usb.jabra ("), HasSubstr("pulse:usb.jabra.2 (")));
  EXPECT_THAT(sentence, ::testing::Not(HasSubstr("pci.mic")));
}

TEST(ChooseDevice, TakesTheDefaultWhereNoneIsWanted) {
  EXPECT_EQ(choose_device(example_devices(), "").name, "pci.mic");
}

TEST(ChooseDevice, SaysThatThereIsNone) {
  const auto [code, sentence] = error_of([] { choose_device({}, ""); });
  EXPECT_EQ(code, Errc::input_not_found);
  EXPECT_THAT(sentence, HasSubstr("No microphone was found"));
}

TEST(ChooseDevice, RefusesAMonitorThatIsOnlyThereForWantOfAMicrophone) {
  auto devices = example_devices();
  devices.erase(devices.begin(), devices.begin() + 3);
  devices.front().is_default = true;
  EXPECT_EQ(error_of([&] { choose_device(devices, ""); }).first, Errc::input_not_found);
}

TEST(ChooseDevice, TakesAMonitorThatIsNamed) {
  EXPECT_EQ(choose_device(example_devices(), "pci.monitor").name, "pci.monitor");
}

TEST(ChooseDevice, TakesAMonitorThatSomebodyMadeTheDefault) {
  auto devices = example_devices();
  devices[2].is_default = false;
  devices[3].is_default = true;
  EXPECT_EQ(choose_device(devices, "").name, "pci.monitor");
}

TEST(ChooseDevice, ContinuesWithTheDefaultWhereTheWantedOneIsLost) {
  EXPECT_EQ(choose_device(example_devices(), "blue yeti", "yeti").name, "pci.mic");
}

TEST(ChooseDevice, WaitsRatherThanGoingOnWithAMonitor) {
  auto devices = example_devices();
  devices.erase(devices.begin(), devices.begin() + 3);
  devices.front().is_default = true;
  EXPECT_EQ(error_of([&] { choose_device(devices, "", "pci.mic"); }).first, Errc::input_not_found);
}

TEST(ChooseDevice, ReturnsToAMonitorThatWasRecordedBefore) {
  auto devices = example_devices();
  devices[2].is_default = false;
  devices[3].is_default = true;
  EXPECT_EQ(choose_device(devices, "", "pci.monitor").name, "pci.monitor");
}

TEST(ListDevices, KnowsItsBackends) {
  EXPECT_EQ(error_of([] { list_devices("oss"); }).first, Errc::invalid_argument);
}

}  // namespace
}  // namespace dictum::capture
