#include "session/exporter.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "audio/sound_file_reader.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "session/file_size_limit.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"
#include "text/words.hpp"

namespace dictum::session {
namespace {

using test::content_of;
using test::kRate;
using test::kStarted;
using test::make_session;
using test::Scribe;
using test::TemporaryDirectory;
using test::write_file;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

Segment segment(std::uint32_t index, Frame start, Frame end, const std::string& text) {
  Segment made;
  made.index = index;
  made.start_frame = start;
  made.end_frame = end;
  made.speech_start_frame = start + kRate / 2;
  made.speech_end_frame = end - kRate / 2;
  made.status = SegmentStatus::done;
  made.text = text;
  return made;
}

Script script_of(std::deque<Segment> segments) {
  Script script;
  script.manifest.session = "20261122_154501";
  script.manifest.started_at = kStarted;
  script.manifest.sample_rate = kRate;
  script.manifest.source = "microphone";
  script.manifest.segments = std::move(segments);
  return script;
}

std::vector<std::string> texts_of(const std::vector<Cue>& cues) {
  std::vector<std::string> texts;
  for (const Cue& cue : cues) texts.push_back(cue.text);
  return texts;
}

TEST(Cues, HaveOneForAShortSegmentOverItsSpeech) {
  const auto cues = cues_of(script_of({segment(0, 0, 3 * kRate, "hello there")}));
  ASSERT_THAT(cues, SizeIs(1));
  EXPECT_EQ(cues[0].text, "hello there");
  EXPECT_EQ(cues[0].start_frame, kRate / 2);
  EXPECT_EQ(cues[0].end_frame, 5 * kRate / 2);
}

TEST(Cues, HaveTwoLinesAtMost) {
  const auto cues =
      cues_of(script_of({segment(0, 0, 6 * kRate, "the quick brown fox jumps over the lazy dog and goes on")}));
  EXPECT_THAT(texts_of(cues), ElementsAre("the quick brown fox jumps\nover the lazy dog and goes on"));
}

TEST(Cues, SplitALongTextAndStayInsideTheSegment) {
  std::string text;
  for (int i = 0; i < 80; ++i) text += fmt::format("word{} ", i);
  const Segment whole = segment(0, 5 * kRate, 35 * kRate, text);
  const auto cues = cues_of(script_of({whole}));
  ASSERT_GT(cues.size(), 4u);
  Frame said = whole.start_frame;
  std::string all;
  for (const Cue& cue : cues) {
    EXPECT_GE(cue.start_frame, said);
    EXPECT_GT(cue.end_frame, cue.start_frame);
    EXPECT_LE(cue.end_frame, whole.end_frame);
    EXPECT_LE(cue.end_frame - cue.start_frame, 7 * kRate);
    said = cue.end_frame;
    all += cue.text + " ";
  }
  std::ranges::replace(all, '\n', ' ');
  EXPECT_EQ(all, text);
}

TEST(Cues, HaveTheTimesOfTheWordsAndThePunctuationOfTheText) {
  Script script = script_of({segment(0, 0, 10 * kRate, "Hello, there. Bye!")});
  script.words[0] = {{"hello", 8000, 12000, 1}, {"there", 12000, 20000, 1}, {"bye", 100000, 120000, 1}};
  const auto cues = cues_of(script);
  ASSERT_THAT(texts_of(cues), ElementsAre("Hello, there.", "Bye!"));
  EXPECT_EQ(cues[0].start_frame, 8000);
  EXPECT_EQ(cues[0].end_frame, 20000);
  EXPECT_EQ(cues[1].start_frame, 100000);
  EXPECT_EQ(cues[1].end_frame, 120000);
}

TEST(Cues, StayInsideTheSegmentWhateverTheEngineSays) {
  Script script = script_of({segment(0, 1000, 50000, "a b c")});
  script.words[0] = {{"a", -500, 70000, 1}, {"b", 10, 5, 1}, {"c", 90000, 90001, 1}};
  for (const Cue& cue : cues_of(script)) {
    EXPECT_GE(cue.start_frame, 1000);
    EXPECT_LE(cue.end_frame, 50000);
    EXPECT_LE(cue.start_frame, cue.end_frame);
  }
}

TEST(Cues, AreNoneForWhatWasNotSaid) {
  Segment discarded = segment(1, 0, kRate, "x");
  discarded.status = SegmentStatus::discarded;
  EXPECT_THAT(cues_of(script_of({segment(0, 0, kRate, ""), segment(2, kRate, kRate, "x"), discarded})), IsEmpty());
}

/// Sentences of one writing that go on for longer than a subtitle.
struct Sentences {
  const char* writing;
  const char* sentence;
};

class Subtitles : public testing::TestWithParam<Sentences> {
 protected:
  static constexpr std::size_t kColumns = 42;
  static std::string without_breaks(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
    return text;
  }

