#include "server/metrics.hpp"

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "recorder/recordings.hpp"
#include "server/event_feed.hpp"
#include "support/test_data.hpp"

namespace dictum::server {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

/// The samples of a text, as the format's rules allow it and no more: every family has its HELP and TYPE once, before
/// its samples, which stand together; no sample is there twice; a histogram counts up and ends with +Inf.
std::map<std::string, double> parse_exposition(const std::string& text) {
  static const std::regex kHelp("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
  static const std::regex kType("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)");
  static const std::regex kSample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"\})? (-?[0-9.e+-]+|NaN|\+Inf))re");
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;
  std::string family;
  std::string helped;
  double bucket = 0;
  EXPECT_TRUE(text.ends_with('\n'));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      helped = match[1];
      EXPECT_FALSE(types.contains(helped)) << line;
    } else if (std::regex_match(line, match, kType)) {
      family = match[1];
      EXPECT_EQ(family, helped) << line;
      EXPECT_TRUE(types.emplace(family, match[2]).second) << line;
      EXPECT_EQ(match[2] == "counter", family.ends_with("_total")) << line;
      bucket = 0;
    } else if (std::regex_match(line, match, kSample)) {
      std::string name = match[1];
      const double value = std::stod(match[3]);
      if (types[family] == "histogram") {
        EXPECT_TRUE(name == family + "_bucket" || name == family + "_sum" || name == family + "_count") << line;
        if (name == family + "_bucket") {
          EXPECT_GE(value, bucket) << line;
          bucket = value;
        } else if (name == family + "_count") {
          EXPECT_EQ(value, samples[family + "_bucket{le=\"+Inf\"}"]);
        }
      } else {
        EXPECT_EQ(name, family) << line;
      }
      EXPECT_TRUE(samples.emplace(name + match[2].str(), value).second) << line;
    } else {
      ADD_FAILURE() << "no line of the format: " << line;
    }
  }
  return samples;
}

/// Events of one recorder, a second of the clock and 16,000 frames at a time.
class MetricsTest : public testing::Test {
 protected:
  MetricsTest() { metrics.begin(this, 16000); }

  void take(EventBody body) { take(this, std::move(body)); }
  void take(Metrics::Recorder recorder, EventBody body) {
    Event event{.session = "20261122_154501", .sequence = {}, .timestamp = time, .frame = frame, .body = {}};
    event.body = std::move(body);
    if (!event.is_ephemeral()) event.sequence = next++;
    metrics.take(recorder, event);
  }
  void begin() { take(RecordingStateChanged{.state = RecordingState::recording, .is_recording = true}); }
  void pass(int seconds) {
    time += seconds;
    frame += Frame{16000} * seconds;
  }

  std::map<std::string, double> samples() { return parse_exposition(metrics.text({.time = time})); }
  double sample(const std::string& name) {
    const auto all = samples();
    const auto found = all.find(name);
    return found == all.end() ? -1 : found->second;
  }

  Metrics metrics;
  double time = 1000;
  Frame frame = 0;
  std::uint64_t next = 0;
};

/// The names in a text that stand behind `before`.
std::set<std::string> names(const std::string& text, const std::string& before) {
  const std::regex name(before + "(dictum_[a-z_]+)");
  std::set<std::string> all;
  for (std::sregex_iterator at(text.begin(), text.end(), name); at != std::sregex_iterator(); ++at)
    all.insert((*at)[1]);
  return all;
}

TEST_F(MetricsTest, WithoutAnEventEveryFamilyIsThereAsItIsDocumented) {
  const std::string documented = test::contents(test::project_file("docs/server.md"));
  const auto begin = documented.find("| metric | what it counts |");
  ASSERT_NE(begin, std::string::npos);
  const std::string table = documented.substr(begin, documented.find("\n\n", begin) - begin);
  const ClusterFigures cluster{.is_reachable = true};
  EXPECT_EQ(names(metrics.text({.time = time, .cluster = cluster}), "# TYPE "), names(table, "`"));
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 0);
  EXPECT_EQ(sample("dictum_text_latency_seconds_count"), 0);
}

