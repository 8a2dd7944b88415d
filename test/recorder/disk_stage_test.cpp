#include "recorder/disk_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "journal/journal_reader.hpp"
#include "journal/session_directory.hpp"
#include "session/file_size_limit.hpp"
#include "session/wav_repair.hpp"
#include "support/temporary_directory.hpp"
#include "support/virtual_time.hpp"

namespace dictum::recorder {
namespace {

using namespace std::chrono_literals;
using test::FileSizeLimit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Frame kStart = 1000;

/// The files of a recording whose disk is full now and then, in virtual time.
class FilesOfARecording : public testing::Test {
 protected:
  static pipeline::StreamItem opened(std::uint32_t index) {
    return vad::SegmentOpened{.index = index, .speech_start = kStart + 100, .kept_start = kStart};
  }
  static pipeline::StreamItem audio(std::uint32_t index, std::size_t frames = 1000) {
    return pipeline::SegmentAudio{index, std::vector<std::int16_t>(frames, 7)};
  }
  static pipeline::StreamItem closed(std::uint32_t index, Frame frames, bool kept = true) {
    return vad::SegmentClosed{.index = index,
                              .kept_start = kStart,
                              .kept_end = kStart + frames,
                              .speech_start = kStart + 100,
                              .speech_end = kStart + frames - 50,
                              .kept = kept,
                              .reason = {}};
  }
  static pipeline::StreamItem end(Frame captured = 9000) {
    return pipeline::Closed{.now = 9000, .captured = captured, .drift_ppm = 0, .failure = {}};
  }

  static EventPointer event(std::uint64_t sequence, EventBody body) {
    return std::make_shared<const Event>(
        Event{.session = "s", .sequence = sequence, .timestamp = 0, .frame = kStart, .body = std::move(body)});
  }
  static EventPointer detected(std::uint64_t sequence) { return event(sequence, SpeechDetected{0, kStart}); }
  static EventPointer ended(std::uint64_t sequence) {
    return event(sequence, SpeechEnded{.segment_index = 0,
                                       .duration_sec = 0.0625,
                                       .kept = true,
                                       .start_frame = kStart,
                                       .end_frame = kStart + 1000});
  }
  EventPointer queued(std::uint64_t sequence) const {
    return event(sequence, TranscriptionQueued{0, folder() / "seg_0000.wav"});
  }
  std::filesystem::path folder() const { return *journal_->session.lock(); }

  Written write(std::vector<pipeline::StreamItem> items, bool source_can_wait = false) {
    stage_.push({std::move(items), {}, source_can_wait});
    return stage_.write();
  }

  static std::vector<pipeline::StreamItem> items(const Written& written) {
    std::vector<pipeline::StreamItem> all;
    for (const Batch& batch : written.batches) all.insert(all.end(), batch.items.begin(), batch.items.end());
    return all;
  }

  template <class Item>
  static std::vector<Item> of_kind(const Written& written) {
    std::vector<Item> found;
    for (const auto& item : items(written)) {
      if (const auto* each = std::get_if<Item>(&item)) found.push_back(*each);
    }
    return found;
  }

  Frame frames(std::uint32_t index) const {
    return session::frames_on_disk(journal::SessionFolder(*journal_->session.lock()), journal::segment_file(index));
  }

  void make_room(std::optional<FileSizeLimit>& full) { full.reset(); }

