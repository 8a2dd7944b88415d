#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "program_fixture.hpp"
#include "support/virtual_microphone.hpp"
#include "vad/detector.hpp"

namespace dictum {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Commands : public test::ProgramTest {};

TEST_F(Commands, HelpSucceedsAndNamesEveryCommand) {
  const auto result = run({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* command : {"record", "resume", "analyze", "devices", "transcribers", "models", "doctor"})
    EXPECT_THAT(result.out, HasSubstr(command));
}

TEST_F(Commands, TheHelpOfARecordingFitsAScreenAndAllOfItIsShownToWhoeverAsks) {
  const auto help = run({"record", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_LE(test::lines(help.out).size(), 50U);
  EXPECT_THAT(help.out, testing::Not(HasSubstr("--nats-url")));
  EXPECT_THAT(help.out, HasSubstr("dictum record --help-all"));
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
  const auto all = run({"record", "--help-all"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_THAT(all.out, HasSubstr("--nats-url"));
  EXPECT_THAT(all.out, HasSubstr("--device"));
}

TEST_F(Commands, TheWholeHelpIsNamedWhereThereIsOneAndNowhereElse) {
  for (const char* command : {"record", "serve", "tui", "resume", "analyze", "retranscribe", "resegment", "devices",
                              "doctor", "models", "replay"}) {
    const bool is_named = run({command, "--help"}).out.find("--help-all") != std::string::npos;
    EXPECT_EQ(run({command, "--help-all"}).exit_code, is_named ? 0 : 2) << command;
  }
}

TEST_F(Commands, AMistakeIsNamedWithWhatWasMeantOrWhereToLook) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{}, "dictum needs a command (record, "},
      {{"ctl"}, "dictum ctl needs a command (start, "},
      {{"recrod"}, "unknown command \"recrod\": did you mean \"record\"?"},
      {{"zzz"}, "unknown command \"zzz\": see dictum --help"},
      {{"record", "--inptu", "x"}, "unknown option \"--inptu\": did you mean \"--input\"?"},
      {{"config", "show", "--bogus"}, "unknown option \"--bogus\": see dictum config show --help"},
      {{"record", "-x"}, "unknown option \"-x\": "},
      {{"serve", "--port", "99999"}, "--port: Value 99999 not in range 0 to 65535: see dictum serve --help"},
      {{"serve", "--port"}, "--port needs a value: see dictum serve --help"},
      {{"sessions", "show"}, "SESSION is required: see dictum sessions show --help"}};
  for (const auto& [words, sentence] : mistakes) {
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 2) << sentence;
    EXPECT_THAT(result.err, HasSubstr(sentence));
  }
}

TEST_F(Commands, AClusterThatNobodyNamedIsRefusedAtTheStart) {
  if (!std::filesystem::exists(std::filesystem::path(DICTUM_BIN_DIR) / "dictum-worker-nats"))
    GTEST_SKIP() << "this build has no cluster";
  const auto result = test::run_program(record({"--transcriber", "nats", "--input", tone().string()}));
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("--nats-url nats://HOST:4222"));
  EXPECT_THAT(sessions(), IsEmpty()) << "nothing was recorded";
}

TEST_F(Commands, TheVersionIsPrintedWithWhatItWasBuiltFrom) {
  const auto result = run({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, testing::StartsWith("dictum "));
  for (const char* line : {"compiler: ", "SIMD target: ", "features: "}) EXPECT_THAT(result.out, HasSubstr(line));
}

TEST_F(Commands, TheVersionIsPrintedAsJson) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--version", "--json"}, {"--json", "--version"}}) {
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto version = boost::json::parse(result.out).as_object();
    for (const char* key : {"version", "commit", "compiler", "simd_target", "features"})
      EXPECT_TRUE(version.contains(key));
    EXPECT_TRUE(version.at("features").at("server").as_bool());
  }
}

TEST_F(Commands, JsonWithoutVersionOrCommandIsAWrongUse) {
  EXPECT_EQ(run({"--json"}).exit_code, 2);
  EXPECT_EQ(run({"--json", "transcribers"}).exit_code, 2);
}

