#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "dictum/recorder_backend.hpp"
#include "dictum/vad.hpp"
#include "journal/layout.hpp"
#include "recorder/event_log.hpp"
#include "recorder/recordings.hpp"
#include "session/manifest.hpp"
#include "support/event_grammar.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"
#include "vad/detector.hpp"

namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The numbers below are those of the model, not of the detector that stands in for it.
#define NEEDS_THE_MODEL() \
  if (!vad::embedded_weights()) GTEST_SKIP() << "this build has no Silero model"

constexpr double kWindowSec = double{kVADWindow} / kVADSampleRate;

/// Answers every job at once, with the segment's number.
class Counting final : public Transcriber {
 public:
  void transcribe(TranscriptionJob job, Done done) override {
    TranscriptionOutcome outcome;
    outcome.text = fmt::format("segment {}", job.segment_index);
    done(std::move(outcome));
  }
  void abandon() override {}
};

/// Real time in a hurry: a second lasts 50 ms.
class HurriedClock final : public Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return std::chrono::system_clock::now(); }
  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::steady_clock::now().time_since_epoch() * 20);
  }
};

struct Recording {
  std::filesystem::path path;
  session::Manifest manifest;
  std::vector<Event> events;

  double seconds(Frame frame) const { return manifest.seconds(frame); }
};

struct Span {
  double start;
  double end;
};

std::vector<Span> speech(const Recording& recording) {
  std::vector<Span> spans;
  for (const auto& segment : recording.manifest.segments) {
    if (segment.is_kept())
      spans.push_back({recording.seconds(segment.speech_start_frame), recording.seconds(segment.speech_end_frame)});
  }
  return spans;
}

std::vector<Span> kept(const Recording& recording) {
  std::vector<Span> spans;
  for (const auto& segment : recording.manifest.segments) {
    if (segment.is_kept())
      spans.push_back({recording.seconds(segment.start_frame), recording.seconds(segment.end_frame)});
  }
  return spans;
}

auto lies_at(double start, double end, double within) {
  return testing::AllOf(testing::Field("start", &Span::start, testing::DoubleNear(start, within)),
                        testing::Field("end", &Span::end, testing::DoubleNear(end, within)));
}

auto lie_at(const std::vector<Span>& spans, double within) {
  std::vector<testing::Matcher<Span>> each;
  for (const Span& span : spans) each.emplace_back(lies_at(span.start, span.end, within));
  return testing::ElementsAreArray(each);
}

std::map<std::string, std::string> wavs(const Recording& recording) {
  auto files = test::files_in(recording.path);
  std::erase_if(files, [](const auto& file) { return !file.first.ends_with(".wav"); });
  return files;
}

class Pipeline : public testing::Test {
 protected:
  RecorderConfig config(const std::filesystem::path& input) const {
    RecorderConfig config;
    config.capture.input = input;
    config.capture.pace = "fast";
    config.session.root = folder / "sessions";
    config.transcription.transcriber = "none";
    return config;
  }

  /// Records to the end of the input. Every session that is made here keeps to the grammar.
  static Recording record(const RecorderConfig& config) {
    test::EventLog log;
    RecorderBackend backend(config, [&log](const Event& event) { log.add(event); });
    backend.start_recording();
    const auto is_over = [](const std::vector<Event>& events) {
      return std::ranges::any_of(events, [](const Event& event) {
        const auto* changed = std::get_if<RecordingStateChanged>(&event.body);
        return changed != nullptr && !changed->is_recording;
      });
    };
    EXPECT_TRUE(log.wait(is_over, 100s)) << "the recording does not end by itself";
    backend.stop_recording();
    const auto path = backend.get_session_path();
    EXPECT_THAT(test::grammar_violations(path), IsEmpty());
    return {path, session::read_manifest(path), log.all()};
  }

  std::filesystem::path wav(const std::string& name, const test::Sound& sound,
                            test::SampleType type = test::SampleType::pcm16) const {
    const auto file = folder / (name + ".wav");
    test::write_wav(file, sound, type);
    return file;
  }

  test::TemporaryDirectory folder;
};

// --- The numbers of real recordings ----------------------------------------------------------------------------------

TEST_F(Pipeline, FindsTheThreePhrasesOfTheSpeech) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  EXPECT_THAT(speech(record(config(jfk))), lie_at({{0.352, 2.240}, {3.296, 4.416}, {5.408, 10.976}}, 1e-9));
}

TEST_F(Pipeline, FindsTheConversationAtAShorterSilence) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(conversation, "audio/conversation.wav");
  RecorderConfig short_silence = config(conversation);
  short_silence.vad.min_silence_ms = 300;
  EXPECT_THAT(speech(record(short_silence)), lie_at({{6.784, 7.200}, {7.648, 29.984}}, 1e-9));
}