  boost::asio::io_context io_;
  const std::shared_ptr<test::VirtualTime> time_ = std::make_shared<test::VirtualTime>(io_);
  const test::TemporaryDirectory root_;
  session::SessionWriter writer_ = session::SessionWriter::create(
      root_.path(), time_->now(),
      {.sample_rate = 16000, .source = "test", .config = {}, .keep_all = false, .transcribes = true});
  const delivery::JournalPointer journal_ = [this] {
    auto view = std::make_shared<delivery::JournalView>();
    *view->session.lock() = writer_.path();
    return view;
  }();
  DiskStage stage_{std::move(writer_), {.clock = time_, .timers = time_}, journal_};
};

TEST_F(FilesOfARecording, AreWrittenBeforeTheirItemsReachTheLoop) {
  const Written written = write({opened(0), audio(0), closed(0, 900)});
  EXPECT_FALSE(written.is_waiting);
  EXPECT_THAT(items(written), SizeIs(2)) << "audio is for the disk only";
  EXPECT_EQ(frames(0), 900);
}

TEST_F(FilesOfARecording, WaitInMemoryWhileTheDiskIsFullAndAreWholeOnceThereIsRoom) {
  std::optional<FileSizeLimit> full(0);
  const Written first = write({opened(0), audio(0)});
  EXPECT_TRUE(first.is_waiting);
  EXPECT_THAT(items(first), IsEmpty());
  ASSERT_THAT(first.faults, SizeIs(1));
  EXPECT_EQ(first.faults[0].code, to_string(Errc::disk_full));
  time_->advance(30s);
  const Written second = write({audio(0), closed(0, 1900)});
  EXPECT_TRUE(second.is_waiting);
  EXPECT_THAT(second.faults, IsEmpty()) << "it is reported once";

  make_room(full);
  const Written third = stage_.write();
  EXPECT_FALSE(third.is_waiting);
  EXPECT_FALSE(third.has_lost);
  EXPECT_THAT(items(third), SizeIs(2));
  EXPECT_TRUE(of_kind<vad::SegmentClosed>(third).at(0).kept);
  EXPECT_EQ(frames(0), 1900);
}

TEST_F(FilesOfARecording, GoOnInTheMiddleOfASegmentWithoutALostSample) {
  write({opened(0), audio(0)});
  std::optional<FileSizeLimit> full(1500);
  EXPECT_TRUE(write({audio(0), audio(0)}).is_waiting);
  make_room(full);
  EXPECT_FALSE(write({audio(0), closed(0, 4000)}).is_waiting);
  EXPECT_EQ(frames(0), 4000);
}

TEST_F(FilesOfARecording, DoNotHoldUpWhatHasToBeReportedAtOnce) {
  const FileSizeLimit full(0);
  const Written written =
      write({pipeline::Level{}, opened(0), SourceFault{"device_lost", "gone", true}, pipeline::Paused{}});
  EXPECT_TRUE(written.is_waiting);
  EXPECT_THAT(of_kind<pipeline::Level>(written), SizeIs(1));
  EXPECT_THAT(of_kind<SourceFault>(written), SizeIs(1));
  EXPECT_THAT(of_kind<pipeline::Paused>(written), SizeIs(1));
}

TEST_F(FilesOfARecording, ALevelIsNotAheadOfTheAudioThatWaits) {
  write({opened(0), audio(0), pipeline::Progress{.now = 2000, .captured = 2000}});
  const FileSizeLimit full(1500);
  const Written written = write({audio(0), pipeline::Level{.now = 3000, .level = {}}});
  EXPECT_TRUE(written.is_waiting);
  EXPECT_EQ(of_kind<pipeline::Level>(written).at(0).now, 2000);
}

TEST_F(FilesOfARecording, EndWithAnExactGapWhereTheDiskStaysFullAtTheStop) {
  write({opened(0), audio(0), pipeline::Progress{.now = 3000, .captured = 3000}});
  const FileSizeLimit full(1500);
  EXPECT_TRUE(write({audio(0), closed(0, 1800), end()}).is_waiting);
  EXPECT_TRUE(stage_.write().is_waiting) << "space may be made in the last second";
  time_->advance(1100ms);
  const Written written = stage_.write();
  EXPECT_FALSE(written.is_waiting);
  EXPECT_TRUE(written.has_lost);
  const auto ends = of_kind<vad::SegmentClosed>(written);
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_TRUE(ends[0].kept);
  EXPECT_EQ(ends[0].kept_end, kStart + 1000);
  const auto gaps = of_kind<pipeline::GapEnded>(written);
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].start_frame, kStart + 1000);
  EXPECT_EQ(gaps[0].frames, 800);
  EXPECT_EQ(gaps[0].reason, GapReason::disk);
  EXPECT_EQ(of_kind<pipeline::Closed>(written).at(0).captured, 9000 - 800);
  EXPECT_EQ(frames(0), 1000);
}

TEST_F(FilesOfARecording, WaitOneSecondInAllAtTheStopAlsoWhereSeveralSegmentsWait) {
  write({opened(0), audio(0)});
  const FileSizeLimit full(1500);
  EXPECT_TRUE(write({audio(0), closed(0, 2000), opened(1), audio(1), closed(1, 1000), end()}).is_waiting);
  time_->advance(1100ms);
  const Written written = stage_.write();
  EXPECT_FALSE(written.is_waiting);
  EXPECT_THAT(of_kind<vad::SegmentClosed>(written), SizeIs(2));
  EXPECT_THAT(of_kind<pipeline::GapEnded>(written), SizeIs(2));
  EXPECT_THAT(of_kind<pipeline::Closed>(written), SizeIs(1));
}

