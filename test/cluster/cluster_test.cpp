#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/base64.hpp"
#include "cluster/administration.hpp"
#include "cluster/envelope.hpp"
#include "cluster/jet_stream.hpp"
#include "cluster/names.hpp"
#include "cluster/remote_job.hpp"
#include "cluster/server_files.hpp"
#include "cluster/sound.hpp"
#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Names.

TEST(ClusterNames, WhatNATSGivesAMeaningIsNeverPartOfASubject) {
  EXPECT_EQ(token("base-q8_0"), "base-q8_0");
  EXPECT_EQ(token("a.b*c>d e\n"), "a_b_c_d_e_");
  EXPECT_EQ(token(""), "_");
  EXPECT_EQ(job_subject(Urgency::live, "large.v3"), "dictum.jobs.live.large_v3");
  EXPECT_EQ(consumer_name(Urgency::background, "large.v3"), "background-large_v3");
}

TEST(ClusterNames, QueuesAreThoseOfTheSettingElseTheModelsAndTheDefaultOne) {
  EXPECT_THAT(queues_of("german, english,,", "base"), ElementsAre("german", "english"));
  EXPECT_THAT(queues_of("", "base"), ElementsAre("base", "default"));
  EXPECT_THAT(queues_of(" , ", ""), ElementsAre("default"));
}

TEST(ClusterNames, ARecorderHasOneQueue) {
  EXPECT_EQ(queue_of_recorder("german", "base"), "german");
  EXPECT_EQ(queue_of_recorder("", "base"), "base");
  EXPECT_EQ(queue_of_recorder("", ""), "default");
  try {
    queue_of_recorder("german,english", "base");
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::config_invalid);
  }
}

TEST(ClusterNames, TriesOfEachGenerationAreCountedInTheStreamOfTheResults) {
  EXPECT_EQ(tries_subject("a-1-b", 2), "dictum.results.tries-a-1-b-2");
}

TEST(ClusterNames, EveryStreamIsBoundedInBytesAndAge) {
  const auto configs = stream_configs(3);
  ASSERT_EQ(configs.size(), 4U);
  for (const auto& config : configs) {
    EXPECT_GT(config.at("max_bytes").as_int64(), 0);
    EXPECT_GT(config.at("max_age").as_int64(), 0);
    EXPECT_EQ(config.at("num_replicas").as_int64(), 3);
  }
}

// The rules of one job.

std::vector<std::string> names(const RemoteJob::Actions& actions) {
  std::vector<std::string> all;
  for (const auto& action : actions) {
    constexpr const char* kNames[] = {"look up result", "publish", "look up job", "withdraw", "finish"};
    std::string name = kNames[action.index()];
    if (const auto* publish = std::get_if<RemoteJob::Publish>(&action)) {
      name += " " + std::to_string(publish->generation);
    }
    all.push_back(name);
  }
  return all;
}

class ARemoteJob : public testing::Test {
 protected:
  template <class... Parameters, class... Arguments>
  std::vector<std::string> after(void (RemoteJob::*input)(Parameters...), Arguments&&... arguments) {
    RemoteJob::Actions actions;
    (job_.*input)(std::forward<Arguments>(arguments)..., actions);
    return names(actions);
  }
  std::vector<std::string> after_look_up(std::optional<RemoteJob::Result> stored) {
    return after(&RemoteJob::result_looked_up, stored);
  }
  void wait_for_result(std::uint64_t sequence = 7) {
    after(&RemoteJob::start);
    after_look_up(std::nullopt);
    after(&RemoteJob::published, sequence, false);
    ASSERT_EQ(job_.state(), RemoteJob::State::waiting);
  }
  RemoteJob job_;
};

TEST_F(ARemoteJob, IsPublishedOnceAndFinishesWithItsResult) {
  EXPECT_THAT(after(&RemoteJob::start), ElementsAre("look up result"));
  EXPECT_THAT(after_look_up(std::nullopt), ElementsAre("publish 0"));
  EXPECT_THAT(after(&RemoteJob::published, 7U, false), ElementsAre());
  EXPECT_THAT(after(&RemoteJob::result_arrived, RemoteJob::Result{}), ElementsAre("finish"));
  EXPECT_THAT(after(&RemoteJob::result_arrived, RemoteJob::Result{}), ElementsAre()) << "a second delivery";
}

