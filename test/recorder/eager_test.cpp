#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "audio/sound_file_reader.hpp"
#include "dictum/recorder_backend.hpp"
#include "recorder/event_log.hpp"
#include "support/event_grammar.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

/// Whether a text is begun before the end of its segment is certain, by how many workers, and whether these live: the
/// texts, their words and the notes are the same. Recorded from files at many times their pace, by real processes.
namespace dictum {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

/// A file that arrives in blocks of 100 ms, with a moment between them, so that there is something to overtake.
class PacedFile final : public AudioSource {
 public:
  PacedFile(std::filesystem::path path, std::chrono::milliseconds pace) : path_(std::move(path)), pace_(pace) {}

  AudioFormat open() override {
    file_.emplace(path_);
    return file_->format();
  }
  Reading read(std::span<float> interleaved) override {
    has_waited_ = !has_waited_;
    if (!has_waited_) return {};
    const std::size_t frames = file_->read(interleaved);
    if (frames == 0) return {.frames = 0, .then = SourceEnd{}};
    return {.frames = frames};
  }
  void close() noexcept override { file_.reset(); }
  std::chrono::milliseconds pace() const override { return pace_; }
  std::string description() const override { return path_; }

 private:
  const std::filesystem::path path_;
  const std::chrono::milliseconds pace_;
  std::optional<audio::SoundFileReader> file_;
  bool has_waited_ = false;
};

/// Ten recordings of people who speak; fewer where the test data is not there.
std::vector<std::filesystem::path> recordings() {
  std::vector<std::filesystem::path> found{test::project_file("samples/voice_note.wav")};
  for (const char* const name : {"jfk", "voice_note", "conversation", "radio", "librivox/0870", "librivox/0880",
                                 "librivox/0890", "librivox/0920", "librivox/0930"}) {
    if (const auto wav = test::test_data(std::string("audio/") + name + ".wav")) found.push_back(*wav);
  }
  return found;
}

struct Variant {
  std::string eager;
  int workers = 1;
  bool workers_die = false;
  int min_silence_ms = 600;  // more segments than by default
};

/// A session's texts by segment, and its notes in order, without what may differ between two runs.
struct Outcome {
  std::map<std::uint32_t, std::string> texts;
  std::vector<std::string> notes;
  bool operator==(const Outcome&) const = default;
};

std::string timeless(Event event) {
  event.session.clear();
  event.sequence.reset();
  event.timestamp = 0;
  if (auto* complete = std::get_if<TranscriptionComplete>(&event.body)) complete->processing_time_sec = 0;
  if (auto* note = std::get_if<NoteCompleted>(&event.body)) note->path.clear();
  return event.to_json();
}

class EagerTexts : public testing::Test {
 protected:
  struct Recording {
    std::unique_ptr<test::EventLog> log = std::make_unique<test::EventLog>();
    std::unique_ptr<RecorderBackend> backend;
  };

  /// Records every recording, at the same time where the engine costs nothing.
  std::vector<Outcome> record_all(const Variant& variant) {
    std::vector<Outcome> outcomes;
    std::vector<Recording> running;
    for (const auto& file : recordings()) {
      running.push_back(start(file, variant));
      if (is_costly()) outcomes.push_back(finish(std::exchange(running, {}).front()));
    }
    for (const Recording& recording : running) outcomes.push_back(finish(recording));
    return outcomes;
  }

  Recording start(const std::filesystem::path& file, const Variant& variant) {
    Recording recording;
    recording.backend = std::make_unique<RecorderBackend>(
        configuration(file, variant), [log = recording.log.get()](const Event& event) { log->add(event); });
    recording.backend->start_recording();
    return recording;
  }

  static Outcome finish(const Recording& recording) {
    EXPECT_TRUE(recording.log->wait(
        [](const std::vector<Event>& events) {
          return std::ranges::any_of(events, [](const Event& event) {
            const auto* changed = std::get_if<RecordingStateChanged>(&event.body);
            return changed != nullptr && changed->state == RecordingState::idle;
          });
        },
        10min));
    recording.backend->stop_recording(std::chrono::duration<double>(-1));
    EXPECT_THAT(test::grammar_violations(recording.backend->get_session_path()), IsEmpty());
    return outcome_of(recording.log->all());
  }

  virtual bool is_costly() const { return false; }