TEST_F(FilesOfARecording, DoNotCallASegmentKeptOfWhichNothingIsWritten) {
  const FileSizeLimit full(0);
  EXPECT_TRUE(write({opened(0), audio(0), closed(0, 900), end()}).is_waiting);
  time_->advance(1100ms);
  const Written written = stage_.write();
  EXPECT_FALSE(of_kind<vad::SegmentClosed>(written).at(0).kept);
  EXPECT_EQ(of_kind<pipeline::GapEnded>(written).at(0).frames, 900);
}

TEST_F(FilesOfARecording, WaitOneSecondOnlyForASourceThatCanBeReadAgain) {
  const FileSizeLimit full(0);
  EXPECT_TRUE(write({opened(0), audio(0), closed(0, 900)}, true).is_waiting);
  time_->advance(1100ms);
  EXPECT_FALSE(write({opened(1), audio(1), closed(1, 900)}, true).is_waiting);
}

TEST_F(FilesOfARecording, FollowAFolderThatIsMoved) {
  write({opened(0), audio(0)});
  const auto there = root_ / "elsewhere";
  std::filesystem::rename(folder(), there);
  EXPECT_THAT(write({audio(0)}).faults, IsEmpty()) << "it is looked for twice a second, not with each block";
  time_->advance(500ms);
  const Written written = write({pipeline::Progress{.now = 3000, .captured = 3000}});
  ASSERT_THAT(written.faults, SizeIs(1));
  EXPECT_THAT(written.faults[0].message, HasSubstr("was moved"));
  EXPECT_EQ(folder(), there);
  EXPECT_THAT(stage_.write_events({detected(0)}).faults, IsEmpty());
  const Written second = write({audio(0), closed(0, 3000), opened(1), audio(1), closed(1, 1000)});
  EXPECT_THAT(second.faults, IsEmpty()) << "it is reported once";
  EXPECT_EQ(folder(), there) << "where lagging subscribers read";
  EXPECT_EQ(frames(0), 3000);
  EXPECT_EQ(frames(1), 1000);
  EXPECT_THAT(stage_.sync(stage_.take_unsynced()), IsEmpty());
  EXPECT_THAT(stage_.capture_ended(), IsEmpty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_.path()), {}), 1);
}

TEST_F(FilesOfARecording, AreMadeAgainWithAllThatWasOpenWhereTheFolderIsRemoved) {
  write({opened(0), audio(0), closed(0, 1000), opened(1), audio(1)});
  EXPECT_EQ(stage_.write_events({detected(0), ended(1), queued(2), detected(3)}).count, 4U);
  std::filesystem::remove_all(folder());
  const Written written = write({audio(1), closed(1, 2000), opened(2), audio(2)});
  ASSERT_THAT(written.faults, SizeIs(1));
  EXPECT_THAT(written.faults[0].message, HasSubstr("1 segment that had ended is gone"));
  EXPECT_FALSE(written.is_waiting);
  EXPECT_EQ(frames(1), 2000);
  EXPECT_EQ(frames(2), 1000);
  EXPECT_THAT(stage_.write_events({ended(4)}).faults, IsEmpty());
  EXPECT_THAT(journal::read_journal(folder(), 0, 100, 1 << 20), SizeIs(5));
  EXPECT_TRUE(journal::is_locked(folder()));

  std::filesystem::remove(folder() / "seg_0002.wav");
  EXPECT_THAT(write({audio(2), closed(2, 2000)}).faults, SizeIs(1));
  EXPECT_EQ(frames(2), 2000) << "a file, too";
}

TEST_F(FilesOfARecording, WaitInMemoryWhileARemovedFolderCannotBeMadeAgain) {
  write({opened(0), audio(0)});
  const auto path = folder();
  std::filesystem::remove_all(path);
  std::ofstream(path) << "in its place";
  time_->advance(500ms);
  const Written first = write({audio(0)});
  EXPECT_TRUE(first.is_waiting);
  EXPECT_THAT(first.faults, SizeIs(1));
  EXPECT_TRUE(stage_.write_events({detected(0)}).is_blocked);
  std::filesystem::remove(path);
  const Written second = write({audio(0), closed(0, 3000)});
  EXPECT_FALSE(second.is_waiting);
  EXPECT_EQ(frames(0), 3000);
  EXPECT_EQ(stage_.write_events({}).count, 1U);
}

TEST_F(FilesOfARecording, EndWithAnExactGapWhereTheFolderIsNeverThereAgain) {
  write({opened(0), audio(0)});
  const auto path = folder();
  std::filesystem::remove_all(path);
  std::ofstream(path) << "in its place";
  EXPECT_TRUE(write({audio(0), closed(0, 1800), end()}).is_waiting);
  time_->advance(1100ms);
  const Written written = stage_.write();
  EXPECT_FALSE(of_kind<vad::SegmentClosed>(written).at(0).kept);
  EXPECT_EQ(of_kind<pipeline::GapEnded>(written).at(0).frames, 1800);
}

