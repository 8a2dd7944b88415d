#include "capture/microphone.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>
#include <numeric>

#include "dictum/error.hpp"

namespace dictum::capture {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kRate = 48000;
constexpr auto kStep = 10ms;
constexpr float kUnit = 0x1p-24F;  // so that all that a test counts is within -1 to 1, and exact

Backend backend_of(std::function<std::shared_ptr<DeviceStream>(const StreamRequest&)> open) {
  return {.name = "fake", .list = {}, .open = std::move(open)};
}

/// A microphone with devices that the test plays itself, by a clock that the test moves.
class MicrophoneTest : public ::testing::Test {
 protected:
  struct FakeDevice {
    std::string name;
    AudioFormat format{kRate, 1};
  };

  /// Connects to the device that is there.
  std::shared_ptr<DeviceStream> connect(const StreamRequest& request) {
    requests_.push_back(request);
    auto stream = DeviceStream::launch([this, device = device_](DeviceStream& s) {
      if (!device) throw RecorderError(Errc::input_not_found, "There is no device.");
      s.prepare(device->format, device->name, device->name, clock_);
      push(s, kRate / 100);
      s.start();
      s.wait_for_end();
    });
    stream->wait_until_started(5s);
    stream_ = stream;
    return stream;
  }

  /// A block of samples that count over all devices, in steps of kUnit, so that each sample is unique.
  void push(DeviceStream& stream, std::size_t frames) {
    std::vector<float> block(frames * static_cast<std::size_t>(stream.format().channels));
    for (auto& sample : block) sample = kUnit * next_++;
    stream.ring().push(block.data(), frames);
  }

  void open() {
    microphone_.open();
    opened_ = clock_->steady_now();
  }

  /// Time passes: the device delivers 10 ms every 10 ms, and the microphone is read.
  void run(std::chrono::milliseconds time, bool delivering = true) {
    for (auto passed = 0ms; passed < time; passed += kStep) {
      clock_->advance(kStep);
      if (delivering && stream_->state() == DeviceStream::State::streaming)
        push(*stream_, static_cast<std::size_t>(stream_->format().sample_rate / 100));
      read();
    }
  }

  void silence(std::chrono::milliseconds time) { run(time, false); }

  void lose(std::string why) { stream_->lose({Errc::device_lost, std::move(why)}); }

  /// The device is gone for `time`, then `next` is there.
  void outage(std::chrono::milliseconds time, FakeDevice next) {
    device_.reset();
    lose("pulled out");
    silence(time);
    device_ = std::move(next);
  }

  void read() {
    for (;;) {
      const Reading reading = microphone_.read(buffer_);
      captured_ += static_cast<Frame>(reading.frames);
      received_.insert(received_.end(), buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(reading.frames));
      if (const auto* gap = std::get_if<SourceGap>(&reading.then)) {
        gaps_.push_back(*gap);
        gap_starts_.push_back(captured_ + missing_);
        missing_ += gap->frames;
      } else if (const auto* fault = std::get_if<SourceFault>(&reading.then)) {
        faults_.push_back(*fault);
        fault_times_.push_back(clock_->steady_now() - opened_);
      } else if (const auto* device = std::get_if<SourceDevice>(&reading.then)) {
        changes_.push_back(*device);
      }
      if (reading.frames == 0 && reading.then.index() == 0) return;
    }
  }

  void finish() {
    microphone_.finish();
    read();
  }

  double elapsed() const { return std::chrono::duration<double>(clock_->steady_now() - opened_).count(); }
  double timeline() const { return static_cast<double>(captured_ + missing_) / kRate; }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(std::chrono::system_clock::time_point{});
  std::optional<FakeDevice> device_{FakeDevice{"first", {kRate, 1}}};
  float next_ = 0;
  std::shared_ptr<DeviceStream> stream_;
  std::vector<StreamRequest> requests_;
  Microphone microphone_{{backend_of([this](const StreamRequest& request) { return connect(request); })}, "", clock_};