  const std::string text_ = [] {
    std::string text;
    for (int i = 0; i < 6; ++i) text += GetParam().sentence;
    return text;
  }();
  const std::vector<Cue> cues_ = cues_of(script_of({segment(0, 0, 20 * kRate, text_)}));
};

TEST_P(Subtitles, HaveTheWholeText) {
  std::string all;
  for (const Cue& cue : cues_) all += cue.text;
  EXPECT_EQ(without_breaks(all), without_breaks(text_));
}

TEST_P(Subtitles, HaveAtMostTwoLinesOf42Columns) {
  ASSERT_GT(cues_.size(), 2U);
  for (const Cue& cue : cues_) {
    EXPECT_LE(std::ranges::count(cue.text, '\n'), 1);
    const std::size_t at = std::min(cue.text.find('\n'), cue.text.size());
    EXPECT_LE(text::columns(cue.text.substr(0, at)), kColumns) << cue.text;
    if (at < cue.text.size()) EXPECT_LE(text::columns(cue.text.substr(at + 1)), kColumns) << cue.text;
  }
}

TEST_P(Subtitles, BreakNoLineBeforeAStopOrAMark) {
  for (const Cue& cue : cues_) {
    const std::size_t at = cue.text.find('\n');
    for (const std::size_t begin : {std::size_t{0}, at == std::string::npos ? 0 : at + 1}) {
      const std::string line = cue.text.substr(begin);
      ASSERT_FALSE(line.empty());
      EXPECT_GT(text::columns(line.substr(0, utf8::decode(line, 0).next)), 0U) << line;
      for (const char* stop : {"。", "，", "、", "।", ".", ","}) EXPECT_FALSE(line.starts_with(stop)) << line;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Writings, Subtitles,
    testing::Values(Sentences{"English", "The weather is lovely today, so we walked to the park and had lunch there. "},
                    Sentences{"Chinese", "今天天气很好，我们去公园散步，然后在湖边的小店里吃午饭。"},
                    Sentences{"Japanese", "今日はとても天気がいいので、公園まで歩いて行って、お昼を食べました。"},
                    Sentences{"Thai", "วันนี้อากาศดีมากเราจึงเดินไปสวนสาธารณะและกินข้าวกลางวันที่ร้านเล็กริมทะเลสาบ"},
                    Sentences{"Korean", "오늘은 날씨가 매우 좋아서 우리는 공원까지 걸어가서 점심을 먹었습니다. "},
                    Sentences{"Hindi", "आज मौसम बहुत अच्छा है इसलिए हम पार्क तक पैदल गए और वहाँ खाना खाया। "}),
    [](const auto& test) { return std::string(test.param.writing); });

struct Missing {
  SegmentStatus status;
  const char* mark;
};

class WithoutText : public testing::TestWithParam<Missing> {};

TEST_P(WithoutText, IsMarkedInEveryFormatForPeople) {
  Segment missing = segment(1, 10 * kRate, 20 * kRate, "");
  missing.status = GetParam().status;
  if (missing.status == SegmentStatus::failed) missing.error = EventError{"worker_died", "it died"};
  const Script script = script_of({segment(0, 0, 3 * kRate, "one"), missing});
  EXPECT_EQ(script.without_text(), 1U);
  for (const TextFormat format : {TextFormat::txt, TextFormat::srt, TextFormat::vtt}) {
    EXPECT_THAT(export_text(script, format), HasSubstr(GetParam().mark));
  }
  const std::string mark = GetParam().mark;
  EXPECT_THAT(export_text(script, TextFormat::markdown), HasSubstr("*" + mark.substr(1, mark.size() - 2) + "*"));
  const auto cues = cues_of(script);
  EXPECT_EQ(cues.back().start_frame, missing.speech_start_frame);
  EXPECT_LE(cues.back().end_frame, missing.end_frame);
}

INSTANTIATE_TEST_SUITE_P(Kinds, WithoutText,
                         testing::Values(Missing{SegmentStatus::recording, "[not transcribed: it is still waiting]"},
                                         Missing{SegmentStatus::queued, "[not transcribed: it is still waiting]"},
                                         Missing{SegmentStatus::failed, "[not transcribed: it died]"},
                                         Missing{SegmentStatus::skipped, "[not transcribed: transcription was off]"}),
                         [](const auto& test) { return std::string(journal::to_string(test.param.status)); });

TEST_P(WithoutText, IsMarkedInEveryFormatForPrograms) {
  Segment missing = segment(0, 0, 3 * kRate, "");
  missing.status = GetParam().status;
  if (missing.status == SegmentStatus::failed) missing.error = EventError{"worker_died", "it died"};
  boost::system::error_code error;
  const auto json = json::parse(export_text(script_of({missing}), TextFormat::json), error).as_object();
  const auto& item = json.at("segments").at(0);
  EXPECT_EQ(item.at("status").as_string(), journal::to_string(missing.status));
  EXPECT_EQ(item.at("error").is_null(), missing.status != SegmentStatus::failed);
}

TEST_P(WithoutText, IsMarkedInTheNoteThatItBelongsTo) {
  Segment missing = segment(1, 10 * kRate, 20 * kRate, "");
  missing.status = GetParam().status;
  if (missing.status == SegmentStatus::failed) missing.error = EventError{"worker_died", "it died"};
  Script script = script_of({segment(0, 0, 3 * kRate, "milk"), missing});
  script.manifest.notes = {{"Shopping", "notes/0001-shopping.md", {0, 1}}};
  const std::string mark = GetParam().mark;
  EXPECT_THAT(export_text(script, TextFormat::markdown),
              HasSubstr("## Shopping\n\nmilk *" + mark.substr(1, mark.size() - 2) + "*\n"));
}

TEST(TextExport, OfAWholeSessionLacksNothing) {
  EXPECT_EQ(script_of({segment(0, 0, 3 * kRate, "one"), segment(1, 4 * kRate, 6 * kRate, "")}).without_text(), 0U);
}

TEST(TextExport, MakesSRT) {
  EXPECT_EQ(export_text(script_of({segment(0, 0, 3 * kRate, "one --> two"),
                                   segment(1, 3700 * kRate, 3703 * kRate, "three ----> four")}),
                        TextFormat::srt),
            "1\n00:00:00,500 --> 00:00:02,500\none -> two\n\n"
            "2\n01:01:40,500 --> 01:01:42,500\nthree -> four\n\n");
}

TEST(TextExport, MakesVTT) {
  EXPECT_EQ(export_text(script_of({segment(0, 0, 3 * kRate, "a < b & c --> d")}), TextFormat::vtt),
            "WEBVTT\n\n00:00:00.500 --> 00:00:02.500\na &lt; b &amp; c --&gt; d\n\n");
}

TEST(TextExport, MakesPlainText) {
  EXPECT_EQ(export_text(script_of({segment(0, 0, kRate, "one"), segment(1, kRate, 2 * kRate, ""),
                                   segment(2, 2 * kRate, 3 * kRate, "two\nlines")}),
                        TextFormat::txt),
            "one\ntwo lines\n");
}

TEST(TextExport, MakesMarkdown) {
  Segment failed = segment(1, 3 * kRate, 6 * kRate, "");
  failed.status = SegmentStatus::failed;
  failed.error = EventError{"worker_died", "it *died*"};
  Script script = script_of({segment(0, 0, 3 * kRate, "milk & honey"), failed});
  script.manifest.notes = {{"Shopping", "notes/0001-shopping.md", {0}}};
  script.manifest.end_frame = 6 * kRate;
  EXPECT_EQ(export_text(script, TextFormat::markdown),
            "# Session 20261122\\_154501\n\n"
            "Recorded 2026-11-22T15:45:01.250Z, 00:00:06.000 long, from microphone.\n\n"
            "## Shopping\n\nmilk \\& honey\n\n"
            "## Everything\n\n"
            "- **00:00:00.500** milk \\& honey\n"
            "- **00:00:03.500** *not transcribed: it \\*died\\**\n");
}

TEST(TextExport, MakesJSONWithWords) {
  Script script = script_of({segment(0, 0, 3 * kRate, "hi")});
  script.words[0] = {{"hi", 8000, 9000, 0.5}};
  boost::system::error_code error;
  const auto json = json::parse(export_text(script, TextFormat::json), error).as_object();
  const auto& item = json.at("segments").at(0);
  EXPECT_EQ(item.at("text"), "hi");
  EXPECT_EQ(item.at("speech_start_sec"), 0.5);
  EXPECT_EQ(item.at("words").at(0).at("end_frame"), 9000);
}

TEST(TextExport, KnowsItsFormatsByName) {
  EXPECT_EQ(text_format("md"), TextFormat::markdown);
  EXPECT_EQ(text_format("srt"), TextFormat::srt);
  EXPECT_EQ(text_format("doc"), std::nullopt);
}

class Exporting : public testing::Test {
 protected:
  std::vector<float> samples_of(const fs::path& file) {
    audio::SoundFileReader reader(file);
    std::vector<float> samples(static_cast<std::size_t>(reader.frames()) + 1);
    samples.resize(reader.read(samples));
    return samples;
  }

  const TemporaryDirectory root_;
  const fs::path session_ = make_session(root_.path());
  const Manifest manifest_ = read_manifest(session_);
};

TEST_F(Exporting, ReadsTheScriptOfASession) {
  const Script script = read_script(session_);
  EXPECT_EQ(script.manifest, manifest_);
  EXPECT_THAT(export_text(script, TextFormat::txt),
              "start a new note\nmilk and honey\n[not transcribed: the recogniser did not answer in time]\n");
}

TEST_F(Exporting, ReadsAnOlderRevision) {
  {
    SessionWriter writer = SessionWriter::reopen(session_);
    Scribe scribe(writer);
    scribe.transcribe(0, "start a new boat", 1);
    scribe.finish();
  }
  EXPECT_THAT(export_text(read_script(session_), TextFormat::txt), HasSubstr("boat"));
  EXPECT_THAT(export_text(read_script(session_, 1), TextFormat::txt), HasSubstr("boat"));
  EXPECT_THAT(export_text(read_script(session_, 0), TextFormat::txt), HasSubstr("note\nmilk"));
}

TEST_F(Exporting, ServesTheManifestsTextsWhereTheJournalIsDamaged) {
  write_file(session_ / "events.jsonl", "damage\n");
  EXPECT_THAT(export_text(read_script(session_), TextFormat::txt), HasSubstr("milk and honey"));
  EXPECT_THROW(read_script(session_, 0), RecorderError);
}

TEST_F(Exporting, MakesTheWholeTimelineToTheSample) {
  for (const char* name : {"all.wav", "all.flac"}) {
    EXPECT_THAT(export_audio(session_, root_ / name, AudioExtent::timeline), IsEmpty());
    const std::vector<float> samples = samples_of(root_ / name);
    ASSERT_EQ(std::ssize(samples), manifest_.end_frame) << name;
    for (const Segment& each : manifest_.segments) {
      const float value = each.is_kept() ? static_cast<float>(each.index + 1) / 32768 : 0;
      EXPECT_EQ(samples.at(static_cast<std::size_t>(each.start_frame)), value);
      EXPECT_EQ(samples.at(static_cast<std::size_t>(each.end_frame - 1)), value);
    }
    EXPECT_EQ(samples.at(0), 0);
  }
}

TEST_F(Exporting, MakesOneFileOfTheKeptSegments) {
  EXPECT_THAT(export_audio(session_, root_ / "kept.wav", AudioExtent::kept), IsEmpty());
  Frame kept = 0;
  for (const Segment& each : manifest_.segments) kept += each.is_kept() ? each.end_frame - each.start_frame : 0;
  const std::vector<float> samples = samples_of(root_ / "kept.wav");
  ASSERT_EQ(std::ssize(samples), kept);
  EXPECT_EQ(samples.front(), 1.0F / 32768);
  EXPECT_EQ(samples.back(), 4.0F / 32768);
}

TEST_F(Exporting, TakesTheRecordedTimelineWhereThereIsOne) {
  SessionInfo all = test::info();
  all.keep_all = true;
  SessionWriter writer = SessionWriter::create(root_.path(), kStarted, all);
  writer.append_timeline(std::vector<std::int16_t>(5000, 9));
  writer.progress(5100, 5100, 0);
  writer.finish(kStarted);
  EXPECT_THAT(export_audio(writer.path(), root_ / "all.flac", AudioExtent::timeline),
              ElementsAre(HasSubstr("too short by 100 frames")));
  const std::vector<float> samples = samples_of(root_ / "all.flac");
  ASSERT_THAT(samples, SizeIs(5100));
  EXPECT_EQ(samples[4999], 9.0F / 32768);
  EXPECT_EQ(samples[5000], 0);
}

TEST_F(Exporting, PutsSilenceInThePlaceOfWhatIsMissingAndSaysSo) {
  fs::remove(session_ / "seg_0000.wav");
  write_file(session_ / "seg_0002.wav", content_of(session_ / "seg_0002.wav").substr(0, 1044));
  EXPECT_THAT(export_audio(session_, root_ / "all.wav", AudioExtent::timeline),
              ElementsAre(HasSubstr("seg_0000.wav"), HasSubstr("seg_0002.wav is too short by")));
  EXPECT_EQ(std::ssize(samples_of(root_ / "all.wav")), manifest_.end_frame);
}

TEST_F(Exporting, CopiesNothingThatALinkLeadsTo) {
  for (const char* name : {"seg_0000.wav", "seg_0002.wav"}) {
    fs::rename(session_ / name, root_ / name);
    fs::create_symlink(root_ / name, session_ / name);
  }
  EXPECT_THAT(export_audio(session_, root_ / "kept.wav", AudioExtent::kept),
              ElementsAre(HasSubstr("it is a link"), HasSubstr("it is a link")));
  EXPECT_EQ(samples_of(root_ / "kept.wav").front(), 0);
}

TEST_F(Exporting, OverwritesNothing) {
  write_file(root_ / "all.wav", "mine");
  EXPECT_THROW(export_audio(session_, root_ / "all.wav", AudioExtent::timeline), RecorderError);
  EXPECT_EQ(content_of(root_ / "all.wav"), "mine");
}

TEST_F(Exporting, LeavesNoPartOfAFileWhereTheDiskIsFull) {
  for (const char* name : {"all.wav", "all.flac"}) {
    const test::FileSizeLimit full(1000);
    EXPECT_THROW(export_audio(session_, root_ / name, AudioExtent::timeline), RecorderError);
    EXPECT_FALSE(fs::exists(root_ / name)) << name;
  }
}

TEST_F(Exporting, RefusesAnotherKindOfFile) {
  EXPECT_THROW(export_audio(session_, root_ / "all.mp3", AudioExtent::timeline), RecorderError);
}

TEST_F(Exporting, RefusesATimelineThatNobodyCanHaveRecorded) {
  Manifest endless = manifest_;
  endless.end_frame = Frame{1} << 60;
  write_manifest(session_, endless);
  EXPECT_THROW(export_audio(session_, root_ / "all.flac", AudioExtent::timeline), RecorderError);
  endless.end_frame = manifest_.end_frame;
  endless.segments.front().end_frame = Frame{1} << 40;
  write_manifest(session_, endless);
  EXPECT_THROW(export_audio(session_, root_ / "kept.flac", AudioExtent::kept), RecorderError);
  endless = manifest_;
  endless.end_frame = Frame{1} << 31;
  write_manifest(session_, endless);
  EXPECT_THROW(export_audio(session_, root_ / "all.wav", AudioExtent::timeline), RecorderError);
}

TEST_F(Exporting, MakesSubtitlesThatFFmpegReads) {
  if (std::system("ffprobe -version > /dev/null 2>&1") != 0) GTEST_SKIP() << "ffprobe is not installed";
  const Script script = read_script(session_);
  write_file(root_ / "s.srt", export_text(script, TextFormat::srt));
  write_file(root_ / "s.vtt", export_text(script, TextFormat::vtt));
  for (const char* name : {"s.srt", "s.vtt"}) {
    const std::string command =
        fmt::format("ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 '{}' > '{}'",
                    (root_ / name).string(), (root_ / "packets").string());
    EXPECT_EQ(std::system(command.c_str()), 0) << name;
    EXPECT_EQ(content_of(root_ / "packets"), "3\n") << name;  // two texts, and the one that is not there
  }
}

}  // namespace
}  // namespace dictum::session