/// In the place of a file: no file of that name can be made any more.
void put_folder_in_place_of(const std::filesystem::path& file) {
  std::filesystem::remove(file);
  std::filesystem::create_directories(file / "in its place");
}

TEST_F(FilesOfARecording, AreWrittenWhereOnlyATranscriptCannotBeMadeAgain) {
  write({opened(0), audio(0)});
  put_folder_in_place_of(folder() / "transcript_incremental.txt");
  time_->advance(500ms);
  const Written written = write({audio(0)});
  EXPECT_FALSE(written.is_waiting);
  EXPECT_THAT(written.faults, SizeIs(1));
  EXPECT_THAT(write({audio(0), closed(0, 3000)}).faults, IsEmpty()) << "it is reported once";
  EXPECT_EQ(frames(0), 3000);
}

TEST_F(FilesOfARecording, KeepSoundThatHasItsNameAndAreCompletedWhereTheJournalCannotBeMadeAgain) {
  write({opened(0), audio(0)});
  put_folder_in_place_of(folder() / "events.jsonl");
  EXPECT_TRUE(write({audio(0), closed(0, 1800), end()}).is_waiting);
  time_->advance(1100ms);
  const Written written = stage_.write();
  ASSERT_THAT(of_kind<vad::SegmentClosed>(written), SizeIs(1));
  EXPECT_TRUE(of_kind<vad::SegmentClosed>(written)[0].kept);
  EXPECT_EQ(of_kind<vad::SegmentClosed>(written)[0].kept_end - kStart, 1000);
  EXPECT_EQ(of_kind<pipeline::GapEnded>(written).at(0).frames, 800);
  EXPECT_EQ(frames(0), 1000);
  std::filesystem::remove(folder() / "manifest.json");
  static_cast<void>(stage_.finish());
  EXPECT_TRUE(std::filesystem::exists(folder() / "manifest.json"));
}

TEST_F(FilesOfARecording, AreWrittenThroughTheirOpenDescriptorsWhereThereAreNoOthers) {
  write({opened(0), audio(0)});
  rlimit former{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former), 0);
  const rlimit none{0, former.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Written written = write({audio(0), closed(0, 2000)});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former), 0);
  EXPECT_FALSE(written.is_waiting);
  EXPECT_THAT(written.faults, IsEmpty());
  EXPECT_EQ(frames(0), 2000);
}

TEST_F(FilesOfARecording, OfAFolderThatIsMovedTwiceHaveTheirEventsAndNotes) {
  write({opened(0), audio(0), closed(0, 1000)});
  const auto first = queued(0);
  std::filesystem::rename(folder(), root_ / "b");
  time_->advance(500ms);
  write({pipeline::Progress{}});
  const auto second = queued(1);
  std::filesystem::rename(root_ / "b", root_ / "c");
  time_->advance(500ms);
  EXPECT_THAT(stage_.write_events({first, second}).faults, SizeIs(1));
  for (const Event& read : journal::read_journal(folder(), 0, 100, 1 << 20)) {
    EXPECT_EQ(std::get<TranscriptionQueued>(read.body).wav_path, folder() / "seg_0000.wav");
  }
}

TEST_F(FilesOfARecording, SayWhichRuleIsBrokenWhereAnEventIsMissing) {
  const auto event = std::make_shared<const Event>(
      Event{.session = "s", .sequence = 5, .timestamp = 0, .frame = 0, .body = SpeechDetected{0, 0}});
  const WrittenEvents written = stage_.write_events({event});
  ASSERT_TRUE(written.broken);
  EXPECT_THAT(written.broken->message, HasSubstr("consecutive numbers"));
  EXPECT_EQ(written.count, 0U);
}

TEST_F(FilesOfARecording, AreFlushedEverySecondWhileASegmentIsOpen) {
  write({opened(0), audio(0)});
  EXPECT_THAT(stage_.due_for_sync(), IsEmpty());
  time_->advance(1s);
  const auto files = stage_.due_for_sync();
  EXPECT_THAT(files, testing::Contains("seg_0000.wav"));
  EXPECT_THAT(files, testing::Contains("events.jsonl"));
  EXPECT_THAT(stage_.sync(files), IsEmpty());
  time_->advance(1s);
  EXPECT_THAT(stage_.due_for_sync(), IsEmpty()) << "nothing was written since";
  write({audio(0)});
  EXPECT_THAT(stage_.due_for_sync(), testing::Contains("seg_0000.wav"));
}

}  // namespace
}  // namespace dictum::recorder