  std::chrono::steady_clock::time_point opened_;
  std::vector<float> buffer_ = std::vector<float>(4800);
  std::vector<float> received_;
  Frame captured_ = 0;
  Frame missing_ = 0;
  std::vector<SourceGap> gaps_;
  std::vector<Frame> gap_starts_;
  std::vector<SourceFault> faults_;
  std::vector<std::chrono::nanoseconds> fault_times_;
  std::vector<SourceDevice> changes_;
};

TEST_F(MicrophoneTest, TouchesNoDeviceBeforeItIsOpened) {
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_F(MicrophoneTest, OpensInTheDevicesOwnFormat) {
  device_->format = {11025, 7};
  EXPECT_EQ(microphone_.open(), (AudioFormat{11025, 7}));
}

TEST_F(MicrophoneTest, DeliversEveryFrameInOrder) {
  open();
  run(2s);
  ASSERT_FALSE(received_.empty());
  std::vector<float> expected(received_.size());
  std::iota(expected.begin(), expected.end(), received_.front() / kUnit);
  for (auto& sample : expected) sample *= kUnit;
  EXPECT_EQ(received_, expected);
}

TEST_F(MicrophoneTest, KeepsTimeWithTheClock) {
  open();
  run(5s);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
  EXPECT_THAT(gaps_, IsEmpty());
}

TEST_F(MicrophoneTest, LeavesOutWhatArrivedBeforeItWasOpened) {
  open();
  push(*stream_, kRate / 2);  // a buffer full of the past
  run(2s);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, MakesNoGapOfAudioThatComesLate) {
  open();
  run(1s);
  for (const auto late : {30ms, 90ms, 200ms, 400ms, 20ms, 900ms}) {
    silence(late);
    push(*stream_, static_cast<std::size_t>(late.count()) * kRate / 1000);
    run(700ms);
  }
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, ReportsAStallWithinASecond) {
  open();
  run(1s);
  silence(1s);
  ASSERT_THAT(faults_, SizeIs(1));
  EXPECT_TRUE(faults_.front().recoverable);
  EXPECT_EQ(faults_.front().code, "device_lost");
}

TEST_F(MicrophoneTest, PutsAGapWhereTheAudioCeasedAndAsLongAsItDid) {
  open();
  run(1s);
  const Frame before = captured_;
  silence(2s);
  run(2s);
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gap_starts_.front(), before);
  EXPECT_EQ(gaps_.front().frames, 2 * kRate);
  EXPECT_EQ(gaps_.front().reason, GapReason::stalled);
}

TEST_F(MicrophoneTest, MakesAGapOfOnlyWhatNeverCame) {
  open();
  run(1s);
  silence(1500ms);
  push(*stream_, kRate / 2);
  run(1s);
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().frames, kRate);
}

TEST_F(MicrophoneTest, ConnectsAgainWhereTheStreamIsLost) {
  open();
  run(1s);
  outage(500ms, {"first"});
  run(1s);
  finish();
  EXPECT_THAT(faults_.front().message, HasSubstr("pulled out"));
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().reason, GapReason::device_lost);
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(MicrophoneTest, ReportsALossAtOnce) {
  open();
  run(1s);
  lose("pulled out");
  silence(10ms);
  EXPECT_THAT(faults_, SizeIs(1));
}

TEST_F(MicrophoneTest, TriesUntilADeviceIsThere) {
  open();
  run(1s);
  outage(4s, {"second"});
  run(1s);
  finish();
  EXPECT_THAT(faults_, SizeIs(1));
  ASSERT_THAT(changes_, SizeIs(1));
  EXPECT_EQ(changes_.front().device, "second");
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, AsksForTheDeviceThatItHad) {
  open();
  run(1s);
  lose("pulled out");
  silence(10ms);
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_EQ(requests_[0].previous, "");
  EXPECT_EQ(requests_[1].previous, "first");
}

TEST_F(MicrophoneTest, DeliversWhatTheLostStreamHadReceived) {
  open();
  run(1s);
  push(*stream_, 480);
  const float last = kUnit * (next_ - 1);
  lose("pulled out");
  silence(10ms);
  EXPECT_EQ(received_.back(), last);
}

TEST_F(MicrophoneTest, KeepsItsFormatWithAnotherDevice) {
  open();
  run(1s);
  outage(500ms, {"second", {16000, 2}});
  run(3s);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.015);
  EXPECT_THAT(gaps_, SizeIs(1));
}

