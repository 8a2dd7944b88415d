#include "dictum/sessions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dictum/error.hpp"
#include "dictum/playback.hpp"
#include "dictum/settings.hpp"
#include "dictum/sound_file.hpp"
#include "dictum/text.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum {
namespace {

namespace fs = std::filesystem;
using test::content_of;
using test::make_session;
using test::write_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

template <class Call>
std::optional<Errc> code_of(Call call) {
  try {
    call();
  } catch (const RecorderError& error) {
    for (const Errc code :
         {Errc::input_not_found, Errc::invalid_argument, Errc::session_unreadable, Errc::config_invalid})
      if (error.code() == code) return code;
  }
  return std::nullopt;
}

class Sessions : public testing::Test {
 protected:
  const test::TemporaryDirectory root_;
  const fs::path session_ = make_session(root_.path());
};

TEST_F(Sessions, AreReadWithTheKeptSegmentsOnly) {
  const SessionTranscript session = open_session(session_);
  EXPECT_TRUE(session.transcribes);
  ASSERT_THAT(session.segments, SizeIs(3));
  for (const TranscriptSegment& segment : session.segments) EXPECT_EQ(&session.segment(segment.index), &segment);
  EXPECT_EQ(code_of([&] { session.segment(99); }), Errc::input_not_found);
}

TEST_F(Sessions, GiveTheirEventsAgainUntilTheCallerHasEnough) {
  std::vector<std::uint64_t> sequences;
  EXPECT_THAT(read_events(session_,
                          [&](const Event& event) {
                            sequences.push_back(event.sequence.value_or(99));
                            return sequences.size() < 3;
                          }),
              IsEmpty());
  EXPECT_THAT(sequences, ElementsAre(0, 1, 2));
}

TEST_F(Sessions, GiveTheEventsBehindADamagedLineAndReportIt) {
  const std::string journal = content_of(session_ / "events.jsonl");
  write_file(session_ / "events.jsonl", "damage\n" + journal);
  std::size_t events = 0;
  const auto problems = read_events(session_, [&](const Event&) { return ++events > 0; });
  EXPECT_GT(events, 3U);
  ASSERT_FALSE(problems.empty());
  EXPECT_THAT(problems.front().what, HasSubstr("Line 1 of the journal is wrong"));
}

TEST_F(Sessions, ExportTheSameTextToAFileAndToMemory) {
  EXPECT_THAT(export_session(session_, root_ / "x.md"), SizeIs(1)) << "one text failed";
  EXPECT_EQ(content_of(root_ / "x.md"), export_text(session_, ExportFormat::markdown));
  EXPECT_THAT(export_session(session_, root_ / "y.unknown", {.format = ExportFormat::srt}), SizeIs(1));
  EXPECT_EQ(content_of(root_ / "y.unknown"), export_text(session_, ExportFormat::srt));
}

TEST_F(Sessions, ExportAudioToFilesOnly) {
  EXPECT_EQ(code_of([&] { export_text(session_, ExportFormat::wav); }), Errc::invalid_argument);
  EXPECT_THAT(export_session(session_, root_ / "kept.wav"), IsEmpty());
  EXPECT_THAT(export_session(session_, root_ / "all.wav", {.whole_timeline = true}), IsEmpty());
  const auto kept = sound_file_info(root_ / "kept.wav");
  const auto all = sound_file_info(root_ / "all.wav");
  EXPECT_EQ(all.frames, open_session(session_).end_frame);
  EXPECT_LT(kept.frames, all.frames);
  EXPECT_EQ(all.format.channels, 1);
}

TEST(ExportFormats, AreNamedByTheExtensionOfAFileWithItsDotOrWithout) {
  EXPECT_EQ(export_format("md"), ExportFormat::markdown);
  EXPECT_EQ(export_format(".flac"), ExportFormat::flac);
  for (const char* name : {"", ".", "mp3", "..md"}) EXPECT_EQ(export_format(name), std::nullopt) << name;
}

TEST_F(Sessions, HaveNotesWithTheirTextsAndFiles) {
  const auto notes = session_notes(session_);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].text, open_session(session_).notes.at(0).text);
  EXPECT_EQ(read_note(session_, notes[0]), content_of(notes[0].file));
}

