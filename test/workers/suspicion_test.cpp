#include "suspicion.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/test_data.hpp"
#include "test_wav.hpp"
#include "worker_audio.hpp"

namespace dictum::workers {
namespace {

constexpr double kLoud = -20;

TEST(Suspicion, TrustsWhatWasSaidAloud) {
  EXPECT_EQ(suspicion({"and so my fellow Americans", 2.5, kLoud, 0.1, -0.3}), "");
  EXPECT_EQ(suspicion({"and so my fellow Americans", 2.5, kLoud}), "");
}

TEST(Suspicion, HasNothingAgainstNoTextOfSilence) {
  EXPECT_EQ(suspicion({"", 2.5, -120, 1.0, -5.0}), "");
  EXPECT_EQ(suspicion({"", 0.4, kLoud}), "") << "too short to be a word";
}

TEST(Suspicion, DoubtsThatSoundHasNoText) {
  EXPECT_NE(suspicion({"", 2.5, kLoud}), "");
  EXPECT_NE(suspicion({" ...", 2.5, kLoud}), "");
}

TEST(Suspicion, DoubtsTextOnSilence) {
  EXPECT_NE(suspicion({"Thank you for watching.", 5, -70}), "");
}

TEST(Suspicion, DoubtsWhatTheEngineDoubts) {
  EXPECT_NE(suspicion({"Thank you.", 5, kLoud, 0.7}), "");
  EXPECT_NE(suspicion({"Thank you.", 5, kLoud, 0.1, -1.4}), "");
}

TEST(Suspicion, DoubtsMoreWordsThanAnybodySpeaks) {
  EXPECT_NE(suspicion({"one two three four five six seven eight nine ten", 1, kLoud}), "");
}

TEST(Circles, AreWordsAndPhrasesOverAndOver) {
  EXPECT_TRUE(goes_in_circles("so so so so so so"));
  EXPECT_TRUE(goes_in_circles("I am going to the store. I am going to the store. I am going to the store."));
  EXPECT_TRUE(goes_in_circles("Plan 2.2.2.0.0.0.0.0.0.0.0.0.0.0.0"));
  EXPECT_TRUE(goes_in_circles("well, thank you. Thank you. Thank you! Thank you."));
}

TEST(Circles, AreNotWhatPeopleRepeat) {
  EXPECT_FALSE(goes_in_circles("no no no"));
  EXPECT_FALSE(goes_in_circles("ask not what your country can do for you ask what you can do for your country"));
  EXPECT_FALSE(goes_in_circles(
      "row row row your boat gently down the stream merrily merrily merrily merrily life is but a dream"));
  EXPECT_FALSE(goes_in_circles(""));
}

TEST(Loudness, IsThatOfTheLoudestTenth) {
  std::vector<float> samples(kEngineRate);
  EXPECT_EQ(loudest_dbfs(samples), -120);
  const auto beep = test::tone(440, 0.2, kEngineRate);
  std::copy(beep.begin(), beep.end(), samples.begin() + kEngineRate / 2);
  EXPECT_NEAR(loudest_dbfs(samples), -9.03, 0.1);
  EXPECT_EQ(loudest_dbfs({}), -120);
}

TEST(Loudness, OfRealSpeechIsFarFromSilence) {
  for (const char* name : {"jfk", "conversation", "radio", "librivox/0930"}) {
    DICTUM_TEST_DATA_OR_SKIP(wav, std::string("audio/") + name + ".wav");
    EXPECT_GT(loudest_dbfs(read_worker_audio(wav).samples), -45) << name;
  }
}

}  // namespace
}  // namespace dictum::workers
