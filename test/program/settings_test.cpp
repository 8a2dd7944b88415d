#include <fstream>

#include "program_fixture.hpp"
#include "session/manifest.hpp"

namespace dictum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Settings : public test::ProgramTest {
 protected:
  std::filesystem::path file(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
    return folder / name;
  }

  /// How many segments four seconds of beeps are: 4 where a silence of 200 ms ends one, 1 at the default of 800 ms.
  std::size_t segments(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) const {
    arguments.insert(arguments.end(), {"--no-transcribe", "--vad", "energy", "--input", beeps(4)});
    auto settings = record(std::move(arguments));
    for (const auto& [name, value] : environment) settings.environment[name] = value;
    const auto result = test::run_program(settings);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return session::read_manifest(session()).segments.size();
  }

  void expect_wrong_use(const test::ProgramResult& result, const testing::Matcher<std::string>& says) const {
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(test::lines(result.err), ElementsAre(says));
    EXPECT_THAT(sessions(), IsEmpty());
  }
};

constexpr const char* kShort = "[vad]\nmin_silence_ms = 200\n";
constexpr const char* kLong = "[vad]\nmin_silence_ms = 900\n";

TEST_F(Settings, HoldByDefault) {
  EXPECT_EQ(segments({}), 1U);
}

TEST_F(Settings, AreTakenFromTheFileThatIsNamed) {
  EXPECT_EQ(segments({"--config", file("c.toml", kShort)}), 4U);
}

TEST_F(Settings, AreTakenFromTheUsualPlace) {
  file("config/dictum/config.toml", kShort);
  EXPECT_EQ(segments({}), 4U);
}

TEST_F(Settings, OfTheEnvironmentsFileBeatThoseOfTheUsualPlace) {
  file("config/dictum/config.toml", kLong);
  EXPECT_EQ(segments({}, {{"DICTUM_CONFIG", file("e.toml", kShort)}}), 4U);
}

TEST_F(Settings, OfTheNamedFileBeatThoseOfTheEnvironments) {
  EXPECT_EQ(segments({"--config", file("c.toml", kShort)}, {{"DICTUM_CONFIG", file("e.toml", kLong)}}), 4U);
}

TEST_F(Settings, OnTheCommandLineBeatTheFile) {
  EXPECT_EQ(segments({"--config", file("c.toml", kLong), "--min-silence-ms", "200"}), 4U);
}

TEST_F(Settings, LongNoteModeWaitsLonger) {
  EXPECT_EQ(segments({"--min-silence-ms", "200", "--mode", "long_note"}), 1U);
}

TEST_F(Settings, AnUnknownKeyNamesTheNearest) {
  expect_wrong_use(
      test::run_program(record({"--config", file("c.toml", "[vad]\ntreshold = 0.4\n"), "--input", tone()})),
      testing::AllOf(HasSubstr("c.toml:2"), HasSubstr("\"vad.threshold\"")));
}

TEST_F(Settings, AFileThatIsNoTOMLIsRefused) {
  expect_wrong_use(test::run_program(record({"--config", file("c.toml", "[vad\n"), "--input", tone()})),
                   HasSubstr("c.toml:1"));
}

TEST_F(Settings, AFileThatIsMissingIsRefused) {
  expect_wrong_use(test::run_program(record({"--config", folder / "none.toml", "--input", tone()})),
                   HasSubstr("none.toml"));
}

TEST_F(Settings, AMissingFileOfTheEnvironmentIsRefused) {
  auto settings = record({"--input", tone()});
  settings.environment["DICTUM_CONFIG"] = folder / "none.toml";
  expect_wrong_use(test::run_program(settings), HasSubstr("none.toml"));
}

TEST_F(Settings, AnOptionThatIsNoNumberIsRefused) {
  expect_wrong_use(test::run_program(record({"--min-silence-ms", "long", "--input", tone()})),
                   testing::AllOf(HasSubstr("--min-silence-ms"), HasSubstr("a whole number")));
}

TEST_F(Settings, AnOptionOutOfRangeSaysTheRange) {
  expect_wrong_use(test::run_program(record({"--vad-threshold", "2", "--input", tone()})), HasSubstr("0.95"));
}

TEST_F(Settings, AnOptionThatIsNoneOfTheChoicesSaysThem) {
  expect_wrong_use(test::run_program(record({"--pace", "slow", "--input", tone()})), HasSubstr("realtime, fast"));
}

TEST_F(Settings, ALanguageThatTheTranscriberDoesNotKnowFailsTheStartWithTheNearest) {
  const auto result =
      test::run_program(record({"--transcriber", "pocketsphinx", "--language", "klingon", "--input", tone()}));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, testing::AllOf(HasSubstr("klingon"), HasSubstr("\"en\"")));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(Settings, AModelThatIsNotThereFailsTheStart) {
  const auto result =
      test::run_program(record({"--transcriber", "pocketsphinx", "--model", "no-such", "--input", tone()}));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("no-such"));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(Settings, ALanguageWithAnUnderscoreIsRefusedWithTheRightTag) {
  expect_wrong_use(test::run_program(record({"--language", "en_US", "--input", tone()})), HasSubstr("\"en-US\""));
}

TEST_F(Settings, AVocabularyFileThatIsMissingFailsTheStart) {
  const auto result =
      test::run_program(record({"--no-transcribe", "--vocabulary-file", folder / "names.txt", "--input", tone()}));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("names.txt"));
  EXPECT_THAT(sessions(), IsEmpty());
}

}  // namespace
}  // namespace dictum