TEST_F(Pipeline, KeepsEveryLabelledRegionOfTheConversationToItsEnd) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(conversation, "audio/conversation.wav");
  DICTUM_TEST_DATA_OR_SKIP(labels, "audio/conversation.rttm");
  const auto spans = kept(record(config(conversation)));
  std::ifstream lines(labels);
  int regions = 0;
  for (std::string line; std::getline(lines, line); ++regions) {
    std::istringstream words(line);
    std::string skipped;
    double start = 0;
    double duration = 0;
    words >> skipped >> skipped >> skipped >> start >> duration;
    const double end = std::min(start + duration, 30.0);
    EXPECT_TRUE(std::ranges::any_of(spans, [&](const Span& span) { return span.start <= start && end <= span.end; }))
        << "the region " << start << " to " << end << " is not kept";
  }
  EXPECT_GT(regions, 0);
}

TEST_F(Pipeline, FindsFourSegmentsInTheVoiceNoteBeforeSilence) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(voice_note, "audio/voice_note.wav");
  const auto recording = record(config(wav("note", test::with_silence_after(test::read_sound(voice_note), 6))));
  EXPECT_THAT(speech(recording), lie_at({{0.10, 1.47}, {2.53, 3.97}, {5.15, 7.49}, {8.58, 8.96}}, 0.05));
}

TEST_F(Pipeline, FlushesTheLastSegmentWholeAtTheEndOfTheFile) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(voice_note, "audio/voice_note.wav");
  const auto recording = record(config(voice_note));
  ASSERT_THAT(recording.manifest.segments, SizeIs(4));
  EXPECT_EQ(recording.manifest.segments.back().end_frame, test::read_sound(voice_note).frames());
}

TEST_F(Pipeline, KeepsTheSamplesOfTheFileAsTheyAre) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  const auto recording = record(config(jfk));
  const auto whole = test::read_sound(jfk).samples;
  for (const auto& segment : recording.manifest.segments) {
    const auto part = test::read_sound(recording.path / journal::segment_file(segment.index)).samples;
    ASSERT_EQ(part.size(), static_cast<std::size_t>(segment.end_frame - segment.start_frame));
    EXPECT_TRUE(
        std::ranges::equal(part, std::span(whole).subspan(static_cast<std::size_t>(segment.start_frame), part.size())))
        << "segment " << segment.index;
  }
}

TEST_F(Pipeline, TranscribesEverySegmentInOrder) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(voice_note, "audio/voice_note.wav");
  RecorderConfig transcribing = config(voice_note);
  transcribing.custom_transcriber = [] { return std::make_unique<Counting>(); };
  const auto recording = record(transcribing);
  std::vector<std::string> texts;
  for (const auto& segment : recording.manifest.segments) texts.push_back(segment.text);
  EXPECT_THAT(texts, ElementsAre("segment 0", "segment 1", "segment 2", "segment 3"));
}

// --- The rule, applied to the probabilities of the official model
// ------------------------------------------------------