TEST_F(Commands, NoneIsAWrongUse) {
  const auto result = run({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

TEST_F(Commands, AnUnknownOneIsAWrongUseAndNamesTheNearest) {
  const auto result = run({"recrod"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("recrod"), HasSubstr("record"))));
}

TEST_F(Commands, AnUnknownOptionIsAWrongUseAndNamesTheNearest) {
  const auto result = run({"record", "--inptu", "file.wav"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("\"--inptu\""), HasSubstr("\"--input\""))));
}

TEST_F(Commands, AnUnknownOptionOfACommandWithinACommandNamesTheNearest) {
  const auto result = run({"sessions", "list", "--jsno=yes"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), ElementsAre(testing::AllOf(HasSubstr("\"--jsno\""), HasSubstr("\"--json\""))));
}

TEST_F(Commands, AnOptionWithoutItsValueIsAWrongUse) {
  const auto result = run({"record", "--input"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

/// What a shell is offered behind these words, the last of which is not finished.
class Completion : public Commands {
 protected:
  std::vector<std::string> offered(const std::string& words) const {
    auto asked = dictum({"completion", "words"});
    asked.input = words;
    return test::lines(test::run_program(std::move(asked)).out);
  }
};

TEST_F(Completion, OffersTheCommandsThatBeginSo) {
  EXPECT_THAT(offered("re\n"), ElementsAre("record", "resume", "retranscribe", "resegment", "replay"));
}

TEST_F(Completion, OffersTheVerbsOfACommand) {
  EXPECT_THAT(offered("sessions\nex\n"), ElementsAre("export"));
}

TEST_F(Completion, OffersTheOptionsThatAreNotThereYet) {
  EXPECT_THAT(offered("record\n--min-speech-ms\n100\n--mi\n"), ElementsAre("--min-silence-ms"));
}

TEST_F(Completion, OffersTheWordsThatAnOptionTakes) {
  EXPECT_THAT(offered("record\n--vad\n\n"), ElementsAre("silero", "energy"));
  EXPECT_THAT(offered("devices\n--backend\np\n"), testing::Contains("pulse"));
  EXPECT_THAT(offered("record\n--vad\n=\nsil\n"), ElementsAre("silero"));  // as bash cuts --vad=sil
}

TEST_F(Completion, OffersModelsTranscribersAndSessions) {
  EXPECT_THAT(offered("models\npull\nbase.en-q8\n"), ElementsAre("base.en-q8_0"));
  EXPECT_THAT(offered("record\n--transcriber\nno\n"), ElementsAre("none"));
  EXPECT_THAT(offered("sessions\nshow\n\n"), IsEmpty());
  ASSERT_EQ(run({"record", "--input", tone().string(), "--pace", "fast", "--no-transcribe"}).exit_code, 0);
  EXPECT_THAT(offered("sessions\nshow\n\n"), testing::AllOf(SizeIs(2), testing::Contains("last")));
}

TEST_F(Completion, OffersTheSessionsOfTheFolderThatIsConfigured) {
  const auto root = folder.path() / "elsewhere";
  ASSERT_EQ(
      run({"record", "--input", tone().string(), "--pace", "fast", "--no-transcribe", "--output-dir", root.string()})
          .exit_code,
      0);
  const std::string name = std::filesystem::directory_iterator(root)->path().filename();
  EXPECT_THAT(offered("sessions\nshow\n2\n"), IsEmpty());
  EXPECT_THAT(offered("sessions\nshow\n--output-dir\n" + root.string() + "\n2\n"), ElementsAre(name));
  const auto file = folder.path() / "other.toml";
  std::ofstream(file) << "[session]\nroot = \"" << root.string() << "\"\n";
  EXPECT_THAT(offered("resume\n--config\n" + file.string() + "\n2\n"), ElementsAre(name));
}

TEST_F(Completion, OffersTheMicrophonesThatAreThere) {
  DICTUM_VIRTUAL_MICROPHONE_OR_SKIP();
  const test::VirtualMicrophone microphone;
  auto asked = dictum({"completion", "words"});
  for (const char* name : {"PULSE_SERVER", "XDG_RUNTIME_DIR"}) {
    if (const char* value = std::getenv(name)) asked.environment[name] = value;
  }
  asked.input = "record\n--device\n\n";
  EXPECT_THAT(test::lines(test::run_program(std::move(asked)).out), testing::Contains("pulse:mic"));
}

TEST_F(Completion, OfUnknownOptionsAndEmptyInputIsNoError) {
  EXPECT_THAT(offered(""), testing::Contains("record"));
  EXPECT_THAT(offered("record\n--no-such-option\n--vad\nen\n"), ElementsAre("energy"));
}

// Each completes `dictum record --vad e`, a command line that holds a command, and `dictum sessions sh`.
constexpr const char* kInBash = R"sh(
eval "$(dictum completion bash)"
offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dictum; printf '%s\n' "${COMPREPLY[@]}"; }
offer dictum record --vad e; offer dictum '$(touch ran)' ''; offer dictum sessions sh
)sh";
constexpr const char* kInFish = R"sh(
dictum completion fish | source
for line in 'record --vad e' '"$(touch ran)" ' 'sessions sh'; complete -C "dictum $line"; end
)sh";
// zsh's own functions for what is offered only print it.
constexpr const char* kInZsh = R"sh(
compdef() {}; compadd() { print -l -- ${(P)@[-1]} }; _files() {}
eval "$(dictum completion zsh)"
offer() { words=("$@"); CURRENT=$#; _dictum }
offer dictum record --vad e; offer dictum '$(touch ran)' ''; offer dictum sessions sh
)sh";

struct Shell {
  std::filesystem::path program;
  std::string script;
};

class CompletionIn : public Completion, public testing::WithParamInterface<Shell> {};

TEST_P(CompletionIn, OffersWordsAndRunsNothingThatIsTyped) {
  const auto& [program, script] = GetParam();
  if (!std::filesystem::exists(program)) GTEST_SKIP() << program << " is not there: ./setup installs it";
  auto shell = dictum({});
  const std::string path = shell.executable.parent_path().string();
  shell.executable = program;
  shell.arguments = {"-c", "export PATH=\"" + path + ":$PATH\"; cd \"" + folder.path().string() + "\"" + script + "ls"};
  const std::string shown = test::run_program(std::move(shell)).out;
  EXPECT_THAT(shown, testing::StartsWith("energy\n"));
  EXPECT_THAT(shown, HasSubstr("\nshow\n"));
  EXPECT_THAT(shown, testing::Not(HasSubstr("ran\n")));
}

INSTANTIATE_TEST_SUITE_P(Shells, CompletionIn,
                         testing::Values(Shell{"/bin/bash", kInBash}, Shell{"/usr/bin/fish", kInFish},
                                         Shell{"/usr/bin/zsh", kInZsh}),
                         [](const auto& each) { return each.param.program.filename().string(); });

TEST_F(Commands, EveryOneHasAPageOfTheManualWithItsOptions) {
  const auto pages = folder.path() / "pages";
  ASSERT_EQ(run({"manual", "--write", pages.string()}).exit_code, 0);
  auto asked = dictum({"completion", "words"});
  asked.input = "\n";
  for (const std::string& command : test::lines(test::run_program(std::move(asked)).out)) {
    const std::string page = test::contents(pages / ("dictum-" + command + ".1"));
    EXPECT_THAT(page, testing::StartsWith(".TH dictum")) << command;
    const std::string help = run({command, "--help"}).out;
    const bool hides_some = help.find("--help-all") != std::string::npos;
    for (const std::string& line : test::lines(hides_some ? run({command, "--help-all"}).out : help)) {
      if (line.starts_with("  --help-all") || !line.starts_with("  --")) continue;
      std::string option = line.substr(2, line.find(' ', 2) - 2);
      for (std::size_t at = 0; (at = option.find('-', at)) != std::string::npos; at += 2) option.insert(at, "\\");
      EXPECT_THAT(page, HasSubstr(option)) << command;
    }
  }
}

/// `dictum config`, with a configuration file of the test's own.
class Config : public Commands {
 protected:
  Config() { std::filesystem::create_directories(file().parent_path()); }

  std::filesystem::path file() const { return folder.path() / "settings/config.toml"; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  test::ProgramResult config(std::vector<std::string> arguments, const std::string& editor = "false") const {
    arguments.insert(arguments.begin(), "config");
    auto program = dictum(std::move(arguments));
    program.environment["DICTUM_CONFIG"] = file().string();
    program.environment["VISUAL"] = editor;
    return test::run_program(std::move(program));
  }
};

TEST_F(Config, ShowsAFileThatSetsTheSameAgain) {
  write(
      "[vad]\nthreshold = 0.7\n[notes]\nstart = [\"start a note\"]\n[transcription.replacements]\n\"a \\\"b\\\"\" = "
      "'c\\d'\n");
  const auto shown = config({"show"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, testing::AllOf(HasSubstr("\nthreshold = 0.7\n"), HasSubstr("\n#pre_roll_ms = ")));
  write(shown.out);
  EXPECT_EQ(config({"show"}).out, shown.out);
}

TEST_F(Config, ShowsHooksAndTheKeysOfTheTerminalUI) {
  write("[hooks]\non_note = [\"file-note\", \"--to\", \"a \\\"b\\\"\"]\n[tui.keys]\nrecord = \"f1\"\n");
  const auto shown = config({"show"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, testing::AllOf(HasSubstr("\n[hooks]\n"), HasSubstr("\n#on_text = []\n"),
                                        HasSubstr("\non_note = [\"file-note\",\"--to\",\"a \\\"b\\\"\"]\n")));
  EXPECT_THAT(shown.out, testing::AllOf(HasSubstr("\n[tui.keys]\n"), HasSubstr("\nrecord = \"f1\"\n"),
                                        HasSubstr("\n#quit = \"q\"\n")));
  write(shown.out);
  EXPECT_EQ(config({"show"}).out, shown.out);
}

TEST_F(Config, CheckRefusesAnUnknownHookAndAnUnknownKey) {
  write("[hooks]\non_texts = [\"a\"]\n");
  EXPECT_THAT(config({"check"}).err, HasSubstr("hooks.on_texts"));
  write("[tui.keys]\nrecrod = \"f1\"\n");
  EXPECT_THAT(config({"check"}).err, HasSubstr("did you mean \"record\""));
}

TEST_F(Config, ThatIsWrongIsRefusedWithTheLine) {
  write("[vad]\ntreshold = 0.7\n");
  for (const char* verb : {"check", "show"}) {
    const auto result = config({verb});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, testing::AllOf(HasSubstr("config.toml:2"), HasSubstr("vad.threshold"))) << verb;
  }
}

TEST_F(Config, IsEditedAndCheckedAndBeginsWithEverySetting) {
  const auto edited = config({"edit"}, "sed -i s/^#threshold/threshold/");
  EXPECT_EQ(edited.exit_code, 0) << edited.err;
  EXPECT_THAT(test::contents(file()), HasSubstr("\nthreshold = "));
  EXPECT_EQ(config({"edit"}, "sed -i s/^threshold/wrong/").exit_code, 2);
  EXPECT_EQ(config({"edit"}, "no-such-editor").exit_code, 2);
}

TEST_F(Config, SaysWhereItsFileIs) {
  EXPECT_EQ(config({"path"}).out, file().string() + "\n");
}

TEST_F(Commands, AManualOfNoCommandIsAWrongUse) {
  EXPECT_EQ(run({"manual", "recrod"}).exit_code, 2);
}

TEST_F(Commands, AnalyzeWithoutAFileIsAWrongUse) {
  const auto result = run({"analyze"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(test::lines(result.err), SizeIs(1));
}

TEST_F(Commands, RecordWithoutAMicrophoneSaysHowToGoOn) {
  const auto result = test::run_program(record({"--no-transcribe"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("Start PulseAudio or PipeWire")));
  EXPECT_THAT(sessions(), IsEmpty());
}

TEST_F(Commands, DoctorNamesTheDetector) {
  const auto result = run({"doctor"});
  EXPECT_THAT(result.exit_code, AnyOf(0, 1));
  EXPECT_THAT(result.out, HasSubstr(vad::embedded_weights() ? "Silero VAD" : "no Silero model"));
}

TEST_F(Commands, DoctorSaysHowToGetWhatIsMissing) {
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("!!  microphone"));
}

TEST_F(Commands, DoctorListsTheTranscribers) {
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("simulated"));
}

TEST_F(Commands, DoctorFailsWhereSomethingIsMissing) {
  EXPECT_EQ(run({"doctor"}).exit_code, 1);
}

TEST_F(Commands, TranscribersAreListedWithWhatTheySayOfThemselves) {
  const auto result = run({"transcribers"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("simulated"));
  EXPECT_EQ(result.err, "");
}

TEST_F(Commands, DevicesAreAJSONDocumentAlsoWhereNoSoundServerCanBeReached) {
  const auto result = run({"devices", "--json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(boost::json::parse(result.out).as_array().empty());
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("Start PulseAudio or PipeWire")));
}

TEST_F(Commands, ResumeOfNothingSucceeds) {
  const auto result = run({"resume", "--transcriber", "simulated"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("Nothing is unfinished"));
}

TEST_F(Commands, ResumeOfASessionThatIsNotThereFails) {
  const auto result = run({"resume", "--transcriber", "simulated", "20261122_000000"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(test::lines(result.err), ElementsAre(HasSubstr("20261122_000000")));
}

}  // namespace
}  // namespace dictum
