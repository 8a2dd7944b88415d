#include "capture/device_clock.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace dictum::capture {
namespace {

constexpr int kRate = 48000;

/// A device that delivers 10 ms at a time, `ppm` too fast, up to `jitter` seconds late.
class Device {
 public:
  Device(DeviceClock& clock, double ppm, double jitter) : clock_(clock), ppm_(ppm), late_(0, jitter) {
    clock_.begin(kRate, origin_);
  }

  void run(double seconds, double* most_jump = nullptr) {
    for (const double end = time_ + seconds; time_ < end;) {
      time_ += 0.010;
      position_ = std::llround((time_ - lost_) * kRate * (1 + ppm_ * 1e-6));
      clock_.observe(at(time_ + late_(random_)), position_);
      if (most_jump != nullptr) *most_jump = std::max(*most_jump, clock_.jump());
    }
  }

  void lose(double seconds) { lost_ += seconds; }
  DeviceClock::TimePoint now() const { return at(time_); }

 private:
  DeviceClock::TimePoint at(double seconds) const {
    return origin_ + std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  }

  DeviceClock& clock_;
  const double ppm_;
  std::uniform_real_distribution<double> late_;
  std::mt19937 random_{1};
  const DeviceClock::TimePoint origin_{std::chrono::hours(1)};
  double time_ = 0;
  double lost_ = 0;
  Frame position_ = 0;
};

TEST(DeviceClock, MeasuresTheDriftOfADeviceThatIsFast) {
  DeviceClock clock;
  Device(clock, 250, 0.008).run(600);
  EXPECT_NEAR(clock.drift_ppm(), 250, 3);
}

TEST(DeviceClock, MeasuresTheDriftOfADeviceThatIsSlow) {
  DeviceClock clock;
  Device(clock, -80, 0.008).run(600);
  EXPECT_NEAR(clock.drift_ppm(), -80, 3);
}

TEST(DeviceClock, ReportsNoDriftBeforeItHasMeasuredEnough) {
  DeviceClock clock;
  Device(clock, 250, 0.008).run(10);
  EXPECT_EQ(clock.drift_ppm(), 0);
}

TEST(DeviceClock, KeepsTheDriftOverABreak) {
  DeviceClock clock;
  Device device(clock, 120, 0.008);
  device.run(120);
  clock.restart(clock.floor_at(device.now()));
  device.run(120);
  EXPECT_NEAR(clock.drift_ppm(), 120, 10);
}

TEST(DeviceClock, TakesDriftAndJitterForNoJump) {
  DeviceClock clock;
  double jump = 0;
  Device(clock, -1000, 0.060).run(120, &jump);
  EXPECT_EQ(jump, 0);
}

TEST(DeviceClock, SeesFramesThatWereLostWithoutAWord) {
  DeviceClock clock;
  Device device(clock, 0, 0.008);
  device.run(10);
  device.lose(0.100);
  double jump = 0;
  device.run(2.5, &jump);
  EXPECT_NEAR(jump, 0.100, 0.003);
}

TEST(DeviceClock, PredictsTheFloorOverALongGap) {
  DeviceClock clock;
  Device device(clock, 100, 0.008);
  device.run(300);
  const double floor = clock.floor_at(device.now());
  EXPECT_NEAR(clock.floor_at(device.now() + std::chrono::seconds(1000)), floor - 0.100, 0.005);
}

}  // namespace
}  // namespace dictum::capture
