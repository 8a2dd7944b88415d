#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <fstream>
#include <iterator>

#include "program_fixture.hpp"
#include "support/sounds.hpp"
#include "support/test_data.hpp"
#include "vad/detector.hpp"

namespace dictum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AnalyzeCommand : public test::ProgramTest {
 protected:
  boost::json::object analysis(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"analyze", "--json"});
    const auto result = run(std::move(arguments));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return boost::json::parse(result.out).as_object();
  }
};

class AnalyzeParity : public AnalyzeCommand, public testing::WithParamInterface<const char*> {};

TEST_P(AnalyzeParity, ProbabilitiesAreThoseOfTheOfficialModel) {
  if (!vad::embedded_weights()) GTEST_SKIP() << "this build has no Silero model";
  DICTUM_TEST_DATA_OR_SKIP(recording, std::string("audio/") + GetParam() + ".wav");
  DICTUM_TEST_DATA_OR_SKIP(official, std::string("vad/") + GetParam() + ".probs.txt");
  std::ifstream file(official);
  const std::vector<double> expected{std::istream_iterator<double>(file), {}};
  const auto document = analysis({recording});
  const auto& found = document.at("probabilities").as_array();
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, std::abs(found[i].to_number<double>() - expected[i]));
  EXPECT_LE(largest, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Recordings, AnalyzeParity, testing::Values("jfk", "radio", "conversation"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(AnalyzeCommand, SaysWhatTheFileIsAndWhereItHoldsSpeech) {
  const auto document = analysis({"--vad", "energy", tone()});
  EXPECT_EQ(document.at("sample_rate").as_int64(), 16000);
  EXPECT_EQ(document.at("frames").as_int64(), 7 * 16000);
  EXPECT_EQ(document.at("window").as_int64(), 512);
  ASSERT_EQ(document.at("segments").as_array().size(), 1U);
  const auto& segment = document.at("segments").as_array()[0].as_object();
  EXPECT_NEAR(segment.at("speech_start_frame").to_number<double>(), 2 * 16000, 1600);
  EXPECT_NEAR(segment.at("speech_end_frame").to_number<double>(), 3.5 * 16000, 1600);
  EXPECT_TRUE(segment.at("kept").as_bool());
}

TEST_F(AnalyzeCommand, TakesTheOptionsOfARecording) {
  const auto input = beeps(4);
  EXPECT_EQ(analysis({"--vad", "energy", "--min-silence-ms", "800", input}).at("segments").as_array().size(), 1U);
  EXPECT_EQ(analysis({"--vad", "energy", "--min-silence-ms", "200", input}).at("segments").as_array().size(), 4U);
}

TEST_F(AnalyzeCommand, DrawsATimelineForAPerson) {
  const auto result = run({"analyze", "--vad", "energy", tone()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("segment   0  speech"));
}

TEST_F(AnalyzeCommand, SaysThatSamplesWereNoNumbers) {
  std::string data;
  for (int i = 0; i < 16000; ++i) data.append("\0\0\xC0\x7F", 4);
  test::write_bytes(folder / "nan.wav", test::RawWAV{.bits = 32, .is_float = true, .data = data}.bytes());
  const auto result = run({"analyze", "--json", folder / "nan.wav"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("16000 samples that are no numbers")));
}

}  // namespace
}  // namespace dictum