TEST_F(MetricsTest, AClusterIsCountedByStreamQueueAndMachine) {
  ClusterFigures cluster{.is_reachable = true};
  cluster.streams.push_back({.name = "DICTUM_JOBS", .messages = 3, .bytes = 99, .max_bytes = 1000, .oldest_sec = 1.5});
  cluster.queues.push_back({.name = "live-default", .waiting = 2, .under_way = 1, .redelivered = 1});
  cluster.machines.push_back({.name = "gpu\"7", .workers = 4, .busy = 1, .done = 20, .failed = 2});
  const auto all = parse_exposition(metrics.text({.time = time, .cluster = cluster, .cluster_age_sec = 7}));
  const std::map<std::string, double> wanted{{"dictum_cluster_reachable", 1},
                                             {"dictum_cluster_age_seconds", 7},
                                             {"dictum_cluster_stream_oldest_seconds{stream=\"DICTUM_JOBS\"}", 1.5},
                                             {"dictum_cluster_jobs_redelivered{queue=\"live-default\"}", 1},
                                             {"dictum_cluster_workers_busy{machine=\"gpu\\\"7\"}", 1},
                                             {"dictum_cluster_jobs_done_total{machine=\"gpu\\\"7\"}", 20}};
  for (const auto& [name, value] : wanted) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(all.at(name), value) << name;
  }
}

TEST_F(MetricsTest, AClusterThatDoesNotAnswerIsOneSample) {
  const auto all = parse_exposition(metrics.text({.time = time, .cluster = ClusterFigures{}}));
  EXPECT_EQ(all.at("dictum_cluster_reachable"), 0);
  EXPECT_FALSE(all.contains("dictum_cluster_workers{machine=\"\"}"));
}

TEST_F(MetricsTest, CapturedAudioIsThatOfTheClockWithoutItsGaps) {
  begin();
  pass(10);
  take(AudioLevel{});
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 10);
  pass(4);
  take(AudioGap{.start_frame = 160000, .frames = 64000, .reason = GapReason::device_lost});
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 10);
  EXPECT_EQ(sample("dictum_audio_gaps_total{reason=\"device_lost\"}"), 1);
  pass(2);
  take(RecordingStateChanged{.state = RecordingState::idle});
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 12);
  pass(100);
  take(AudioLevel{});
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 12);
}

TEST_F(MetricsTest, AudioIsCountedOnceTheRateOfItsSessionIsKnown) {
  Metrics::Recorder own = &frame;
  metrics.begin(own, 0);
  take(own, RecordingStateChanged{.state = RecordingState::recording, .is_recording = true});
  pass(3);
  take(own, RecordingStateChanged{.state = RecordingState::idle});
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 0);
  EXPECT_TRUE(metrics.lacks_sample_rate("20261122_154501"));
  metrics.set_sample_rate("20261122_154501", 48000);
  EXPECT_EQ(sample("dictum_audio_captured_seconds_total"), 1);
  EXPECT_FALSE(metrics.lacks_sample_rate("20261122_154501"));
}

TEST_F(MetricsTest, ASessionWhoseRateCannotBeReadIsForgottenAtItsEnd) {
  Metrics::Recorder own = &frame;
  metrics.begin(own, 0);
  take(own, RecordingStateChanged{.state = RecordingState::recording, .is_recording = true});
  metrics.set_sample_rate("20261122_154501", 0);  // not written yet
  EXPECT_TRUE(metrics.lacks_sample_rate("20261122_154501"));
  take(own, RecordingStateChanged{.state = RecordingState::idle});
  EXPECT_TRUE(metrics.lacks_sample_rate("20261122_154501"));
  metrics.set_sample_rate("20261122_154501", 0);
  EXPECT_FALSE(metrics.lacks_sample_rate("20261122_154501"));
}