struct Ruled {
  Frame start;
  Frame end;
  bool kept;
  bool operator==(const Ruled&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Ruled& ruled) {
  return out << ruled.start << "-" << ruled.end << (ruled.kept ? "" : " discarded");
}

/// Speech by the rule, at 16 kHz: written down a second time, without any state machine.
std::vector<Ruled> rule(const std::vector<double>& p, int min_silence_ms) {
  const auto windows = [](double ms) { return static_cast<std::size_t>(std::ceil(ms * 16 / kVADWindow)); };
  const std::size_t needed = windows(min_silence_ms);
  std::vector<Ruled> found;
  std::size_t at = 0;
  const auto frame = [](std::size_t window) { return static_cast<Frame>(window * kVADWindow); };
  for (;;) {
    while (at < p.size() && p[at] < 0.5) ++at;
    if (at == p.size()) return found;
    const std::size_t begin = at;
    std::size_t last_loud = at;
    std::size_t silence = p.size();  // where it began
    for (;; ++at) {
      if (at == p.size()) {
        found.push_back({frame(begin), frame(std::min(silence, at)), true});
        return found;
      }
      if (p[at] >= 0.5) {
        last_loud = at;
        silence = p.size();
      } else if (silence == p.size() && p[at] < 0.35) {
        silence = at;
      }
      if (silence < p.size() && at + 1 - silence >= needed) break;
    }
    const auto loud = std::count_if(p.begin() + static_cast<std::ptrdiff_t>(begin),
                                    p.begin() + static_cast<std::ptrdiff_t>(last_loud) + 1,
                                    [](double probability) { return probability >= 0.5; });
    found.push_back({frame(begin), frame(silence), loud >= 3});
    ++at;
  }
}

struct RuleCase {
  const char* recording;
  int min_silence_ms;
};

class PipelineRule : public Pipeline, public testing::WithParamInterface<RuleCase> {};

TEST_P(PipelineRule, SpeechFramesAreThoseOfTheRule) {
  NEEDS_THE_MODEL();
  const auto [name, min_silence_ms] = GetParam();
  DICTUM_TEST_DATA_OR_SKIP(input, fmt::format("audio/{}.wav", name));
  DICTUM_TEST_DATA_OR_SKIP(probabilities_file, fmt::format("vad/{}.probs.txt", name));
  std::ifstream lines(probabilities_file);
  const std::vector<double> probabilities{std::istream_iterator<double>(lines), {}};

  RecorderConfig ruled = config(input);
  ruled.vad.min_silence_ms = min_silence_ms;
  ruled.vad.max_segment_sec = 3600;
  std::vector<Ruled> found;
  for (const auto& segment : record(ruled).manifest.segments)
    found.push_back({segment.speech_start_frame, segment.speech_end_frame, segment.is_kept()});
  EXPECT_EQ(found, rule(probabilities, min_silence_ms));
}

INSTANTIATE_TEST_SUITE_P(Recordings, PipelineRule,
                         testing::Values(RuleCase{"jfk", 800}, RuleCase{"jfk", 100}, RuleCase{"conversation", 300},
                                         RuleCase{"conversation", 32}, RuleCase{"radio", 800}, RuleCase{"radio", 64},
                                         RuleCase{"radio", 5000}),
                         [](const auto& test) {
                           return fmt::format("{}_{}ms", test.param.recording, test.param.min_silence_ms);
                         });

// --- The same audio gives the same segments
// ----------------------------------------------------------------------------

struct Shape {
  int sample_rate;
  bool is_stereo;
  test::SampleType type;
  int block_frames;

  std::string sound_name() const {
    constexpr const char* kTypes[] = {"16bit", "24bit", "float"};
    return fmt::format("{}Hz_{}_{}", sample_rate, is_stereo ? "stereo" : "mono", kTypes[static_cast<int>(type)]);
  }
};

constexpr int kRates[] = {16000, 22050, 44100, 48000, 96000};
constexpr int kBlocks[] = {1, 160, 441, 1440, 4800};
constexpr test::SampleType kTypes[] = {test::SampleType::pcm16, test::SampleType::pcm24, test::SampleType::float32};

/// Every value with every other at least once; every combination with DICTUM_SOAK=1.
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  if (std::getenv("DICTUM_SOAK") != nullptr) {
    for (const int rate : kRates)
      for (const bool is_stereo : {false, true})
        for (const auto type : kTypes)
          for (const int block : kBlocks) all.push_back({rate, is_stereo, type, block});
    return all;
  }
  for (std::size_t rate = 0; rate < std::size(kRates); ++rate) {
    for (std::size_t block = 0; block < std::size(kBlocks); ++block) {
      all.push_back({kRates[rate], (rate + block) % 2 == 1, kTypes[(rate + 2 * block) % 3], kBlocks[block]});
    }
  }
  return all;
}

class PipelineShape : public Pipeline, public testing::WithParamInterface<Shape> {
 protected:
  std::filesystem::path shaped(const std::filesystem::path& recording, const Shape& shape) const {
    test::Sound sound = test::resampled(test::read_sound(recording), shape.sample_rate);
    if (shape.is_stereo) sound = test::stereo(sound);
    return wav(shape.sound_name(), sound, shape.type);
  }
};

TEST_P(PipelineShape, GivesTheSameSegmentsWithinAWindow) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  const auto plain = record(config(jfk));
  RecorderConfig shaped_config = config(shaped(jfk, GetParam()));
  shaped_config.capture.block_frames = GetParam().block_frames;
  const auto recording = record(shaped_config);
  const double tolerance = kWindowSec + 1.5 / GetParam().sample_rate;  // frames are whole
  EXPECT_THAT(speech(recording), lie_at(speech(plain), tolerance));
  EXPECT_THAT(kept(recording), lie_at(kept(plain), tolerance));
}

INSTANTIATE_TEST_SUITE_P(Shapes, PipelineShape, testing::ValuesIn(shapes()), [](const auto& test) {
  return fmt::format("{}_blocks_of_{}", test.param.sound_name(), test.param.block_frames);
});

TEST_F(Pipeline, FindsAsManySegmentsAtATelephonesRate) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  const auto plain = record(config(jfk));
  const auto telephone = record(config(wav("telephone", test::resampled(test::read_sound(jfk), 8000))));
  EXPECT_THAT(speech(telephone), lie_at(speech(plain), 10 * kWindowSec));
}

