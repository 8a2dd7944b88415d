#include "journal/journal_reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "dictum/error.hpp"
#include "journal/append_file.hpp"
#include "journal/event_paths.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

std::string line(std::uint64_t sequence, EventBody body = DeviceChanged{"microphone", "plugged in"}) {
  return Event{"20261122_154501", sequence, 1795362302.5, 100, std::move(body)}.to_json() + "\n";
}

class Journal : public testing::Test {
 protected:
  void write(const std::string& content) { test::write_file(folder_ / "events.jsonl", content); }

  std::vector<std::uint64_t> rest(JournalReader& reader) {
    std::vector<std::uint64_t> sequences;
    while (const auto event = reader.next()) sequences.push_back(*event->sequence);
    return sequences;
  }

  const test::TemporaryDirectory folder_;
};

TEST_F(Journal, IsReadFromTheBeginning) {
  write(line(0) + line(1) + line(2));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 1, 2));
  EXPECT_THAT(reader.problems(), IsEmpty());
}

TEST_F(Journal, IsReadOnWhereItGrew) {
  write(line(0));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0));
  AppendFile(SessionFolder(folder_.path()), "events.jsonl").append(line(1));
  EXPECT_THAT(rest(reader), ElementsAre(1));
}

TEST_F(Journal, HasNoTornLineYet) {
  write(line(0) + line(1).substr(0, 20));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0));
  EXPECT_EQ(reader.torn_bytes(), 20);
  EXPECT_EQ(reader.offset(), static_cast<std::int64_t>(line(0).size()));
  AppendFile(SessionFolder(folder_.path()), "events.jsonl").append(line(1).substr(20));
  EXPECT_THAT(rest(reader), ElementsAre(1));
  EXPECT_THAT(reader.problems(), IsEmpty());
}

TEST_F(Journal, GoesOnBehindADamagedLineAndReportsIt) {
  write(line(0) + "damage\n" + line(1) + line(2, AudioLevel{}) + line(3));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 1, 3));
  ASSERT_EQ(reader.problems().size(), 3u);
  EXPECT_EQ(reader.problems()[0].line, 2u);
  EXPECT_THAT(reader.problems()[0].what, HasSubstr("not an event"));
  EXPECT_EQ(reader.problems()[1].line, 4u);
  EXPECT_EQ(reader.problems()[2].line, 5u) << "the sequence that the ephemeral event took is missing";
}

TEST_F(Journal, TellsOfAHoleAndOfARepetition) {
  write(line(0) + line(2) + line(1) + line(3));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 2, 3));
  ASSERT_EQ(reader.problems().size(), 2u);
  EXPECT_EQ(reader.problems()[0].what, "sequence 2 comes where 1 is expected");
  EXPECT_EQ(reader.problems()[1].what, "sequence 1 comes again where 3 is expected");
}

TEST_F(Journal, PassesOverAnEventOfANewerVersion) {
  std::string newer = line(1);
  newer.replace(newer.find("DeviceChanged"), 13, "SpeakerChanged");
  write(line(0) + newer + line(2));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 2));
  EXPECT_THAT(reader.problems(), IsEmpty());
}

TEST_F(Journal, GivesWhatIsIntactAroundALineThatWasChanged) {
  LineChain chain;
  std::string content;
  for (std::uint64_t sequence = 0; sequence < 4; ++sequence) {
    std::string whole = line(sequence);
    whole.pop_back();
    content += chain.sealed(whole) + "\n";
  }
  content[content.find("plugged", content.find("\"sequence\":1"))] = 'P';
  write(content);
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 2, 3));
  ASSERT_EQ(reader.problems().size(), 2u);
  EXPECT_EQ(reader.problems()[0].line, 2u);
  EXPECT_THAT(reader.problems()[0].what, HasSubstr("checksum"));
  EXPECT_EQ(reader.problems()[1].what, "sequence 2 comes where 1 is expected");
}

TEST_F(Journal, NoticesANewestLineThatWasReplacedByAnOlderVersion) {
  LineChain chain;
  std::string first = line(0);
  first.pop_back();
  write(chain.sealed(first) + "\n" + line(1));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 1));
  ASSERT_EQ(reader.problems().size(), 1u);
  EXPECT_EQ(reader.problems()[0].what, "it has no checksum, unlike the lines before it");
}

TEST_F(Journal, ListsABoundedNumberOfProblems) {
  std::string content;
  for (int i = 0; i < 1000; ++i) content += "damage\n";
  write(content);
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), IsEmpty());
  EXPECT_EQ(reader.problems().size(), JournalReader::kMaxProblems);
}

TEST_F(Journal, PassesOverALineThatIsTooLong) {
  write(line(0) + std::string(JournalReader::kMaxLineBytes + 100'000, 'x') + "\n" + line(1));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 1));
  ASSERT_EQ(reader.problems().size(), 1u);
  EXPECT_EQ(reader.problems()[0].what, "the line is too long");
}

TEST_F(Journal, IsReadInTimeWhereItHasAHoleOfTerabytes) {
  write(line(0));
  const fs::path file = folder_ / "events.jsonl";
  fs::resize_file(file, std::uintmax_t{1} << 42);
  std::ofstream(file, std::ios::app) << "\n" << line(1);
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0, 1));
  EXPECT_THAT(reader.problems(), SizeIs(1));
  reader.seek(1);
  EXPECT_THAT(rest(reader), ElementsAre(1));
}