TEST_F(ARemoteJob, IsNotPublishedWhereItsTextIsStoredFromAnEarlierTime) {
  after(&RemoteJob::start);
  EXPECT_THAT(after_look_up(RemoteJob::Result{.generation = 2}), ElementsAre("finish"));
}

TEST_F(ARemoteJob, IsTriedAgainWhereItFailedAnEarlierTime) {
  after(&RemoteJob::start);
  EXPECT_THAT(after_look_up(RemoteJob::Result{.generation = 2, .is_error = true}), ElementsAre("publish 3"));
  after(&RemoteJob::published, 9U, false);
  EXPECT_THAT(after(&RemoteJob::result_arrived, RemoteJob::Result{.generation = 2, .is_error = true}), ElementsAre());
  EXPECT_THAT(after(&RemoteJob::result_arrived, RemoteJob::Result{.generation = 3, .is_error = true}),
              ElementsAre("finish"));
}

TEST_F(ARemoteJob, IsPublishedAgainWhereNeitherItNorItsResultIsThere) {
  wait_for_result();
  EXPECT_THAT(after(&RemoteJob::check_due), ElementsAre("look up job"));
  EXPECT_THAT(after(&RemoteJob::job_looked_up, true), ElementsAre()) << "it waits, or a worker has it";
  after(&RemoteJob::check_due);
  EXPECT_THAT(after(&RemoteJob::job_looked_up, false), ElementsAre("look up result"));
  EXPECT_THAT(after_look_up(std::nullopt), ElementsAre("publish 1"));
}

TEST_F(ARemoteJob, FindsAResultThatWasLostOnItsWay) {
  wait_for_result();
  after(&RemoteJob::check_due);
  after(&RemoteJob::job_looked_up, false);
  EXPECT_THAT(after_look_up(RemoteJob::Result{}), ElementsAre("finish"));
}

TEST_F(ARemoteJob, IsDoneAgainWherePiecesOfItsResultAreMissing) {
  after(&RemoteJob::start);
  after_look_up(RemoteJob::Result{.generation = 2});
  EXPECT_THAT(after(&RemoteJob::result_is_incomplete), ElementsAre("publish 3"));
  after(&RemoteJob::published, 9U, false);
  EXPECT_THAT(after(&RemoteJob::result_arrived, RemoteJob::Result{.generation = 3}), ElementsAre("finish"));
}

TEST_F(ARemoteJob, IsLookedForWhereItsStreamHadItBefore) {
  after(&RemoteJob::start);
  after_look_up(std::nullopt);
  EXPECT_THAT(after(&RemoteJob::published, 7U, true), ElementsAre("look up job")) << "it may have been withdrawn";
}

TEST_F(ARemoteJob, IsTakenOutOfItsStreamWhereNobodyWantsItsText) {
  wait_for_result();
  EXPECT_THAT(after(&RemoteJob::cancel), ElementsAre("withdraw"));
  EXPECT_THAT(after(&RemoteJob::result_arrived, RemoteJob::Result{}), ElementsAre());
}

TEST_F(ARemoteJob, LeavesNothingBehindWhereItIsCancelledBeforeItIsStored) {
  after(&RemoteJob::start);
  EXPECT_THAT(after(&RemoteJob::cancel), ElementsAre());
  EXPECT_THAT(after_look_up(std::nullopt), ElementsAre());
}

// Messages.

transcription::Job a_job() {
  return {.id = 3,
          .wav = "/home/somebody/seg_0004.wav",
          .range = transcription::FrameRange{0, 100},
          .language = "de",
          .phrases = {"end note"},
          .vocabulary = {"Tallinn"},
          .session = "20261126_120000",
          .segment_index = 4,
          .background = true};
}

