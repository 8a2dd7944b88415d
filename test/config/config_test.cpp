#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

#include "config/config_fields.hpp"
#include "config/config_json.hpp"
#include "config/note_phrases.hpp"
#include "config/vocabulary.hpp"
#include "dictum/error.hpp"
#include "dictum/settings.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

RecorderConfig read(std::string_view text) {
  RecorderConfig config;
  read_config_text(config, text, "config.toml");
  return config;
}

/// The sentence that refuses `text`; empty where it is taken.
std::string refusal(std::string_view text) {
  try {
    read(text);
    return {};
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::config_invalid);
    return error.what();
  }
}

/// Sets a variable of the environment while it lives.
class Variable {
 public:
  Variable(const char* name, const std::filesystem::path& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(Config, EverySettingOfAFileIsRead) {
  const RecorderConfig config = read(R"(
    [capture]
    input = "talk.wav"
    channel = 1
    pace = "fast"
    block_frames = 160
    [vad]
    detector = "energy"
    threshold = 0.6
    mode = "long_note"
    min_silence_ms = 900
    [transcription]
    transcriber = "simulated"
    workers = 3
    [transcription.simulated]
    script = "script.json"
    [session]
    root = "/sessions"
    keep_all = true
    [events]
    level_hz = 12.5
  )");
  EXPECT_EQ(config.capture.input, "talk.wav");
  EXPECT_EQ(config.capture.channel, "1");
  EXPECT_EQ(config.capture.pace, "fast");
  EXPECT_EQ(config.capture.block_frames, 160);
  EXPECT_EQ(config.vad.detector, "energy");
  EXPECT_EQ(config.vad.threshold, 0.6);
  EXPECT_EQ(config.vad.mode, VADMode::long_note);
  EXPECT_EQ(config.vad.min_silence_ms, 900);
  EXPECT_EQ(config.transcription.transcriber, "simulated");
  EXPECT_EQ(config.transcription.workers, 3);
  EXPECT_EQ(config.transcription.simulated_script, "script.json");
  EXPECT_EQ(config.session.root, "/sessions");
  EXPECT_TRUE(config.session.keep_all);
  EXPECT_EQ(config.events.level_hz, 12.5);
}

TEST(Config, WhatAFileDoesNotNameKeepsItsDefault) {
  EXPECT_EQ(read("[vad]\nthreshold = 0.6").vad.min_silence_ms, 800);
}

TEST(Config, AnEmptyFileIsNoError) {
  EXPECT_EQ(refusal(""), "");
}

TEST(Config, AWholeNumberStandsForAFraction) {
  EXPECT_EQ(read("[vad]\nmax_segment_sec = 20").vad.max_segment_sec, 20.0);
}

TEST(Config, AnUnknownKeyNamesTheNearest) {
  EXPECT_THAT(refusal("[vad]\ntreshold = 0.5"), HasSubstr("\"vad.threshold\""));
}

TEST(Config, AnUnknownSectionNamesTheNearestKey) {
  EXPECT_THAT(refusal("[session]\n[sesion]\nroot = \"x\""), HasSubstr("\"session.root\""));
}

TEST(Config, AKeyOutsideOfItsSectionNamesTheNearest) {
  EXPECT_THAT(refusal("min_silence_ms = 300"), HasSubstr("\"vad.min_silence_ms\""));
}

TEST(Config, AnEmptyTextIsAnErrorAndNotTheDefault) {
  for (const char* line : {"[capture]\ninput = \"\"", "[capture]\ndevice = \"\"", "[session]\nroot = \"\"",
                           "[transcription]\nlanguage = \"\""}) {
    EXPECT_THAT(refusal(line), HasSubstr("is empty")) << line;
  }
}

TEST(Config, AnErrorNamesTheFileAndTheLine) {
  EXPECT_THAT(refusal("[vad]\n\nthreshold = \"loud\""), StartsWith("config.toml:3: "));
}

TEST(Config, AnErrorInTheTOMLNamesTheFileAndTheLine) {
  EXPECT_THAT(refusal("[vad]\nthreshold = = 1"), StartsWith("config.toml:2: "));
}

TEST(Config, AKeyOfTooManyPartsIsRefusedBeforeTheParserRecurses) {
  std::string key = "a";
  for (int i = 0; i < 50'000; ++i) key += ".a";
  for (const std::string& text : {key + " = 1", "[" + key + "]", "[vad]\nx = { " + key + " = 1 }", "[[" + key + "]]"}) {
    EXPECT_THAT(refusal(text), HasSubstr("parts")) << text.substr(0, 20);
  }
}

TEST(Config, DotsInsideOfTextsAndBetweenNumbersAreNoParts) {
  EXPECT_EQ(refusal("[capture]\ndevice = \"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s\""), "");
  EXPECT_EQ(refusal("# ......................................\n"), "");
}

TEST(Config, LettersOutsideOfASCIIAreTextInQuotesAndAnErrorElsewhere) {
  EXPECT_EQ(read("[session]\nroot = \"/Gespräche\" # größer").session.root, "/Gespräche");
  EXPECT_THAT(refusal("[session]\n größe = 1"), StartsWith("config.toml:2: "));
  EXPECT_THAT(refusal("\n\xEF\xBB\xBD"), StartsWith("config.toml:2: "));
}

TEST(Config, ACarriageReturnInTheNameOfASectionIsAnErrorOfThatLine) {
  EXPECT_THAT(refusal("[\r\rnotes]"), StartsWith("config.toml:1: "));
  EXPECT_THAT(refusal("[vad]\n\rthreshold = 0.5"), StartsWith("config.toml:2: "));
}

TEST(Config, AValueOfAWrongKindSaysWhichKindIsMeant) {
  EXPECT_THAT(refusal("[vad]\nmin_silence_ms = 300.5"), HasSubstr("a whole number"));
  EXPECT_THAT(refusal("[vad]\nthreshold = true"), HasSubstr("a number"));
  EXPECT_THAT(refusal("[session]\nkeep_all = 1"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("[capture]\ninput = 1"), HasSubstr("a text in quotes"));
  EXPECT_THAT(refusal("[capture]\ninput = [\"a.wav\"]"), HasSubstr("a text in quotes"));
  EXPECT_THAT(refusal("[capture]\ninput = 2026-11-22"), HasSubstr("expected a text"));
}

TEST(Config, AVocabularyIsAListAndReplacementsAreATable) {
  const auto config = read(R"(
    [transcription]
    vocabulary = ["Kovacs", "Tallinn"]
    vocabulary_file = "names.txt"
    [transcription.replacements]
    "cube control" = "kubectl"
    postgres = "PostgreSQL"
  )")
                          .transcription;
  EXPECT_THAT(config.vocabulary, testing::ElementsAre("Kovacs", "Tallinn"));
  EXPECT_EQ(config.vocabulary_file, "names.txt");
  EXPECT_THAT(config.replacements,
              testing::ElementsAre(testing::Pair("cube control", "kubectl"), testing::Pair("postgres", "PostgreSQL")));
}

TEST(Config, WhatCannotBeATermOrACorrectionIsRefused) {
  EXPECT_THAT(refusal("[transcription]\nvocabulary = [\" \"]"), HasSubstr("an empty term"));
  EXPECT_THAT(refusal("[transcription]\nvocabulary = [\"a\\nb\"]"), HasSubstr("a control character"));
  EXPECT_THAT(refusal(fmt::format("[transcription]\nvocabulary = [\"{:a>101}\"]", "")),
              HasSubstr("more than 100 bytes"));
  EXPECT_THAT(refusal("[transcription]\nvocabulary = \"Kovacs\""), HasSubstr("a list of texts"));
  EXPECT_THAT(refusal("[transcription.replacements]\n\"...\" = \"x\""), HasSubstr("there is no word"));
  EXPECT_THAT(refusal("[transcription.replacements]\na = \"\""), HasSubstr("to nothing"));
  EXPECT_THAT(refusal("[transcription.replacements]\na = \"b\\nc\""), HasSubstr("not one line"));
  EXPECT_THAT(refusal("[transcription.replacements]\na = 1"), HasSubstr("a text in quotes"));
  EXPECT_THAT(refusal("[transcription]\nreplacements = \"a\""), HasSubstr("a table of texts"));
}

TEST(Config, ALanguageIsWrittenAsATag) {
  EXPECT_EQ(read("").transcription.language, "auto");
  EXPECT_EQ(refusal("[transcription]\nlanguage = \"en-GB\""), "");
  EXPECT_THAT(refusal("[transcription]\nlanguage = \"en_US\""), HasSubstr("write \"en-US\""));
  EXPECT_THAT(refusal("[transcription]\nlanguage = \"de_DE.UTF-8\""), HasSubstr("write \"de-DE\""));
}

TEST(Config, AVocabularyHasTheTermsOfItsFileToo) {
  const test::TemporaryDirectory folder;
  RecorderConfig::Transcription config;
  config.vocabulary = {"Kovacs"};
  config.vocabulary_file = folder.path() / "names.txt";
  std::ofstream(config.vocabulary_file) << "# towns\n  Tallinn \r\n\nTartu # in the south\nKovacs\nNarva";
  EXPECT_THAT(vocabulary_of(config), testing::ElementsAre("Kovacs", "Tallinn", "Tartu", "Narva"));
}

TEST(Config, AVocabularyFileThatIsMissingOrNoTextIsNamed) {
  const test::TemporaryDirectory folder;
  RecorderConfig::Transcription config;
  for (const auto& [content, code] : {std::pair<std::string, Errc>{"", Errc::input_not_found},
                                      {std::string(300, 'a'), Errc::config_invalid},
                                      {"good\n\xFF\n", Errc::config_invalid},
                                      {std::string("a\0b", 3), Errc::config_invalid}}) {
    config.vocabulary_file = folder.path() / "names.txt";
    if (!content.empty()) std::ofstream(config.vocabulary_file, std::ios::binary) << content;
    try {
      vocabulary_of(config);
      ADD_FAILURE() << "was taken";
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), make_error_code(code));
      EXPECT_THAT(error.what(), HasSubstr("names.txt"));
    }
  }
}

TEST(Config, AVocabularyFileThatNobodyCanHaveWrittenIsRefusedAndNotWaitedFor) {
  const test::TemporaryDirectory folder;
  ASSERT_EQ(::mkfifo((folder / "names.pipe").c_str(), 0600), 0);
  std::ofstream(folder / "names.huge") << "x";
  std::filesystem::resize_file(folder / "names.huge", std::uintmax_t{1} << 33);
  for (const std::filesystem::path& path :
       {folder / "names.pipe", folder / "names.huge", folder.path(), std::filesystem::path("/dev/zero")}) {
    RecorderConfig::Transcription config;
    config.vocabulary_file = path;
    EXPECT_THROW(vocabulary_of(config), RecorderError) << path;
  }
}

TEST(Config, AListOnACommandLineIsJSONOrHasCommas) {
  const auto& vocabulary = find_config_field("transcription", "vocabulary");
  const auto& replacements = find_config_field("transcription", "replacements");
  using Terms = std::vector<std::string>;
  using Table = std::map<std::string, std::string>;
  EXPECT_EQ(parse_config_value(vocabulary, "Kovacs, Tallinn"), ConfigValue(Terms{"Kovacs", "Tallinn"}));
  EXPECT_EQ(parse_config_value(vocabulary, R"(["a, b"])"), ConfigValue(Terms{"a, b"}));
  EXPECT_EQ(parse_config_value(replacements, R"({"a": "b"})"), ConfigValue(Table{{"a", "b"}}));
  EXPECT_EQ(parse_config_value(replacements, "a=b"), ConfigValue(std::string("a=b")));
}

TEST(Config, ANumberOutOfRangeSaysTheRange) {
  EXPECT_THAT(refusal("[vad]\nthreshold = 2"), HasSubstr("between 0.2 and 0.95"));
  EXPECT_THAT(refusal("[vad]\nthreshold = nan"), HasSubstr("between 0.2 and 0.95"));
  EXPECT_THAT(refusal("[vad]\nmax_segment_sec = inf"), HasSubstr("between 6 and 3600"));
  EXPECT_THAT(refusal("[transcription]\nworkers = 9223372036854775807"), HasSubstr("between 1 and 64"));
}

TEST(Config, AWordThatIsNoneOfTheChoicesSaysThem) {
  EXPECT_THAT(refusal("[capture]\npace = \"slow\""), HasSubstr("realtime, fast"));
}

TEST(Config, TranscribingEarlyIsTrueFalseOrAuto) {
  EXPECT_EQ(RecorderConfig().transcription.eager, "auto");
  EXPECT_EQ(read("[transcription]\neager = true").transcription.eager, "true");
  EXPECT_EQ(read("[transcription]\neager = false").transcription.eager, "false");
  EXPECT_EQ(read("[transcription]\neager = \"auto\"").transcription.eager, "auto");
  EXPECT_THROW(read("[transcription]\neager = \"perhaps\""), RecorderError);
}

TEST(Config, PhrasesAreReadAsAList) {
  const RecorderConfig config = read("[notes]\nstart = [\"neue Notiz\", \"Notiz beginnen\"]\nend = []");
  EXPECT_THAT(config.notes.start, testing::ElementsAre("neue Notiz", "Notiz beginnen"));
  EXPECT_EQ(note_phrases(config).start, config.notes.start);
  EXPECT_EQ(note_phrases(config).end, notes::NotePhrases::english().end) << "an empty list stands for English";
}

TEST(Config, PhrasesThatCannotBeOnesAreRefused) {
  EXPECT_THAT(refusal("[notes]\nstart = \"neue Notiz\""), HasSubstr("a list of texts in quotes"));
  EXPECT_THAT(refusal("[notes]\nstart = [1]"), HasSubstr("texts in quotes only"));
  EXPECT_THAT(refusal("[notes]\nstart = [[\"a\"]]"), HasSubstr("texts in quotes only"));
  EXPECT_THAT(refusal("[notes]\nstart = [\"\"]"), HasSubstr("no word"));
  EXPECT_THAT(refusal("[notes]\nstart = [\"?!\"]"), HasSubstr("no word"));
  EXPECT_THAT(refusal("[notes]\nstart = [\"the\"]"), HasSubstr("no word"));
  EXPECT_THAT(refusal("[notes]\nstart = [\"" + std::string(101, 'x') + "\"]"), HasSubstr("more than 100 bytes"));
  std::string many;
  for (int i = 0; i < 51; ++i) many += fmt::format("\"note {}\", ", i);
  EXPECT_THAT(refusal("[notes]\nstart = [" + many + "]"), HasSubstr("has 51 phrases"));
  EXPECT_THAT(refusal("[notes]\nbegin = [\"x\"]"), HasSubstr("did you mean"));
}

TEST(Config, APhraseThatWouldMeanTwoCommandsIsRefused) {
  RecorderConfig config = read("[notes]\nend = [\"New note!\"]");
  EXPECT_THROW(config.validate(), RecorderError);
  config.notes.start = {"begin"};
  EXPECT_NO_THROW(config.validate());
}

TEST(Config, ThePhrasesOfTheDefaultsMeanOneCommandEach) {
  RecorderConfig config;
  config.notes.start = notes::NotePhrases::english().start;  // phrases are compared where some are configured
  EXPECT_NO_THROW(config.validate());
}

TEST(Config, AListMayBeWrittenAsJSON) {
  const ConfigField& field = find_config_field("notes", "stop");
  EXPECT_EQ(parse_config_value(field, R"(["genug", "Schluss jetzt"])"),
            ConfigValue(std::vector<std::string>{"genug", "Schluss jetzt"}));
  RecorderConfig config;
  EXPECT_THROW(set_config(config, field, parse_config_value(field, "genug"), "test"), RecorderError);
}

TEST(Config, TheAgeOfWhatIsDeletedIsANumberAndAUnit) {
  for (const char* age : {"", "90d", "12h", "8w", "30m"}) {
    EXPECT_EQ(read(fmt::format("[retention]\nolder_than = \"{}\"", age)).retention.older_than, age);
  }
  for (const char* age :
       {"0d", "0m", "90", "d", "-1d", "1.5d", "90 d", "2026-11-22", "99999999999d", "2000000000w", "90y"}) {
    EXPECT_THAT(refusal(fmt::format("[retention]\nolder_than = \"{}\"", age)), HasSubstr("for example 90d")) << age;
  }
  EXPECT_THAT(refusal("[retention]\nolder_than = 90"), HasSubstr("a text in quotes"));
}

TEST(RecordedPhrases, AreThoseOfTheConfigurationAndEnglishWhereTheyAreDamaged) {
  RecorderConfig config;
  config.notes.start = {"neue Notiz"};
  boost::json::object manifest = to_json(config);
  EXPECT_EQ(recorded_note_phrases(manifest).start, config.notes.start);
  manifest["notes"].as_object()["start"] = 7;
  EXPECT_EQ(recorded_note_phrases(manifest).start, notes::NotePhrases::english().start);
  EXPECT_EQ(recorded_note_phrases({}).start, notes::NotePhrases::english().start);
}

TEST(Config, AFileThatIsWrongInItsLastLineChangesNothing) {
  RecorderConfig config;
  EXPECT_THROW(read_config_text(config, "[vad]\nmin_silence_ms = 300\nnonsense = 1", "config.toml"), RecorderError);
  EXPECT_EQ(config.vad.min_silence_ms, 800);
}

TEST(Config, EverySettingTakesItsOwnDefaultButNoEmptyText) {
  for (const ConfigField& field : config_fields()) {
    RecorderConfig config;
    if (const auto* text = std::get_if<std::string>(&field.example); text && text->empty() && !field.may_be_empty) {
      EXPECT_THROW(set_config(config, field, field.example, "test"), RecorderError) << field.name();
      continue;
    }
    set_config(config, field, field.example, "test");
    EXPECT_EQ(field.get(config), field.example) << field.name();
  }
}

TEST(Config, EveryNumberIsRefusedBeyondItsRangeAndTakenAtItsEnds) {
  for (const ConfigField& field : config_fields()) {
    const bool is_whole = std::holds_alternative<std::int64_t>(field.example);
    if (!is_whole && !std::holds_alternative<double>(field.example)) continue;
    const auto value = [&](double number) -> ConfigValue {
      if (is_whole) return static_cast<std::int64_t>(number);
      return number;
    };
    RecorderConfig config;
    for (const double end : {field.least, field.most}) {
      EXPECT_NO_THROW(set_config(config, field, value(end), "test")) << field.name() << " " << end;
      config.validate();
    }
    if (field.least > -1e9)
      EXPECT_THROW(set_config(config, field, value(field.least - 1), "test"), RecorderError) << field.name();
    EXPECT_THROW(set_config(config, field, value(field.most + 1), "test"), RecorderError) << field.name();
  }
}

TEST(Config, EverySettingIsFoundByItsName) {
  for (const ConfigField& field : config_fields()) EXPECT_EQ(&find_config_field(field.section, field.key), &field);
}

TEST(Config, ValuesSetInCodeAreCheckedToo) {
  RecorderConfig config;
  config.vad.threshold = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(config.validate(), RecorderError);
}

TEST(Config, TheDefaultsAreValid) {
  EXPECT_NO_THROW(RecorderConfig().validate());
}

TEST(ConfigFile, OneThatIsNotThereIsAnError) {
  RecorderConfig config;
  const test::TemporaryDirectory folder;
  EXPECT_THROW(read_config_file(config, folder / "none.toml"), RecorderError);
}

TEST(ConfigFile, AFolderIsAnError) {
  RecorderConfig config;
  const test::TemporaryDirectory folder;
  EXPECT_THROW(read_config_file(config, folder.path()), RecorderError);
}

TEST(ConfigFile, OneThatNobodyCanHaveWrittenIsAnError) {
  RecorderConfig config;
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "huge.toml") << std::string(2 << 20, '\n');
  EXPECT_THROW(read_config_file(config, folder / "huge.toml"), RecorderError);
}

TEST(ConfigFile, IsReadFromDisk) {
  RecorderConfig config;
  const test::TemporaryDirectory folder;
  std::ofstream(folder / "c.toml") << "[vad]\nmin_silence_ms = 300\n";
  read_config_file(config, folder / "c.toml");
  EXPECT_EQ(config.vad.min_silence_ms, 300);
}

TEST(ConfigFile, TheOneThatIsNamedBeatsTheEnvironment) {
  const Variable variable("DICTUM_CONFIG", "/from/environment.toml");
  EXPECT_EQ(config_file("/named.toml"), "/named.toml");
}

TEST(ConfigFile, TheOneOfTheEnvironmentBeatsTheUsualPlace) {
  const test::TemporaryDirectory home;
  std::filesystem::create_directories(home / "dictum");
  std::ofstream(home / "dictum/config.toml") << "";
  const Variable place("XDG_CONFIG_HOME", home.path());
  const Variable variable("DICTUM_CONFIG", "/from/environment.toml");
  EXPECT_EQ(config_file({}), "/from/environment.toml");
}

TEST(ConfigFile, TheUsualPlaceIsTakenWhereItHasAFile) {
  const test::TemporaryDirectory home;
  std::filesystem::create_directories(home / "dictum");
  std::ofstream(home / "dictum/config.toml") << "";
  const Variable place("XDG_CONFIG_HOME", home.path());
  const Variable variable("DICTUM_CONFIG", "");
  EXPECT_EQ(config_file({}), home / "dictum/config.toml");
}

TEST(ConfigFile, ThereNeedNotBeAny) {
  const test::TemporaryDirectory home;
  const Variable place("XDG_CONFIG_HOME", home.path());
  const Variable variable("DICTUM_CONFIG", "");
  EXPECT_EQ(config_file({}), "");
}

}  // namespace
}  // namespace dictum::config