TEST_F(Sessions, GiveNoFileOutsideOfThemselvesForANote) {
  SessionNote note = session_notes(session_).at(0);
  for (const fs::path& outside : {root_ / "secret", session_ / "../secret", fs::path(), fs::path("/etc/passwd")}) {
    write_file(root_ / "secret", "secret");
    note.file = outside;
    EXPECT_EQ(code_of([&] { read_note(session_, note); }), Errc::session_unreadable) << outside;
  }
}

TEST_F(Sessions, AreFoundByAFinderThatWasOpenBeforeTheyWereThere) {
  SessionFinder finder(root_.path());
  SessionSearch everything;
  const std::size_t before = finder.search(everything).size();
  EXPECT_GT(before, 0U);
  fs::copy(session_, root_ / "20261122_154502", fs::copy_options::recursive);
  EXPECT_EQ(finder.search(everything).size(), 2 * before);
  EXPECT_TRUE(fs::exists(rebuild_search_index(root_.path())));
  EXPECT_EQ(search_sessions(root_.path(), everything).size(), 2 * before);
}

TEST_F(Sessions, ThatAreFinishedAreNotUnfinishedAndCanBePruned) {
  EXPECT_THAT(find_unfinished_sessions(root_.path()), IsEmpty());
  const auto later = test::kStarted + std::chrono::hours(1);
  const Pruned would_be = prune_sessions(root_.path(), {.before = later, .keep_notes = false, .dry_run = true});
  EXPECT_THAT(would_be.removed, ElementsAre(session_));
  EXPECT_EQ(would_be.bytes, session_size(session_));
  EXPECT_THAT(prune_sessions(root_.path(), {.before = later}).removed, IsEmpty()) << "it has a note";
  EXPECT_THAT(prune_sessions(root_.path(), {.before = later, .keep_notes = false}).removed, ElementsAre(session_));
  EXPECT_THAT(list_sessions(root_.path()), IsEmpty());
}

TEST_F(Sessions, WithNothingBehindAPositionPlayNothing) {
  const SessionTranscript session = open_session(session_);
  EXPECT_FALSE(play_session(session, {.from = session.end_frame}));
}

TEST(Settings, AreSetByNameFromATextOfTheirType) {
  RecorderConfig config;
  set_setting(config, "vad.threshold", "0.25", "--vad-threshold");
  set_setting(config, "transcription.vocabulary", "Dictum, Silero", "--vocabulary");
  EXPECT_EQ(config.vad.threshold, 0.25);
  EXPECT_THAT(config.transcription.vocabulary, ElementsAre("Dictum", "Silero"));
  for (const char* name : {"vad.treshold", "threshold", ".", ""}) {
    EXPECT_EQ(code_of([&] { set_setting(config, name, "1", name); }), Errc::config_invalid) << name;
  }
}

TEST(Settings, OfEachTypeAreListed) {
  std::map<Setting::Type, int> count;
  for (const Setting& setting : settings()) {
    ++count[setting.type];
    EXPECT_FALSE(setting.help.empty()) << setting.name();
    if (setting.type != Setting::Type::flag) continue;
    RecorderConfig config;
    EXPECT_NO_THROW(set_setting(config, setting.name(), setting.is_on ? "false" : "true", "test")) << setting.name();
  }
  EXPECT_THAT(count, SizeIs(5));
}

TEST(Text, FromOutsideIsOneSafeLine) {
  EXPECT_EQ(on_one_line("a\n\x1b[31mb\xff"), "a  [31mb\uFFFD");
}

}  // namespace
}  // namespace dictum
