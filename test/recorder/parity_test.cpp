#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "journal/journal_reader.hpp"
#include "recorder/event_log.hpp"
#include "recorder/flavours.hpp"
#include "recorder/recordings.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"
#include "wire/event_json.hpp"

/// "Both flavours have identical outputs", tested on every recording there is.
namespace dictum {
namespace {

using testing::IsEmpty;

enum class Order { speech, reversed_pairs };

/// Answers on the audio clock: `latency_sec` after a segment's end, or that of the next one where pairs are reversed.
/// The texts are the same for the same segment, whatever the latency.
class AudioClockTranscriber final : public Transcriber {
 public:
  AudioClockTranscriber(double latency_sec, Order order) : latency_sec_(latency_sec), order_(order) {}

  void transcribe(TranscriptionJob job, Done done) override {
    const Frame due = job.end_frame + static_cast<Frame>(latency_sec_ * job.sample_rate);
    waiting_.push_back({job.segment_index, due, std::move(done)});
  }

  void audio_time(Frame now) override {
    for (;;) {
      auto next = std::ranges::find_if(waiting_, [now](const Waiting& waiting) { return waiting.due <= now; });
      if (next == waiting_.end()) return;
      if (order_ == Order::reversed_pairs && next->segment % 2 == 0) {
        const auto partner = std::ranges::find(waiting_, next->segment + 1, &Waiting::segment);
        if (partner != waiting_.end())
          next = partner;
        else if (now != kEndOfAudio)
          return;
      }
      const Waiting answered = std::move(*next);
      waiting_.erase(next);
      answered.done(outcome(answered.segment));
    }
  }

  void abandon() override { waiting_.clear(); }

  static std::vector<std::string> texts() {
    return {"start a new note",
            "shopping list",
            "bread and butter",
            "and two pints of milk",
            "end note",
            "something else",
            "start a new note about nothing",
            "the body"};
  }

 private:
  struct Waiting {
    std::uint32_t segment{};
    Frame due{};
    Done done;
  };

  static TranscriptionOutcome outcome(std::uint32_t segment) {
    const auto all = texts();
    TranscriptionOutcome outcome;
    outcome.text = segment < all.size() ? all[segment] : "segment " + std::to_string(segment);
    return outcome;
  }