Sound a_sound(std::size_t frames, int rate = 16000) {
  Sound sound{.samples = std::vector<std::int16_t>(frames), .sample_rate = rate, .first_frame = 0};
  for (std::size_t i = 0; i < frames; ++i) {
    sound.samples[i] = static_cast<std::int16_t>(8000 * std::sin(static_cast<double>(i * i % 9973) / 50));
  }
  return sound;
}

TEST(ClusterEnvelope, CarriesAJobWithoutThePathsOfItsRecorder) {
  const JobHeader header{
      .id = job_id(a_job(), "base", "flac"), .generation = 2, .sample_rate = 48000, .frames = 100, .job = a_job()};
  const Packed packed = pack(to_json(header), "sound", 1 << 20);
  EXPECT_TRUE(packed.pieces.empty());
  EXPECT_THAT(packed.message, testing::Not(HasSubstr("somebody")));
  const Envelope envelope = unpack(packed.message);
  EXPECT_EQ(envelope.body, "sound");
  const JobHeader read = job_header(envelope.header);
  EXPECT_EQ(read.id, header.id);
  EXPECT_EQ(read.generation, 2U);
  EXPECT_EQ(read.job.vocabulary, header.job.vocabulary);
  EXPECT_EQ(read.job.language, "de");
  EXPECT_TRUE(read.job.background);
}

TEST(ClusterEnvelope, TheIDSaysWhatIsAskedAndNotHowOften) {
  const std::string id = job_id(a_job(), "base", "flac");
  EXPECT_THAT(id, StartsWith("20261126_120000-4-"));
  auto again = a_job();
  again.id = 9;
  again.attempt = 3;
  again.wav = "/elsewhere.wav";
  again.background = false;
  EXPECT_EQ(job_id(again, "base", "flac"), id);
  EXPECT_NE(job_id(a_job(), "large", "flac"), id);
  EXPECT_NE(job_id(a_job(), "base", "FLAC"), id);
  again.vocabulary = {"Riga"};
  EXPECT_NE(job_id(again, "base", "flac"), id);
}

TEST(ClusterEnvelope, ABodyOfAnySizeFitsThePayloadLimitToTheByte) {
  const JobHeader header{.id = "a", .generation = 0, .sample_rate = 1, .frames = 1, .job = a_job()};
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, (std::size_t{1} << 20) - 1, std::size_t{1} << 20, (std::size_t{3} << 20) + 1}) {
    const std::string body(size, 'x');
    const Packed packed = pack(to_json(header), body, 1 << 20);
    std::string whole;
    EXPECT_LE(packed.message.size(), std::size_t{1} << 20);
    for (const std::string& piece : packed.pieces) {
      EXPECT_LE(piece.size(), std::size_t{1} << 20);
      whole += piece;
    }
    const Envelope envelope = unpack(packed.message);
    EXPECT_EQ(envelope.pieces, packed.pieces.size());
    EXPECT_EQ(envelope.bytes, size);
    EXPECT_EQ(envelope.pieces == 0 ? envelope.body : whole, body);
  }
}

TEST(ClusterEnvelope, APayloadLimitThatIsTooLowIsNamedWithItsSetting) {
  const JobHeader header{.id = "a", .generation = 0, .sample_rate = 1, .frames = 1, .job = a_job()};
  try {
    pack(to_json(header), "sound", 1100);
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_THAT(error.what(), HasSubstr("max_payload"));
  }
}

TEST(ClusterEnvelope, WhatIsNoMessageIsRefused) {
  const JobHeader header{.id = "a", .generation = 0, .sample_rate = 1, .frames = 1, .job = a_job()};
  const std::string good = pack(to_json(header), "sound", 1 << 20).message;
  EXPECT_NO_THROW(unpack(good));
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_THROW(unpack(good.substr(0, size)), RecorderError);
  EXPECT_THROW(unpack(good + "x"), RecorderError);
  EXPECT_THROW(unpack(std::string("\xff\xff\xff\xff{}", 6)), RecorderError);
  auto wrong = to_json(header);
  wrong["id"] = "a.>";
  EXPECT_THROW(job_header(wrong), RecorderError);
  wrong["id"] = "a";
  wrong["job"] = "x";
  EXPECT_THROW(job_header(wrong), RecorderError);
  EXPECT_THROW(result_header({{"id", 1}}), RecorderError);
}