class PipelineBytes : public PipelineShape {};

TEST_P(PipelineBytes, AreTheSameWhateverTheBlocks) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  const auto input = shaped(jfk, GetParam());
  const auto plain = wavs(record(config(input)));
  EXPECT_THAT(plain, SizeIs(3));
  for (const int block : kBlocks) {
    RecorderConfig blocks = config(input);
    blocks.capture.block_frames = block;
    EXPECT_EQ(wavs(record(blocks)), plain) << "in blocks of " << block;
  }
}

/// One format; every one with DICTUM_SOAK=1.
std::vector<Shape> formats() {
  if (std::getenv("DICTUM_SOAK") == nullptr) return {{44100, true, test::SampleType::pcm24, 0}};
  std::vector<Shape> all = shapes();
  std::erase_if(all, [](const Shape& shape) { return shape.block_frames != kBlocks[0]; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Formats, PipelineBytes, testing::ValuesIn(formats()),
                         [](const auto& test) { return test.param.sound_name(); });

TEST_F(Pipeline, WritesTheSameBytesAtThePaceOfAMicrophone) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  const auto input = wav("input", test::resampled(test::read_sound(jfk), 48000));
  RecorderConfig paced = config(input);
  paced.capture.pace = "realtime";
  paced.clock = std::make_shared<HurriedClock>();
  EXPECT_EQ(wavs(record(paced)), wavs(record(config(input))));
}

TEST_F(Pipeline, SplitsALongSegmentWithoutLosingASample) {
  NEEDS_THE_MODEL();
  DICTUM_TEST_DATA_OR_SKIP(conversation, "audio/conversation.wav");
  RecorderConfig split = config(conversation);
  split.vad.max_segment_sec = 8;
  const auto spans = kept(record(split));
  RecorderConfig whole = config(conversation);
  const auto one = kept(record(whole));
  ASSERT_GE(spans.size(), 3U);
  for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_EQ(spans[i].start, spans[i - 1].end);
  EXPECT_EQ(spans.front().start, one.front().start);
  EXPECT_EQ(spans.back().end, one.back().end);
  for (const Span& span : spans) EXPECT_LE(span.end - span.start, 8 + kWindowSec);
}

TEST_F(Pipeline, KeepsTheWholeTimelineWhereAsked) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig all = config(jfk);
  all.session.keep_all = true;
  const auto recording = record(all);
  EXPECT_EQ(test::read_sound(recording.path / journal::kTimelineFile).samples, test::read_sound(jfk).samples);
}

TEST_F(Pipeline, ARecordingWithoutSpeechIsAWholeSessionWithoutSegments) {
  const auto recording = record(config(wav("silence", {.samples = std::vector<float>(16000 * 3)})));
  EXPECT_THAT(recording.manifest.segments, IsEmpty());
  EXPECT_EQ(recording.manifest.end_frame, 16000 * 3);
}

TEST_F(Pipeline, ARecordingShorterThanAWindowIsAWholeSession) {
  EXPECT_EQ(record(config(wav("click", {.samples = {0.5F}}))).manifest.end_frame, 1);
}

constexpr int kBlockSizes[] = {0, 1, 159, 480, 512, 4801, 100'000};

TEST_F(Pipeline, EndsAtItsDurationToTheFrameWhateverTheBlocks) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig limited = config(jfk);
  limited.capture.duration_sec = 1.2345;
  for (const int block : kBlockSizes) {
    limited.capture.block_frames = block;
    const auto manifest = session::read_manifest(record(limited).path);
    EXPECT_EQ(manifest.end_frame, 19752) << block;
    EXPECT_EQ(manifest.frames, 19752) << block;
  }
}

TEST_F(Pipeline, LastsAsLongAsItsInputWhereThatIsShorterThanTheDuration) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig limited = config(jfk);
  limited.capture.duration_sec = 60;
  EXPECT_EQ(session::read_manifest(record(limited).path).end_frame, 176000);
}

TEST_F(Pipeline, StopsAfterSilenceAtTheSameFrameWhateverTheBlocks) {
  DICTUM_TEST_DATA_OR_SKIP(jfk, "audio/jfk.wav");
  RecorderConfig limited = config(jfk);
  limited.capture.stop_after_silence_sec = 0.6;  // less than the first pause
  std::set<Frame> ends;
  for (const int block : kBlockSizes) {
    limited.capture.block_frames = block;
    const Recording recording = record(limited);
    ends.insert(session::read_manifest(recording.path).end_frame);
    EXPECT_EQ(wavs(recording).size(), 1U) << block;
  }
  EXPECT_EQ(ends.size(), 1U);
}

}  // namespace
}  // namespace dictum