  const double latency_sec_;
  const Order order_;
  std::vector<Waiting> waiting_;
};

RecorderConfig configuration(const std::filesystem::path& recording, const std::filesystem::path& root,
                             double latency_sec, Order order) {
  RecorderConfig config;
  config.capture.input = recording;
  config.capture.pace = "fast";
  config.vad.min_silence_ms = 300;  // more segments
  config.session.root = root;
  config.clock = std::make_shared<ManualClock>(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22));
  config.custom_transcriber = [=] { return std::make_unique<AudioClockTranscriber>(latency_sec, order); };
  return config;
}

/// Records to the end, and returns the session's files.
template <class Flavour>
std::map<std::string, std::string> record(const std::filesystem::path& recording, double latency_sec = 0,
                                          Order order = Order::speech) {
  // The same folder for every run, since the manifest names it.
  const std::filesystem::path root =
      std::filesystem::temp_directory_path() / ("dictum-parity-" + std::to_string(getpid()));
  std::map<std::string, std::string> files;
  {
    test::EventLog log;
    Flavour recorder(configuration(recording, root, latency_sec, order), [&](const Event& event) { log.add(event); });
    EXPECT_FALSE(recorder.start()) << recorder.last_error();
    EXPECT_TRUE(log.wait_for_state(RecordingState::idle));
    EXPECT_FALSE(recorder.stop());
    EXPECT_THAT(test::grammar_violations(recorder.session()), IsEmpty());
    files = test::files_in(recorder.session());
  }
  std::filesystem::remove_all(root);
  return files;
}

std::vector<Event> journal(const std::map<std::string, std::string>& files) {
  std::vector<Event> events;
  std::istringstream lines(files.at("events.jsonl"));
  for (std::string line; std::getline(lines, line);) events.push_back(wire::parse_event(line));
  return events;
}

bool is_about_notes(const Event& event) {
  return std::holds_alternative<NoteCommandDetected>(event.body) ||
         std::holds_alternative<NoteTitleCaptured>(event.body) || std::holds_alternative<NoteCompleted>(event.body) ||
         std::holds_alternative<NoteCancelled>(event.body);
}

bool is_about_audio(const Event& event) {
  return std::holds_alternative<RecordingStateChanged>(event.body) ||
         std::holds_alternative<VADModeChanged>(event.body) || std::holds_alternative<SpeechDetected>(event.body) ||
         std::holds_alternative<SpeechEnded>(event.body) || std::holds_alternative<AudioGap>(event.body);
}

/// The event as text, without what may differ between two runs.
std::string timeless(Event event) {
  event.sequence.reset();
  event.timestamp = 0;
  if (auto* complete = std::get_if<TranscriptionComplete>(&event.body)) complete->processing_time_sec = 0;
  return event.to_json();
}

std::optional<std::uint32_t> segment_of(const Event& event) {
  return std::visit(
      [](const auto& body) -> std::optional<std::uint32_t> {
        if constexpr (requires { body.segment_index; }) return body.segment_index;
        return std::nullopt;
      },
      event.body);
}

/// What must not depend on when texts come.
struct Projections {
  std::vector<std::string> audio;
  std::map<std::uint32_t, std::vector<std::string>> by_segment;
  std::vector<std::string> notes;
  bool operator==(const Projections&) const = default;
};

Projections projections(const std::map<std::string, std::string>& files) {
  Projections made;
  for (const Event& event : journal(files)) {
    const std::string text = timeless(event);
    if (is_about_audio(event)) made.audio.push_back(text);
    if (is_about_notes(event))
      made.notes.push_back(text);
    else if (const auto segment = segment_of(event))
      made.by_segment[*segment].push_back(text);
  }
  return made;
}

std::multiset<std::string> lines_of(const std::string& text) {
  std::multiset<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

/// The files that must be the same to the byte, whenever texts come.
std::map<std::string, std::string> lasting(const std::map<std::string, std::string>& files) {
  std::map<std::string, std::string> kept;
  for (const auto& [name, content] : files) {
    if (name.ends_with(".wav") || name.ends_with(".md") || name == "transcript_raw.txt") kept[name] = content;
  }
  return kept;
}

class Parity : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string name = GetParam();
    if (name == "sample") {
      recording = test::project_file("samples/voice_note.wav");
      return;
    }
    const auto found = test::test_data("audio/" + name);
    if (!found) GTEST_SKIP() << "test data not found: audio/" << name;
    recording = *found;
  }

  std::filesystem::path recording;
};

TEST_P(Parity, BothFlavoursLeaveTheSameBytes) {
  for (const double latency : {0.0, 2.5}) {
    const auto blocking = record<test::BlockingFlavour>(recording, latency);
    const auto async = record<test::AsyncFlavour>(recording, latency);
    EXPECT_EQ(blocking, async) << "at a latency of " << latency << " s";
  }
}

TEST_P(Parity, LatencyAndOrderOfTextsChangeNothingThatLasts) {
  const auto reference = record<test::BlockingFlavour>(recording);
  const auto expect_same = [&](const std::map<std::string, std::string>& files) {
    EXPECT_EQ(lasting(files), lasting(reference));
    EXPECT_EQ(projections(files), projections(reference));
    EXPECT_EQ(lines_of(files.at("transcript_incremental.txt")), lines_of(reference.at("transcript_incremental.txt")));
  };
  expect_same(record<test::AsyncFlavour>(recording, 2.5));
  expect_same(record<test::BlockingFlavour>(recording, 10));
  expect_same(record<test::AsyncFlavour>(recording, 0, Order::reversed_pairs));
  expect_same(record<test::BlockingFlavour>(recording, 2.5, Order::reversed_pairs));
}

TEST(ParityTexts, TheTextsOfTheseTestsMakeNotes) {
  DICTUM_TEST_DATA_OR_SKIP(recording, "audio/radio.wav");
  const auto files = record<test::BlockingFlavour>(recording);
  EXPECT_FALSE(projections(files).notes.empty());
}

INSTANTIATE_TEST_SUITE_P(Recordings, Parity,
                         testing::Values("sample", "jfk.wav", "radio.wav", "conversation.wav", "voice_note.wav",
                                         "librivox/0870.wav", "librivox/0880.wav", "librivox/0890.wav",
                                         "librivox/0920.wav", "librivox/0930.wav"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace_if(name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace dictum