  virtual RecorderConfig configuration(const std::filesystem::path& recording, const Variant& variant) {
    const std::string name = std::to_string(++runs_);
    std::string script = kScript;
    script.replace(script.find("LOG"), 3, (root_ / (name + ".log")).string());
    script.replace(script.find("SEGMENTS"), 8, variant.workers_die ? kAccidents : "");
    RecorderConfig config = basic_configuration(variant);
    config.source = [recording] { return std::make_unique<PacedFile>(recording, 2ms); };
    config.transcription.transcriber = "simulated";
    config.transcription.simulated_script = root_ / (name + ".json");
    std::ofstream(config.transcription.simulated_script) << script;
    return config;
  }

  RecorderConfig basic_configuration(const Variant& variant) const {
    RecorderConfig config;
    config.session.root = root_ / "sessions";
    config.vad.min_silence_ms = variant.min_silence_ms;
    config.transcription.workers = variant.workers;
    config.transcription.eager = variant.eager;
    return config;
  }

  static Outcome outcome_of(const std::vector<Event>& events) {
    Outcome outcome;
    for (const Event& event : events) {
      if (const auto* complete = std::get_if<TranscriptionComplete>(&event.body)) {
        EXPECT_TRUE(complete->success) << complete->error->message;
        outcome.texts[complete->segment_index] += timeless(event);
      } else if (std::holds_alternative<NoteCompleted>(event.body) ||
                 std::holds_alternative<NoteTitleCaptured>(event.body) ||
                 std::holds_alternative<NoteCommandDetected>(event.body)) {
        outcome.notes.push_back(timeless(event));
      }
    }
    return outcome;
  }

  /// Jobs that the workers of all runs got.
  std::size_t jobs() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(root_.path())) {
      if (entry.path().extension() != ".log") continue;
      std::ifstream log(entry.path());
      for (std::string line; std::getline(log, line);) count += line.starts_with("job ") ? 1 : 0;
    }
    return count;
  }

  void expect_same_in_every_variant() {
    const auto expected = record_all({.eager = "false"});
    for (const Variant& variant : {Variant{.eager = "true"}, Variant{.eager = "true", .workers = 4},
                                   Variant{.eager = "true", .workers = 2, .workers_die = true}}) {
      const auto outcomes = record_all(variant);
      ASSERT_EQ(outcomes.size(), expected.size());
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        EXPECT_EQ(outcomes[i].texts, expected[i].texts) << "recording " << i << ", eager: " << variant.eager;
        EXPECT_EQ(outcomes[i].notes, expected[i].notes) << "recording " << i << ", eager: " << variant.eager;
      }
    }
  }

  static constexpr const char* kScript =
      R"({"texts": ["start a new note", "shopping list", "bread and butter", "two pints of milk", "end note",
                    "start a new note about nothing", "the body"],
          "latency_ms": 4, "audio": true, "words": true, "log": "LOG"SEGMENTS})";
  static constexpr const char* kAccidents =
      R"(, "segments": {"0": [{"do": "crash"}, {}], "1": [{"do": "leave"}, {}], "3": [{"do": "crash"}, {"do": "leave"}, {}]})";

  test::TemporaryDirectory root_;
  int runs_ = 0;
};

TEST_F(EagerTexts, AndNotesAreTheSameAsWithoutTheHeadStartWhateverTheWorkers) {
  expect_same_in_every_variant();
}

TEST_F(EagerTexts, AreBegunAgainWhereSpeechGoesOn) {
  // The pauses between the sentences of the sample end no segment, so that speech goes on behind each.
  const auto outcomes = record_all({.eager = "true", .min_silence_ms = 3000});
  std::size_t texts = 0;
  for (const Outcome& outcome : outcomes) texts += outcome.texts.size();
  EXPECT_GT(jobs(), texts) << "no pause was long enough for a job: this test compares nothing";
}

/// With real recognition, at four times the pace: DICTUM_SOAK=1.
class EagerWhisper : public EagerTexts {
 protected:
  void SetUp() override {
    if (std::getenv("DICTUM_SOAK") == nullptr) GTEST_SKIP() << "takes minutes: set DICTUM_SOAK=1";
    const auto model = test::test_data("models/ggml-tiny.en-q8_0.bin");
    if (!model) GTEST_SKIP() << "test data not found: models/ggml-tiny.en-q8_0.bin";
    model_ = *model;
  }
  RecorderConfig configuration(const std::filesystem::path& recording, const Variant& variant) override {
    RecorderConfig config = basic_configuration(variant);
    config.source = [recording] { return std::make_unique<PacedFile>(recording, 25ms); };
    config.transcription.transcriber = "whisper";
    config.transcription.model = model_;
    return config;
  }
  bool is_costly() const override { return true; }

 private:
  std::filesystem::path model_;
};

TEST_F(EagerWhisper, WritesTheSameWithTheHeadStartAndWithout) {
  expect_same_in_every_variant();
}

}  // namespace
}  // namespace dictum
