#include "dictum/audio_input.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "dictum/error.hpp"
#include "support/test_data.hpp"

namespace dictum {
namespace {

/// Two readings, the first of them shorter than the buffer, with a gap behind it.
class TwoReadings final : public AudioSource {
 public:
  AudioFormat open() override { return {.sample_rate = 8000, .channels = 2}; }
  Reading read(std::span<float> samples) override {
    std::fill(samples.begin(), samples.end(), 0.25F);
    if (readings_++ == 0) return {2, SourceGap{.frames = 7, .reason = GapReason::overflow}};
    return {samples.size() / 2, SourceEnd{}};
  }
  void close() noexcept override {}
  std::string description() const override { return "two readings"; }
  double drift_ppm() const override { return 12; }

 private:
  int readings_ = 0;
};

TEST(TapSource, PassesEachReadingsSamplesAndTheirFormat) {
  std::vector<std::size_t> sizes;
  AudioFormat seen{};
  const auto source = tap_source(std::make_unique<TwoReadings>(), [&](auto samples, const AudioFormat& format) {
    sizes.push_back(samples.size());
    seen = format;
  });
  source->open();
  std::vector<float> buffer(10);
  source->read(buffer);
  source->read(buffer);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 10}));
  EXPECT_EQ(seen, (AudioFormat{.sample_rate = 8000, .channels = 2}));
}

TEST(TapSource, DeliversWhatItsSourceDoes) {
  const auto source = tap_source(std::make_unique<TwoReadings>(), [](auto, const AudioFormat&) {});
  source->open();
  std::vector<float> buffer(10);
  const Reading reading = source->read(buffer);
  EXPECT_EQ(reading.frames, 2U);
  ASSERT_TRUE(std::holds_alternative<SourceGap>(reading.then));
  EXPECT_EQ(std::get<SourceGap>(reading.then).frames, 7);
  EXPECT_EQ(source->description(), "two readings");
  EXPECT_EQ(source->drift_ppm(), 12);
}

TEST(TapSource, RefusesANullPointer) {
  EXPECT_THROW(tap_source(nullptr, [](auto, const AudioFormat&) {}), RecorderError);
  EXPECT_THROW(tap_source(std::make_unique<TwoReadings>(), nullptr), RecorderError);
}

TEST(MakeSource, ReadsAFileWithoutARecorder) {
  RecorderConfig config;
  config.capture.input = test::project_file("samples/voice_note.wav");
  config.capture.pace = "fast";
  const auto source = make_source(config);
  EXPECT_EQ(source->open(), (AudioFormat{.sample_rate = 16000, .channels = 1}));
  std::vector<float> buffer(1600);
  EXPECT_EQ(source->read(buffer).frames, 1600U);
}

}  // namespace
}  // namespace dictum