TEST_F(MicrophoneTest, GivesAStreamUpThatDoesNotComeBack) {
  open();
  run(1s);
  device_.reset();
  silence(4s);
  EXPECT_TRUE(stream_->state() == DeviceStream::State::lost);
  device_ = FakeDevice{"first"};
  run(1s);
  finish();
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().reason, GapReason::stalled);
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, WaitsForADeviceThatIsSuspended) {
  open();
  run(1s);
  stream_->ring().mark(GapReason::suspended);
  stream_->update([](StreamStatus& status) { status.is_suspended = true; });
  silence(10s);
  stream_->update([](StreamStatus& status) { status.is_suspended = false; });
  run(1s);
  EXPECT_THAT(requests_, SizeIs(1));
  EXPECT_THAT(faults_, SizeIs(1));
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().frames, 10 * kRate);
  EXPECT_EQ(gaps_.front().reason, GapReason::suspended);
}

TEST_F(MicrophoneTest, ReportsTheDeviceThatTheServerMovedItTo) {
  open();
  run(1s);
  stream_->ring().mark(GapReason::device_lost);
  stream_->update([](StreamStatus& status) { status.device = "second"; });
  silence(200ms);
  run(1s);
  ASSERT_THAT(changes_, SizeIs(1));
  EXPECT_EQ(changes_.front().device, "second");
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().frames, kRate / 5);
}

TEST_F(MicrophoneTest, LosesNothingWhileItsReaderSleepsForTenSeconds) {
  open();
  run(1s);
  for (int i = 0; i < 1000; ++i) {
    clock_->advance(kStep);
    push(*stream_, 480);
  }
  run(1s);
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_THAT(faults_, IsEmpty());
}

TEST_F(MicrophoneTest, PlacesAnOverflowToTheFrame) {
  open();
  run(1s);
  for (int i = 0; i < 2000; ++i) {
    clock_->advance(kStep);
    push(*stream_, 480);
  }
  run(1s);
  finish();
  constexpr Frame kDropped = 8 * kRate + 480;  // 12 s of 20 fit; the reader comes 10 ms later
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().frames, kDropped);
  EXPECT_EQ(gaps_.front().reason, GapReason::overflow);
  // The samples count every frame that the device had, so they say whether the gap is where it belongs.
  const auto after = static_cast<std::size_t>(gap_starts_.front());
  EXPECT_EQ((received_[after] - received_[after - 1]) / kUnit, static_cast<float>(kDropped + 1));
}

TEST_F(MicrophoneTest, ReportsAnOverflowThatNothingFollowed) {
  open();
  run(1s);
  push(*stream_, 13 * kRate);
  finish();
  EXPECT_EQ(gaps_.front().reason, GapReason::overflow);
  EXPECT_EQ(gaps_.front().frames, kRate);
}

TEST_F(MicrophoneTest, TakesADriftForNoGap) {
  open();
  run(1s);
  for (int i = 0; i < 12'000; ++i) {  // two minutes, 0.1 % fast
    clock_->advance(9990us);
    push(*stream_, 480);
    read();
  }
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_NEAR(microphone_.drift_ppm(), 1000, 30);
}

TEST_F(MicrophoneTest, MakesAGapOfFramesThatWereLostWithoutAWord) {
  open();
  run(10s);
  silence(90ms);
  run(4s);
  finish();
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().frames, 90 * kRate / 1000);
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, EndsTheTimelineInTheMiddleOfAnOutage) {
  open();
  run(1s);
  device_.reset();
  lose("pulled out");
  silence(3s);
  EXPECT_THAT(gaps_, IsEmpty());
  finish();
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, EndsTheTimelineInAnOutageThatIsNotReportedYet) {
  open();
  run(1s);
  silence(300ms);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, BeginsAnewWhereItIsOpenedAgain) {
  open();
  run(1s);
  finish();
  microphone_.close();
  clock_->advance(5s);
  captured_ = missing_ = 0;
  open();
  run(1s);
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, KeepsItsFormatWhereItIsOpenedAgainWithAnotherDevice) {
  open();
  run(1s);
  microphone_.close();
  device_ = FakeDevice{"second", {16000, 2}};
  captured_ = missing_ = 0;
  EXPECT_EQ(microphone_.open(), (AudioFormat{kRate, 1}));
  opened_ = clock_->steady_now();
  run(2s);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.015);
}

TEST_F(MicrophoneTest, SaysWhyItDoesNotOpen) {
  device_.reset();
  try {
    microphone_.open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_not_found);
    EXPECT_STREQ(error.what(), "There is no device.");
  }
}