TEST_F(Journal, CountsAHoleAtItsEndAsTornBytes) {
  write(line(0));
  fs::resize_file(folder_ / "events.jsonl", std::uintmax_t{1} << 42);
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0));
  EXPECT_EQ(reader.offset(), static_cast<std::int64_t>(line(0).size()));
  EXPECT_EQ(reader.torn_bytes(), (std::int64_t{1} << 42) - static_cast<std::int64_t>(line(0).size()));
}

TEST_F(Journal, CountsALongLineAtItsEndAsTornBytes) {
  const std::size_t size = JournalReader::kMaxLineBytes + 100'000;
  write(line(0) + std::string(size, 'x'));
  JournalReader reader(folder_.path());
  EXPECT_THAT(rest(reader), ElementsAre(0));
  EXPECT_EQ(reader.offset(), static_cast<std::int64_t>(line(0).size()));
  EXPECT_EQ(reader.torn_bytes(), static_cast<std::int64_t>(size));
}

TEST_F(Journal, IsRefusedWhereItIsMissingOrNoFile) {
  EXPECT_THROW(JournalReader(folder_.path()), RecorderError);
  fs::create_directory(folder_ / "events.jsonl");
  EXPECT_THROW(JournalReader(folder_.path()), RecorderError);
}

TEST_F(Journal, IsFoundAtAnySequence) {
  constexpr std::uint64_t count = 4000;
  std::string content;
  for (std::uint64_t i = 0; i < count; ++i) content += line(i, DeviceChanged{std::string(i * 37 % 500, 'x'), ""});
  write(content);
  JournalReader reader(folder_.path());
  for (const std::uint64_t wanted : {0ul, 1ul, 17ul, 1000ul, 2500ul, count - 2, count - 1}) {
    reader.seek(wanted);
    const auto event = reader.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->sequence, wanted);
  }
  reader.seek(count);
  EXPECT_FALSE(reader.next());
}

TEST_F(Journal, IsFoundAtTheNextSequenceWhereDamageHasTakenOne) {
  std::string content;
  for (std::uint64_t i = 0; i < 2000; ++i) content += i % 3 == 1 ? std::string(i % 400, 'x') + "\n" : line(i);
  write(content);
  JournalReader reader(folder_.path());
  for (std::uint64_t wanted = 0; wanted < 1999; wanted += 13) {
    reader.seek(wanted);
    EXPECT_EQ(reader.next()->sequence, wanted % 3 == 1 ? wanted + 1 : wanted);
  }
}

TEST_F(Journal, IsReadInPieces) {
  write(line(0) + line(1) + line(2) + line(3) + line(4));
  const auto sequences = [&](std::uint64_t first, std::uint64_t last, std::size_t most) {
    std::vector<std::uint64_t> found;
    for (const Event& event : read_journal(folder_.path(), first, last, most)) found.push_back(*event.sequence);
    return found;
  };
  EXPECT_THAT(sequences(1, 3, 100), ElementsAre(1, 2, 3));
  EXPECT_THAT(sequences(1, 3, 2), ElementsAre(1, 2));
  EXPECT_THAT(sequences(3, 100, 100), ElementsAre(3, 4));
  EXPECT_THAT(sequences(5, 100, 100), IsEmpty());
}

TEST(JournalPiece, IsEmptyWhereTheSessionIsGone) {
  EXPECT_THAT(read_journal("/nonexistent", 0, 10, 10), IsEmpty());
}

Event queued(const std::string& path) {
  return {"s", 0, 1, 1, TranscriptionQueued{1, path}};
}
Event noted(const std::string& path) {
  return {"s", 0, 1, 1, NoteCompleted{"t", "x", {}, path}};
}

TEST(EventPaths, AreRelativeInTheJournalAndAbsoluteInTheAPI) {
  EXPECT_EQ(with_relative_paths(queued("/root/s/seg_0001.wav"), "/root/s"), queued("seg_0001.wav"));
  EXPECT_EQ(with_relative_paths(noted("/root/s/notes/0001-a.md"), "/root/s"), noted("notes/0001-a.md"));
  EXPECT_EQ(with_absolute_paths(queued("seg_0001.wav"), "/root/s"), queued("/root/s/seg_0001.wav"));
  EXPECT_EQ(with_absolute_paths(noted("notes/0001-a.md"), "/root/s"), noted("/root/s/notes/0001-a.md"));
}

TEST(EventPaths, OutsideTheSessionAreNotMadeInsideOnes) {
  EXPECT_EQ(with_relative_paths(queued("/root/other/seg_0001.wav"), "/root/s"), queued("/root/other/seg_0001.wav"));
  EXPECT_EQ(with_absolute_paths(noted("../../etc/passwd"), "/root/s"), noted(""));
  EXPECT_EQ(with_absolute_paths(noted(""), "/root/s"), noted(""));
}

}  // namespace
}  // namespace dictum::journal