TEST(ClusterEnvelope, StoredBytesAreReadFromBase64) {
  for (const auto& [text, bytes] :
       {std::pair("", ""), {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"+/+/", "\xfb\xff\xbf"}}) {
    EXPECT_EQ(from_base64(text), bytes);
  }
  for (const char* wrong : {"Z", "Zg", "Zg=", "Zh==", "Zm9v=", "Zm_v", "===="})
    EXPECT_FALSE(from_base64(wrong)) << wrong;
}

TEST(ClusterDelivery, IsReadFromTheReplySubjectOldAndNew) {
  const auto old_form = delivery_of("$JS.ACK.DICTUM_JOBS.live-default.2.17.18.1700000000000000000.4");
  ASSERT_TRUE(old_form);
  EXPECT_EQ(old_form->deliveries, 2U);
  EXPECT_EQ(old_form->sequence, 17U);
  const auto new_form = delivery_of("$JS.ACK._.hash.DICTUM_JOBS.live-default.3.19.20.1700000000000000000.4.random");
  ASSERT_TRUE(new_form);
  EXPECT_EQ(new_form->deliveries, 3U);
  EXPECT_EQ(new_form->sequence, 19U);
  EXPECT_FALSE(delivery_of("_INBOX.abc.1"));
  EXPECT_FALSE(delivery_of("$JS.ACK.a.b.x.y.z.1.2"));
  EXPECT_FALSE(delivery_of(""));
}

// Sound.

TEST(ClusterSound, IsTheSameAfterFLAC) {
  for (const int rate : {8000, 16000, 44100, 48000, 192000}) {
    const Sound sound = a_sound(20011, rate);
    const Sound back = from_flac(to_flac(sound), sound.frames());
    EXPECT_EQ(back.samples, sound.samples);
    EXPECT_EQ(back.sample_rate, rate);
  }
  EXPECT_EQ(from_flac(to_flac(a_sound(1)), 1).frames(), 1);
}

TEST(ClusterSound, NoMoreIsReadThanAJobMayHave) {
  EXPECT_EQ(from_flac(to_flac(a_sound(20000)), 300).frames(), 300);
  EXPECT_THROW(from_flac("not FLAC", 300), RecorderError);
  EXPECT_THROW(from_flac("", 300), RecorderError);
}

TEST(ClusterSound, ARangeKeepsItsPlaceInTheFile) {
  const test::TemporaryDirectory folder;
  const auto path = folder.path() / "a.wav";
  const Sound sound = a_sound(16000);
  write_wav(path, sound);
  const Sound part = read_sound(path, transcription::FrameRange{4000, 99999});
  EXPECT_EQ(part.first_frame, 4000);
  EXPECT_EQ(part.frames(), 12000);
  EXPECT_EQ(part.samples.front(), sound.samples[4000]);
  EXPECT_EQ(read_sound(path, std::nullopt).samples, sound.samples);
  std::filesystem::create_symlink(path, folder.path() / "link.wav");
  EXPECT_THROW(read_sound(folder.path() / "link.wav", std::nullopt), RecorderError);
}

// For people.

TEST(ClusterServerFiles, AreForTheirOwnerAloneAndNeverReplaced) {
  const test::TemporaryDirectory folder;
  const auto files = write_server_files(folder.path() / "c", {.servers = 3, .hosts = {"a", "b", "c"}});
  EXPECT_EQ(files.size(), 6U);
  for (const auto& file : files) {
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  EXPECT_THROW(write_server_files(folder.path() / "c", {}), RecorderError);
  EXPECT_THROW(write_server_files(folder.path() / "d", {.servers = 2}), RecorderError);
  EXPECT_THROW(write_server_files(folder.path() / "d", {.servers = 3, .hosts = {"a"}}), RecorderError);
}

TEST(ClusterSettings, APasswordInTheAddressIsNeverShown) {
  const NATSSettings settings{.url = "nats://user:secret@a:4222,tls://b"};
  EXPECT_EQ(settings.servers(), "a:4222, b");
}

}  // namespace
}  // namespace dictum::cluster