TEST_F(MicrophoneTest, ReadsNothingWhereItIsClosed) {
  EXPECT_EQ(microphone_.read(buffer_).frames, 0U);
  microphone_.finish();
  microphone_.close();
  microphone_.close();
}

/// A stream whose thread heeds nothing until the test ends.
class StuckDriver {
 public:
  ~StuckDriver() { release_.set_value(); }

  std::shared_ptr<DeviceStream> connect(bool delivers) {
    return DeviceStream::launch([released = released_, delivers](DeviceStream& stream) {
      if (delivers) {
        const float sample = 0;
        stream.prepare({kRate, 1}, "stuck", "stuck", std::make_shared<SystemClock>()).push(&sample, 1);
        stream.start();
      }
      released.wait();
    });
  }

 private:
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future();
};

TEST(Microphone, ClosesInTimeWhereItsDriverHangs) {
  StuckDriver driver;
  Microphone microphone({backend_of([&](const StreamRequest&) { return driver.connect(true); })}, "",
                        std::make_shared<SystemClock>());
  microphone.open();
  const auto start = std::chrono::steady_clock::now();
  microphone.close();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST(Microphone, GivesUpOpeningWhereItsDriverHangs) {
  StuckDriver driver;
  Microphone microphone({backend_of([&](const StreamRequest&) { return driver.connect(false); })}, "",
                        std::make_shared<SystemClock>());
  const auto start = std::chrono::steady_clock::now();
  try {
    microphone.open();
    FAIL() << "it opened";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
}

TEST(Microphone, TakesTheNextBackendWhereNoServerOfTheFirstAnswers) {
  const auto clock = std::make_shared<SystemClock>();
  const auto absent = [](const StreamRequest&) {
    return DeviceStream::launch([](DeviceStream& stream) { stream.lose({Errc::device_lost, "no server", true}); });
  };
  const auto present = [&](const StreamRequest&) {
    return DeviceStream::launch([&](DeviceStream& stream) {
      const float sample = 0;
      stream.prepare({kRate, 1}, "second", "second", clock).push(&sample, 1);
      stream.start();
      stream.wait_for_end();
    });
  };
  Microphone microphone({backend_of(absent), backend_of(present)}, "", clock);
  microphone.open();
  EXPECT_EQ(microphone.description(), "second");
}

TEST_F(MicrophoneTest, GoesOverToAnotherDeviceThatIsChosenWhileItRecords) {
  open();
  run(1s);
  device_ = FakeDevice{"second", {kRate, 1}};
  microphone_.set_device("second");
  run(1s);
  finish();
  EXPECT_EQ(requests_.back().wanted, "second");
  ASSERT_THAT(changes_, SizeIs(1));
  EXPECT_EQ(changes_.front().device, "second");
  EXPECT_EQ(changes_.front().reason, "it was chosen");
  EXPECT_THAT(faults_, IsEmpty());
  EXPECT_NEAR(timeline(), elapsed(), 0.02);
}

TEST_F(MicrophoneTest, StaysWithItsDeviceWhereTheChosenOneCannotBeOpened) {
  open();
  run(1s);
  const auto first = stream_;
  device_.reset();
  microphone_.set_device("missing");
  stream_ = first;
  run(1s);
  finish();
  ASSERT_THAT(faults_, SizeIs(1));
  EXPECT_THAT(faults_.front().message, HasSubstr("There is no device. Recording continues with the previous device."));
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_THAT(gaps_, IsEmpty());
}

/// Fails as a back end does that reaches no server, or, without `try_next`, has no such device.
Backend failing_backend(Errc code, std::string message, bool try_next) {
  return backend_of([=](const StreamRequest&) {
    return DeviceStream::launch([=](DeviceStream& stream) { stream.lose({code, message, try_next}); });
  });
}

std::pair<std::error_code, std::string> error_of_opening(std::vector<Backend> backends) {
  Microphone microphone(std::move(backends), "", std::make_shared<SystemClock>());
  try {
    microphone.open();
  } catch (const RecorderError& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TEST(Microphone, ReportsTheMissingServerWhereNoOtherBackendHasADeviceEither) {
  const auto [code, sentence] =
      error_of_opening({failing_backend(Errc::device_lost, "No sound server can be reached.", true),
                        failing_backend(Errc::input_not_found, "No microphone was found.", true)});
  EXPECT_EQ(code, Errc::device_lost);
  EXPECT_EQ(sentence, "No sound server can be reached.");
}

TEST(Microphone, ReportsBothReasonsWhereTheDeviceOfTheNextBackendFails) {
  const auto [code, sentence] =
      error_of_opening({failing_backend(Errc::device_lost, "No sound server can be reached.", true),
                        failing_backend(Errc::device_busy, "The input device \"hw\" is busy.", false)});
  EXPECT_EQ(code, Errc::device_busy);
  EXPECT_EQ(sentence, "No sound server can be reached. The input device \"hw\" is busy.");
}

TEST(Microphone, TriesNoOtherBackendWhereTheServerOfTheFirstAnswers) {
  const auto [code, sentence] =
      error_of_opening({failing_backend(Errc::device_busy, "The input device \"mic\" is busy.", false),
                        failing_backend(Errc::input_not_found, "No microphone was found.", true)});
  EXPECT_EQ(sentence, "The input device \"mic\" is busy.");
}

// A process that was stopped (SIGSTOP) for 20 s: the server has kept the audio, which arrives at once, and the ring
// holds 12 s of it.
TEST_F(MicrophoneTest, CountsALossOnceWhereItsProcessWasStopped) {
  open();
  run(1s);
  clock_->advance(20s);
  push(*stream_, 20 * kRate);
  read();
  run(2s);
  finish();
  ASSERT_THAT(gaps_, SizeIs(1));
  EXPECT_EQ(gaps_.front().reason, GapReason::overflow);
  EXPECT_EQ(gaps_.front().frames, 8 * kRate);
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
  EXPECT_THAT(faults_, IsEmpty());
}

TEST_F(MicrophoneTest, CountsALossOnceWhereItIsStoppedRightAfterIt) {
  open();
  run(1s);
  clock_->advance(20s);
  push(*stream_, 20 * kRate);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, CountsALossOnceWhereTheDeviceIsGoneAfterIt) {
  open();
  run(1s);
  clock_->advance(20s);
  push(*stream_, 20 * kRate);
  outage(500ms, {"second"});
  run(1s);
  finish();
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, LosesNothingWhileItMeasuresAFullRing) {
  open();
  run(1s);
  clock_->advance(12s);
  push(*stream_, 12 * kRate);
  read();
  run(2s);
  finish();
  EXPECT_THAT(gaps_, IsEmpty());
  EXPECT_NEAR(timeline(), elapsed(), 0.010);
}

TEST_F(MicrophoneTest, ReportsThatTheSoundSystemMutesItAndWhenThatEnds) {
  open();
  run(1s);
  stream_->update([](StreamStatus& status) { status.mute = "It is muted. Unmute it."; });
  run(5s);
  ASSERT_THAT(faults_, SizeIs(1));
  EXPECT_EQ(faults_.front().code, "input_muted");
  EXPECT_EQ(faults_.front().message, "It is muted. Unmute it.");
  EXPECT_LE(fault_times_.front(), 1010ms);
  stream_->update([](StreamStatus& status) { status.mute.clear(); });
  run(1s);
  ASSERT_THAT(faults_, SizeIs(2));
  EXPECT_THAT(faults_.back().message, HasSubstr("no longer muted"));
}

TEST_F(MicrophoneTest, ReportsADeviceThatDeliversOnlyZeros) {
  open();
  run(1s);
  const std::vector<float> zeros(480);
  for (auto passed = 0ms; passed < 4s; passed += kStep) {
    clock_->advance(kStep);
    stream_->ring().push(zeros.data(), zeros.size());
    read();
  }
  ASSERT_THAT(faults_, SizeIs(1));
  EXPECT_EQ(faults_.front().code, "input_silent");
  EXPECT_LT(fault_times_.front(), 4200ms);
  EXPECT_THAT(gaps_, IsEmpty());
}

TEST_F(MicrophoneTest, ScalesIntegersThatADeviceDeliversAsFloat) {
  open();
  run(1s);
  const std::vector<float> integers(480, 16384);
  for (auto passed = 0ms; passed < 1s; passed += kStep) {
    clock_->advance(kStep);
    stream_->ring().push(integers.data(), integers.size());
    read();
  }
  EXPECT_EQ(received_.back(), 0.5F);
  ASSERT_THAT(faults_, SizeIs(1));
  EXPECT_EQ(faults_.front().code, "samples_scaled");
}

}  // namespace
}  // namespace dictum::capture