TEST_F(MetricsTest, ASegmentThatWaitsIsForgottenOnceTheNextSessionBegins) {
  begin();
  take(TranscriptionQueued{.segment_index = 0, .wav_path = "seg_0000.wav"});
  Event event{.session = "20261122_160000", .sequence = 0, .timestamp = time, .frame = 0, .body = {}};
  event.body = RecordingStateChanged{.state = RecordingState::recording, .is_recording = true};
  metrics.take(this, event);
  TranscriptionComplete complete;
  complete.success = true;
  take(complete);
  EXPECT_EQ(sample("dictum_text_latency_seconds_count"), 0);
  EXPECT_EQ(sample("dictum_texts_total{success=\"true\"}"), 1);
}

TEST_F(MetricsTest, LatencyIsMeasuredFromTheQueueToTheText) {
  begin();
  take(SpeechEnded{.segment_index = 0, .kept = true});
  take(SpeechEnded{.segment_index = 1, .kept = false});
  take(TranscriptionQueued{.segment_index = 0, .wav_path = "seg_0000.wav"});
  pass(3);
  TranscriptionComplete complete;
  complete.success = true;
  take(complete);
  complete.revision = 1;
  take(complete);
  const auto all = samples();
  EXPECT_EQ(all.at("dictum_text_latency_seconds_bucket{le=\"2.5\"}"), 0);
  EXPECT_EQ(all.at("dictum_text_latency_seconds_bucket{le=\"5\"}"), 1);
  EXPECT_EQ(all.at("dictum_text_latency_seconds_count"), 1);
  EXPECT_THAT(all.at("dictum_text_latency_seconds_sum"), DoubleNear(3, 1e-9));
  EXPECT_EQ(all.at("dictum_segments_total{kept=\"true\"}"), 1);
  EXPECT_EQ(all.at("dictum_segments_total{kept=\"false\"}"), 1);
  EXPECT_EQ(all.at("dictum_texts_total{success=\"true\"}"), 2);
}

TEST_F(MetricsTest, TheQueueAgesUntilItIsEmptyOrItsRecorderIsGone) {
  take(QueueStatus{.queued_jobs = 2, .completed_transcriptions = 0, .oldest_sec = 5});
  pass(10);
  EXPECT_EQ(sample("dictum_queue_length"), 2);
  EXPECT_EQ(sample("dictum_queue_oldest_seconds"), 15);
  metrics.end(this);
  EXPECT_EQ(sample("dictum_queue_length"), 0);
  EXPECT_EQ(sample("dictum_queue_oldest_seconds"), 0);
}

TEST_F(MetricsTest, AWorkerIsRestartedWhereItStartsAfterAFailure) {
  const auto worker = [&](WorkerState state) {
    take(WorkerStatus{.worker = "whisper-0", .state = state, .reason = {}});
  };
  worker(WorkerState::starting);
  worker(WorkerState::ready);
  EXPECT_EQ(sample("dictum_worker_restarts_total"), 0);
  worker(WorkerState::failed);
  worker(WorkerState::starting);
  worker(WorkerState::stopped);
  worker(WorkerState::starting);
  EXPECT_EQ(sample("dictum_worker_restarts_total"), 1);
}

TEST_F(MetricsTest, LabelsAreEscaped) {
  take(RecorderFault{.code = "a\"b\\c\nd", .message = {}});
  metrics.count_response(404);
  metrics.count_response(404);
  const auto all = samples();
  EXPECT_EQ(all.at(R"(dictum_faults_total{code="a\"b\\c\nd"})"), 1);
  EXPECT_EQ(all.at("dictum_http_responses_total{status=\"404\"}"), 2);
}

TEST(EventFeedLag, IsThatOfTheWatcherWhichIsFurthestBehind) {
  EventFeed feed;
  for (std::uint64_t i = 0; i < 7; ++i) feed.take({.session = "a", .sequence = i, .body = SpeechDetected{}});
  EXPECT_EQ(feed.lag(), 0U);
  const EventCursor all{{"a", 7}};
  const EventCursor some{{"a", 2}};
  const EventFeed::Watch quick(feed, [] {}, &all);
  const EventFeed::Watch slow(feed, [] {}, &some);
  EXPECT_EQ(feed.lag(), 5U);
  EXPECT_EQ(feed.watchers(), 2U);
}

}  // namespace
}  // namespace dictum::server
