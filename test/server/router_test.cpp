#include "server/router.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "json_text.hpp"
#include "server/problem.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::server {
namespace {

using test::parse;
using test::text_of;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Routes : public testing::Test {
 protected:
  Answer ask(std::string method, std::string target, std::vector<Request::Header> headers = {},
             std::string body = "") const {
    headers.push_back({"Host", "localhost:8080"});
    return router.answer({.method = std::move(method),
                          .target = std::move(target),
                          .headers = std::move(headers),
                          .body = std::move(body)});
  }
  Response get(std::string target, std::vector<Request::Header> headers = {}) const {
    Answer answer = ask("GET", std::move(target), std::move(headers));
    return std::move(std::get<Response>(answer));
  }
  boost::json::object json_of(std::string target) const {
    const Response response = get(std::move(target));
    EXPECT_EQ(response.status, 200) << std::get<std::string>(response.body);
    EXPECT_EQ(response.content_type, "application/json");
    return parse(std::get<std::string>(response.body)).as_object();
  }
  /// Checks that it is a problem, and gives its code and sentence.
  static std::string problem(const Response& response, int status) {
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.content_type, "application/problem+json");
    const auto body = parse(std::get<std::string>(response.body));
    EXPECT_EQ(body.at("status"), status);
    EXPECT_EQ(text_of(body.at("type")), "urn:dictum:problem:" + text_of(body.at("code")));
    return text_of(body.at("code")) + ": " + text_of(body.at("detail"));
  }
  static std::string header(const Response& response, const std::string& name) {
    for (const auto& each : response.headers) {
      if (each.name == name) return each.value;
    }
    return {};
  }
  static bool is_of_page(const Route& route) { return route.pattern == "/" || route.pattern.starts_with("/web/"); }
  static std::string bytes(const Response& response) {
    const auto& slice = std::get<FileSlice>(response.body);
    std::string got(slice.size, '\0');
    EXPECT_EQ(::pread(slice.file.get(), got.data(), got.size(), static_cast<off_t>(slice.offset)),
              static_cast<ssize_t>(got.size()));
    return got;
  }

  test::TemporaryDirectory folder;
  Status status;
  Router router{{folder.path(), [this] { return status; }, {}, [] { return std::string("up 1\n"); }}, {{}, {}}};
};

class Library : public Routes {
 protected:
  Library() { std::filesystem::copy(whole_session(), session, std::filesystem::copy_options::recursive); }

  /// Made once, since it waits for the disk.
  static const std::filesystem::path& whole_session() {
    static const test::TemporaryDirectory elsewhere;
    static const std::filesystem::path made = test::make_session(elsewhere.path());
    return made;
  }

  const std::string name = whole_session().filename();
  const std::filesystem::path session = folder / name;
  const std::string at = "/api/v1/sessions/" + name;
};

TEST_F(Routes, HealthNeedsNothing) {
  EXPECT_EQ(json_of("/healthz").at("status"), "ok");
}

TEST_F(Routes, TheServerIsReadyWhereSessionsCanBeWritten) {
  EXPECT_EQ(json_of("/readyz").at("status"), "ready");
  status.is_stopping = true;
  EXPECT_THAT(problem(get("/readyz"), 503), StartsWith("stopping"));
}

TEST_F(Routes, TheServerIsNotReadyWhereTheRootIsNoFolder) {
  std::ofstream(folder / "file") << "x";
  const Router other({folder / "file", [this] { return status; }}, {{}, {}});
  const Answer answer =
      other.answer({.method = "GET", .target = "/readyz", .headers = {{"Host", "localhost"}}, .body = {}});
  EXPECT_THAT(problem(std::get<Response>(answer), 500), HasSubstr("--output-dir"));
}

TEST_F(Routes, StatusShowsTheRecorder) {
  status = {.state = RecordingState::paused, .is_recording = true, .session = "20261122_154501"};
  const auto json = json_of("/api/v1/status");
  EXPECT_EQ(json.at("state"), "paused");
  EXPECT_EQ(json.at("is_recording"), true);
  EXPECT_EQ(json.at("session"), "20261122_154501");
}

TEST_F(Routes, WhatThisMachineHasIsListed) {
  const auto transcribers = json_of("/api/v1/transcribers");
  EXPECT_TRUE(transcribers.at("transcribers").is_array());
  EXPECT_EQ(transcribers.at("configured"), "auto");
  EXPECT_FALSE(text_of(transcribers.at("where_speech_goes")).empty());
  const auto models = json_of("/api/v1/models").at("models").as_array();
  ASSERT_FALSE(models.empty());
  EXPECT_TRUE(models[0].at("is_installed").is_bool());
  const Response devices = get("/api/v1/devices");  // or the problem that there is no sound system
  EXPECT_THAT(std::get<std::string>(devices.body), HasSubstr(devices.status == 200 ? R"({"devices":[)" : "detail"));
}

TEST_F(Routes, WhatIsNotThereIsAProblem) {
  EXPECT_THAT(problem(get("/nothing"), 404), HasSubstr("/openapi.json"));
  EXPECT_THAT(problem(get("/api/v1/sessions/20261122_154501/more"), 404), StartsWith("not_found"));
}

TEST_F(Routes, AnotherMethodIsAProblemThatNamesTheRightOnes) {
  const Answer answer = ask("DELETE", "/api/v1/status");
  const auto& response = std::get<Response>(answer);
  EXPECT_THAT(problem(response, 405), HasSubstr("use GET, HEAD"));
  EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
  const Answer start = ask("GET", "/api/v1/commands/start_recording");
  EXPECT_EQ(header(std::get<Response>(start), "Allow"), "POST");
}

TEST_F(Routes, HeadIsAsGet) {
  const Answer answer = ask("HEAD", "/healthz");
  EXPECT_EQ(std::get<Response>(answer).status, 200);
}

TEST_F(Routes, AMediaTypeThatIsNotMadeIsAProblem) {
  EXPECT_THAT(problem(get("/healthz", {{"Accept", "text/html"}}), 406), HasSubstr("application/json"));
}

TEST_F(Routes, AnAddressThatLeadsElsewhereIsAProblem) {
  for (const char* target :
       {"/api/v1/sessions/..", "/api/v1/sessions/%2e%2e", "/api/v1/sessions/..%2f..%2fetc", "/api/v1/../../etc"}) {
    EXPECT_THAT(problem(get(target), 400), StartsWith("invalid_argument")) << target;
  }
}

TEST_F(Routes, ForeignSitesAreRefusedBeforeAnythingElse) {
  EXPECT_THAT(problem(get("/nothing", {{"Origin", "https://evil.example"}}), 403), StartsWith("foreign_origin"));
}

// Parameters

TEST_F(Routes, EveryParameterIsChecked) {
  for (const char* target : {"/api/v1/sessions?limit=0", "/api/v1/sessions?limit=201", "/api/v1/sessions?limit=x",
                             "/api/v1/sessions?limit=-1", "/api/v1/sessions?before=yesterday", "/api/v1/sessions/last",
                             "/api/v1/sessions/20261122", "/api/v1/search?from=today", "/api/v1/search?scope=all",
                             "/api/v1/sessions/20261122_154501/segments/x/audio",
                             "/api/v1/sessions/20261122_154501/segments/4294967296/audio",
                             "/api/v1/sessions/20261122_154501/transcript?format=pdf", "/api/v1/events?after=x",
                             "/api/v1/events?types=SpeechEnded,Nothing", "/api/v1/events?types="}) {
    EXPECT_THAT(problem(get(target), 400), HasSubstr("it has to be")) << target;
  }
  EXPECT_THAT(problem(get("/api/v1/search?q=" + std::string(1001, 'x')), 400), HasSubstr("at most 1000 bytes"));
}

TEST_F(Routes, AnUnknownParameterIsNamed) {
  EXPECT_THAT(problem(get("/api/v1/sessions?limits=5"), 400), HasSubstr("\"limits\""));
}

// Commands

TEST_F(Routes, ACommandIsItsFieldsAsJSON) {
  const auto command = [&](const std::string& name, const std::string& body) {
    Answer answer = ask("POST", "/api/v1/commands/" + name, {{"Content-Type", "application/json"}}, body);
    const auto* const refused = std::get_if<Response>(&answer);
    EXPECT_EQ(refused, nullptr) << (refused == nullptr ? "" : std::get<std::string>(refused->body));
    return refused == nullptr ? std::get<Command>(answer) : Command();
  };
  EXPECT_EQ(command("set_muted", R"({"muted":true})"), Command(SetMuted{true}));
  EXPECT_EQ(command("set_vad_mode", R"({"mode":"long_note"})"), Command(SetVADMode{VADMode::long_note}));
  EXPECT_EQ(command("stop_recording", R"({"drain_sec":1.5})"), Command(StopRecording{1.5}));
  EXPECT_EQ(command("stop_recording", ""), Command(StopRecording{}));
  EXPECT_EQ(command("set_vocabulary", R"({"vocabulary":["Żubr"]})"), Command(SetVocabulary{{"Żubr"}}));
  EXPECT_EQ(command("start_recording", "{}"), Command(StartRecording{}));
}

TEST_F(Routes, ToggleRecordingStartsOrStopsByTheStateAtTheRequest) {
  const auto toggled = [&](const std::string& body) {
    return ask("POST", "/api/v1/commands/toggle_recording", {{"Content-Type", "application/json"}}, body);
  };
  EXPECT_EQ(std::get<Command>(toggled("")), Command(StartRecording{}));
  status.is_recording = true;
  EXPECT_EQ(std::get<Command>(toggled("")), Command(StopRecording{}));
  EXPECT_THAT(problem(std::get<Response>(toggled(R"({"drain_sec":1})")), 400), HasSubstr("a field that is not known"));
}

TEST_F(Routes, AWrongBodyIsAProblem) {
  const auto refused = [&](const std::string& body, const std::string& type = "application/json") {
    Answer answer = ask("POST", "/api/v1/commands/set_muted", {{"Content-Type", type}}, body);
    return std::move(std::get<Response>(answer));
  };
  EXPECT_THAT(problem(refused(""), 400), HasSubstr("needs \"muted\": true or false"));
  EXPECT_THAT(problem(refused(R"({"muted":1})"), 400), HasSubstr("true or false"));
  EXPECT_THAT(problem(refused(R"({"muted":true,"loud":1})"), 400), HasSubstr("a field that is not known"));
  EXPECT_THAT(problem(refused(R"({"command":"start_recording","muted":true})"), 400),
              HasSubstr("leave \"command\" out"));
  EXPECT_THAT(problem(refused("[]"), 400), HasSubstr("JSON object"));
  EXPECT_THAT(problem(refused("{"), 400), HasSubstr("JSON object"));
  EXPECT_THAT(problem(refused("muted=true", "application/x-www-form-urlencoded"), 415), HasSubstr("send JSON"));
}

TEST_F(Routes, EveryCommandOfTheLibraryHasARoute) {
  boost::mp11::mp_for_each<Command>([&]<class Body>(const Body&) {
    EXPECT_THAT(router.routes(), Contains(AllOf(Field(&Route::pattern, "/api/v1/commands/" + std::string(Body::kName)),
                                                Field(&Route::scope, Scope::control))));
  });
}

// Events

TEST_F(Library, EventsAreFollowedFromAPlace) {
  const auto follow = [&](const std::string& target, std::vector<Request::Header> headers = {}) {
    Answer answer = ask("GET", target, std::move(headers));
    return std::get<FollowEvents>(answer);
  };
  EXPECT_FALSE(follow("/api/v1/events").after);
  EXPECT_EQ(follow("/api/v1/events?after=5").after, (EventCursor{{"", 6}}));
  EXPECT_EQ(follow("/api/v1/events?after=5", {{"Last-Event-ID", name + "/7"}}).after, (EventCursor{{name, 8}}));
  EXPECT_THAT(follow("/api/v1/events").types, AllOf(Contains("SpeechEnded"), Not(Contains("AudioLevel"))));
  EXPECT_THAT(follow("/api/v1/events?types=AudioLevel,SpeechEnded").types, ElementsAre("AudioLevel", "SpeechEnded"));
}

TEST_F(Library, EventsOfASessionThatIsNotThereAreAProblem) {
  EXPECT_THAT(problem(get("/api/v1/events?after=20200101_000000/5"), 404), HasSubstr("20200101_000000"));
  EXPECT_THAT(problem(get("/api/v1/events", {{"Last-Event-ID", "x"}}), 400), HasSubstr("Last-Event-ID"));
}

// The library

TEST_F(Routes, WithoutSessionsListsAreEmpty) {
  const auto page = json_of("/api/v1/sessions");
  EXPECT_TRUE(page.at("sessions").as_array().empty());
  EXPECT_TRUE(page.at("next").is_null());
  EXPECT_TRUE(json_of("/api/v1/search?q=milk").at("matches").as_array().empty());
}

TEST_F(Library, SessionsAreListedNewestFirstInPages) {
  for (int i = 1; i < 5; ++i) {
    std::filesystem::copy(session, folder / ("2026112" + std::to_string(i) + "_200000"),
                          std::filesystem::copy_options::recursive);
  }
  std::filesystem::create_directory_symlink(session, folder / "20271122_154501");  // not followed
  std::vector<std::string> names;
  std::string page = "/api/v1/sessions?limit=2";
  for (int pages = 0; !page.empty() && pages < 10; ++pages) {
    const auto json = json_of(page);
    EXPECT_LE(json.at("sessions").as_array().size(), 2U);
    for (const auto& each : json.at("sessions").as_array()) names.push_back(text_of(each.at("session")));
    page = json.at("next").is_null() ? "" : text_of(json.at("next"));
  }
  EXPECT_THAT(names, ElementsAre("20261124_200000", "20261123_200000", "20261122_200000", name, "20261121_200000"));
}

TEST_F(Library, ASessionHasItsSegments) {
  const auto json = json_of(at);
  EXPECT_EQ(text_of(json.at("session")), name);
  EXPECT_EQ(json.at("is_finished"), true);
  const auto& segments = json.at("segments").as_array();
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[1].at("text"), "milk and honey");
  EXPECT_EQ(text_of(segments[1].at("audio")), at + "/segments/2/audio");
  EXPECT_EQ(segments[2].at("status"), "failed");
  EXPECT_EQ(segments[2].at("error").at("message"), "the recogniser did not answer in time");
}

TEST_F(Library, ASessionThatIsNotThereIsAProblem) {
  for (const char* more : {"", "/transcript", "/notes", "/segments/0/audio"}) {
    EXPECT_THAT(problem(get("/api/v1/sessions/20200101_000000" + std::string(more)), 404), HasSubstr("20200101_000000"))
        << more;
  }
}

TEST_F(Library, ALinkIsNoSession) {
  const test::TemporaryDirectory elsewhere;
  std::filesystem::rename(session, elsewhere / name);
  std::filesystem::create_directory_symlink(elsewhere / name, session);
  EXPECT_THAT(problem(get(at), 404), StartsWith("input_not_found"));
}

TEST_F(Library, ATranscriptComesInEachFormat) {
  const auto text = [&](const std::string& format) {
    const Response response = get(at + "/transcript?format=" + format);
    EXPECT_EQ(response.status, 200);
    return response.content_type + "\n" + std::get<std::string>(response.body);
  };
  EXPECT_THAT(text("txt"), AllOf(StartsWith("text/plain"), HasSubstr("milk and honey")));
  EXPECT_THAT(text("srt"), AllOf(StartsWith("application/x-subrip"), HasSubstr(" --> "), HasSubstr("milk and honey")));
  EXPECT_THAT(text("vtt"), AllOf(StartsWith("text/vtt"), HasSubstr("WEBVTT")));
  EXPECT_THAT(text("md"), AllOf(StartsWith("text/markdown"), HasSubstr("milk and honey")));
  EXPECT_THAT(text("json"), AllOf(StartsWith("application/json"), HasSubstr("milk and honey")));
}

TEST_F(Library, ATranscriptComesAsTheClientAccepts) {
  EXPECT_THAT(get(at + "/transcript", {{"Accept", "text/vtt"}}).content_type, StartsWith("text/vtt"));
  EXPECT_THAT(get(at + "/transcript").content_type, StartsWith("application/json"));
  problem(get(at + "/transcript", {{"Accept", "text/html"}}), 406);
}

TEST_F(Library, TheSoundOfASegmentComesWholeAndInParts) {
  const std::string whole = test::content_of(session / "seg_0002.wav");
  const Response all = get(at + "/segments/2/audio");
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.content_type, "audio/wav");
  EXPECT_EQ(header(all, "Accept-Ranges"), "bytes");
  EXPECT_EQ(bytes(all), whole);

  const Response part = get(at + "/segments/2/audio", {{"Range", "bytes=44-143"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(header(part, "Content-Range"), "bytes 44-143/" + std::to_string(whole.size()));
  EXPECT_EQ(bytes(part), whole.substr(44, 100));
}

TEST_F(Library, AFileThatIsNoWAVIsNotGivenOutAsSound) {
  const std::filesystem::path file = session / "seg_0002.wav";
  std::filesystem::remove(file);
  std::ofstream(file) << "what somebody else wrote";
  EXPECT_THAT(problem(get(at + "/segments/2/audio"), 409), HasSubstr("is no WAV file"));
}

TEST_F(Library, ARangeBehindTheSoundIsAProblem) {
  const Response response = get(at + "/segments/2/audio", {{"Range", "bytes=99999999-"}});
  EXPECT_THAT(problem(response, 416), StartsWith("range_not_satisfiable"));
  EXPECT_THAT(header(response, "Content-Range"), StartsWith("bytes */"));
}

TEST_F(Library, ARangeOfWhatHasChangedSinceIsTheWhole) {
  const std::string tag = header(get(at + "/segments/2/audio"), "ETag");
  EXPECT_EQ(get(at + "/segments/2/audio", {{"Range", "bytes=0-9"}, {"If-Range", tag}}).status, 206);
  EXPECT_EQ(get(at + "/segments/2/audio", {{"Range", "bytes=0-9"}, {"If-Range", "\"other\""}}).status, 200);
}

TEST_F(Library, ASegmentWithoutSoundIsAProblem) {
  EXPECT_THAT(problem(get(at + "/segments/1/audio"), 404), HasSubstr("no sound of a segment 1"));  // not kept
  EXPECT_THAT(problem(get(at + "/segments/77/audio"), 404), HasSubstr("no sound of a segment 77"));
}

TEST_F(Library, ALinkInASessionIsNotFollowed) {
  std::ofstream(folder / "secret") << "secret";
  std::filesystem::remove(session / "seg_0002.wav");
  std::filesystem::create_symlink(folder / "secret", session / "seg_0002.wav");
  EXPECT_EQ(get(at + "/segments/2/audio").status, 404);
}

TEST_F(Library, ATextIsCorrectedAsANewRevision) {
  const auto post = [&](const std::string& target, std::string body) {
    return std::get<Response>(ask("POST", at + target, {{"Content-Type", "application/json"}}, std::move(body)));
  };
  const Response edited = post("/segments/0/text", R"({"text":"<b>Rye</b> bread"})");
  EXPECT_EQ(edited.status, 200) << std::get<std::string>(edited.body);
  const auto segment = parse(std::get<std::string>(edited.body));
  EXPECT_EQ(segment.at("text"), "<b>Rye</b> bread");
  EXPECT_EQ(segment.at("edited"), true);
  EXPECT_EQ(segment.at("revision"), 1);
  EXPECT_EQ(json_of(at).at("segments").at(0).at("text"), "<b>Rye</b> bread");
  EXPECT_EQ(json_of("/api/v1/search?q=rye").at("matches").as_array().size(), 1);

  for (const char* body : {"", "{}", R"({"text":1})", R"({"text":"a","more":1})", "[]"}) {
    EXPECT_THAT(problem(post("/segments/0/text", body), 400), HasSubstr("text")) << body;
  }
  EXPECT_THAT(problem(post("/segments/999/text", R"({"text":"a"})"), 400), HasSubstr("999"));
}

TEST_F(Library, NotesAreListed) {
  const auto notes = json_of(at + "/notes").at("notes").as_array();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].at("title"), "Shopping list");
  EXPECT_EQ(notes[0].at("text"), "milk and honey");
}

TEST_F(Library, WhatWasSaidIsFound) {
  const auto matches = json_of("/api/v1/search?q=hon*&scope=segments").at("matches").as_array();
  ASSERT_EQ(matches.size(), 1U);
  EXPECT_EQ(text_of(matches[0].at("session")), name);
  EXPECT_EQ(matches[0].at("segment_index"), 2);
  EXPECT_EQ(matches[0].at("marks").at(0).at("begin"), 9);
  EXPECT_TRUE(json_of("/api/v1/search?q=honey&before=2020-01-01T00:00:00Z").at("matches").as_array().empty());
}

TEST_F(Library, ADamagedSessionIsListedWithItsProblem) {
  std::ofstream(session / "manifest.json") << "{";
  const auto sessions = json_of("/api/v1/sessions").at("sessions").as_array();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].at("is_readable"), false);
  EXPECT_THAT(problem(get(at), 409), StartsWith("session_unreadable"));
}

// Access

TEST_F(Library, ASessionIsExportedAsOneFile) {
  const Response wav = get(at + "/export?format=wav");
  EXPECT_EQ(wav.content_type, "audio/wav");
  EXPECT_EQ(header(wav, "Content-Disposition"), "attachment; filename=\"" + name + ".wav\"");
  EXPECT_THAT(bytes(wav), StartsWith("RIFF"));
  const Response whole = get(at + "/export?format=wav&extent=timeline");
  EXPECT_GT(std::get<FileSlice>(whole.body).size, std::get<FileSlice>(wav.body).size);
  EXPECT_THAT(bytes(get(at + "/export?format=srt")), HasSubstr("-->"));
  EXPECT_THAT(problem(get(at + "/export"), 400), HasSubstr("\"format\""));
  EXPECT_THAT(problem(get(at + "/export?format=mp3"), 400), HasSubstr("wav, flac"));
  for (const auto& each : std::filesystem::directory_iterator(folder.path())) EXPECT_EQ(each.path(), session);
}

TEST_F(Library, AnExportSaysWhatIsMissingInIt) {
  EXPECT_EQ(header(get(at + "/export?format=wav"), "Dictum-Warning"), "");
  std::filesystem::remove(session / "seg_0000.wav");
  EXPECT_THAT(header(get(at + "/export?format=wav"), "Dictum-Warning"), HasSubstr("seg_0000.wav"));
}

TEST(Warnings, OfManyTheFirstAreShownAndHowManyMoreThereAre) {
  Response response;
  add_warnings(response, std::vector<std::string>(25, "A text is missing: caf\xc3\xa9\n"));
  ASSERT_EQ(response.headers.size(), 21U);
  EXPECT_EQ(response.headers.front().value, "A text is missing: caf ");
  EXPECT_EQ(response.headers.back().value, "And 5 more.");
}

TEST_F(Library, ANoteIsGivenOutAsItsFile) {
  const Response note = get(at + "/notes/0");
  EXPECT_EQ(note.content_type, "text/markdown; charset=utf-8");
  EXPECT_THAT(std::get<std::string>(note.body), HasSubstr("# "));
  EXPECT_THAT(problem(get(at + "/notes/7"), 404), HasSubstr("counted from 0"));
}

TEST_F(Library, ASessionIsVerifiedAndRepaired) {
  EXPECT_TRUE(json_of(at + "/verification").at("problems").as_array().empty());
  std::ofstream(session / "transcript_raw.txt") << "changed";
  const auto check = json_of(at + "/verification");
  ASSERT_FALSE(check.at("problems").as_array().empty());
  EXPECT_TRUE(check.at("problems").as_array().front().at("can_be_repaired").as_bool());
  const Response repaired = std::get<Response>(ask("POST", at + "/repair"));
  EXPECT_EQ(repaired.status, 200) << std::get<std::string>(repaired.body);
  EXPECT_TRUE(json_of(at + "/verification").at("problems").as_array().empty());
}

TEST_F(Library, ASessionIsDeletedButNotWhileItIsWorkedOn) {
  {
    const auto locked = session::SessionWriter::reopen(session);
    EXPECT_THAT(problem(std::get<Response>(ask("DELETE", at)), 409), StartsWith("session_locked"));
  }
  EXPECT_TRUE(std::filesystem::exists(session));
  EXPECT_EQ(std::get<Response>(ask("DELETE", at)).status, 200);
  EXPECT_FALSE(std::filesystem::exists(session));
  problem(std::get<Response>(ask("DELETE", at)), 404);
}

TEST_F(Library, OldSessionsArePrunedAndWhatStaysSaysWhy) {
  const auto prune = [&](std::string body) {
    return std::get<Response>(ask("POST", "/api/v1/prune", {}, std::move(body)));
  };
  EXPECT_THAT(problem(prune("{}"), 400), HasSubstr("older_than"));
  EXPECT_THAT(problem(prune(R"({"older_than":"1d","before":"2026-11-22T15:45:01Z"})"), 400), HasSubstr("older_than"));
  EXPECT_THAT(problem(prune(R"({"older_than":"1d","all":true})"), 400), HasSubstr("\"all\""));
  // One that is wrong is not passed over for the other one.
  EXPECT_THAT(problem(prune(R"({"older_than":"1d","before":"yesterday"})"), 400), HasSubstr("older_than"));
  EXPECT_THAT(problem(prune(R"({"older_than":"","before":"2099-01-01T00:00:00Z"})"), 400), HasSubstr("older_than"));
  EXPECT_THAT(problem(prune(R"({"older_than":"1d","dry_run":null})"), 400), HasSubstr("dry_run"));
  const auto removed = [&](std::string body) {
    return parse(std::get<std::string>(prune(std::move(body)).body)).at("removed").as_array().size();
  };
  EXPECT_EQ(removed(R"({"before":"2099-01-01T00:00:00Z"})"), 0U);  // it has a note
  EXPECT_EQ(removed(R"({"before":"2099-01-01T00:00:00Z","keep_notes":false,"dry_run":true})"), 1U);
  EXPECT_TRUE(std::filesystem::exists(session));
  EXPECT_EQ(removed(R"({"before":"2099-01-01T00:00:00Z","keep_notes":false})"), 1U);
  EXPECT_FALSE(std::filesystem::exists(session));
}

TEST_F(Library, WhatIsUnfinishedIsListedAndTheIndexMadeAgain) {
  EXPECT_TRUE(json_of("/api/v1/unfinished").at("sessions").as_array().empty());
  EXPECT_EQ(std::get<Response>(ask("POST", "/api/v1/search/rebuild")).status, 200);
  EXPECT_FALSE(json_of("/api/v1/search").at("matches").as_array().empty());
}

TEST_F(Library, ASessionIsTranscribedAgainAsTheBodySays) {
  const auto all =
      std::get<TranscribeSession>(ask("POST", at + "/retranscribe", {}, R"({"model":"base.en","replace_edits":true})"));
  EXPECT_EQ(all.session, session);
  EXPECT_EQ(all.model, "base.en");
  EXPECT_EQ(all.texts, TranscribeSession::Texts::all_and_edits);
  EXPECT_EQ(std::get<TranscribeSession>(ask("POST", at + "/retranscribe")).texts, TranscribeSession::Texts::all);
  EXPECT_EQ(std::get<TranscribeSession>(ask("POST", at + "/resume")).texts, TranscribeSession::Texts::missing);
  EXPECT_EQ(std::get<TranscribeSession>(ask("POST", at + "/resume", {}, R"({"retry_failed":true})")).texts,
            TranscribeSession::Texts::missing_and_failed);
  EXPECT_THAT(problem(std::get<Response>(ask("POST", at + "/retranscribe", {}, R"({"model":"/etc/passwd"})")), 400),
              HasSubstr("the name of a model"));
  EXPECT_THAT(problem(std::get<Response>(ask("POST", at + "/resume", {}, R"({"retry_failed":"yes"})")), 400),
              HasSubstr("retry_failed"));
}

TEST_F(Routes, WithTokensOnlyHealthAndThePageAreOpen) {
  TokenList tokens;
  tokens.add("sha256:" + std::string(64, 'a') + " listen\n");
  const Router guarded({folder.path(), [this] { return status; }}, {std::move(tokens), {}});
  for (const Route& route : guarded.routes()) {
    std::string target = route.pattern;
    if (const auto brace = target.find("{session}"); brace != std::string::npos)
      target.replace(brace, 9, "20261122_154501");
    if (const auto brace = target.find("{segment}"); brace != std::string::npos) target.replace(brace, 9, "0");
    const Answer answer =
        guarded.answer({.method = route.method, .target = target, .headers = {{"Host", "localhost"}}, .body = {}});
    const auto* const response = std::get_if<Response>(&answer);
    ASSERT_NE(response, nullptr) << target;
    const bool is_open = is_of_page(route) || target == "/healthz" || target == "/readyz" || target == "/openapi.json";
    EXPECT_EQ(response->status, is_open ? 200 : 401) << target;
  }
}

// OpenAPI

TEST_F(Routes, ThePageIsServedWithItsFilesAndNothingElse) {
  const Response page = get("/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(std::get<std::string>(page.body), StartsWith("<!doctype html>"));
  EXPECT_EQ(get("/web/style.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(get("/web/app.mjs").content_type, "text/javascript; charset=utf-8");
  for (const char* target : {"/web", "/web/index.html", "/web/STYLE.CSS", "/web/style.css.map", "/index.html"}) {
    EXPECT_THAT(problem(get(target), 404), StartsWith("not_found")) << target;
  }
}

TEST_F(Routes, ThePageRunsNoScriptButItsOwn) {
  for (const Route& route : router.routes()) {
    if (!is_of_page(route)) continue;
    const Response file = get(route.pattern);
    EXPECT_THAT(
        header(file, "Content-Security-Policy"),
        AllOf(StartsWith("default-src 'none'"), HasSubstr("script-src 'self';"), HasSubstr("frame-ancestors 'none'"),
              HasSubstr("require-trusted-types-for 'script'"), Not(HasSubstr("unsafe"))))
        << route.pattern;
    EXPECT_EQ(header(file, "Referrer-Policy"), "no-referrer");
    EXPECT_THAT(std::get<std::string>(file.body), Not(testing::ContainsRegex("https?://[^w]")))  // but www.w3.org
        << route.pattern << " names an address";
    EXPECT_THAT(std::get<std::string>(file.body), Not(testing::ContainsRegex("innerHTML|outerHTML|insertAdjacentHTML")))
        << route.pattern;
  }
}

TEST_F(Routes, AFileOfThePageThatTheBrowserHasIsNotSentAgain) {
  const std::string tag = header(get("/web/app.mjs"), "ETag");
  const Response same = get("/web/app.mjs", {{"If-None-Match", tag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_THAT(std::get<std::string>(same.body), IsEmpty());
  EXPECT_EQ(header(same, "ETag"), tag);
  EXPECT_EQ(get("/web/app.mjs", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(Routes, TheDocumentHasEveryRoute) {
  const auto document = json_of("/openapi.json");
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  for (const Route& route : router.routes()) {
    if (is_of_page(route)) continue;  // which is for people
    const std::string method = route.method == "GET" ? "get" : route.method == "POST" ? "post" : "delete";
    const auto& operation = document.at("paths").at(route.pattern).at(method);
    EXPECT_EQ(text_of(operation.at("operationId")), route.name);
    EXPECT_EQ(operation.at("responses").at("400").at("$ref"), "#/components/responses/Problem");
    EXPECT_EQ(operation.at("parameters").as_array().size(), route.parameters.size());
  }
  EXPECT_EQ(document.at("components")
                .at("responses")
                .at("Problem")
                .at("content")
                .at("application/problem+json")
                .at("schema")
                .at("$ref"),
            "#/components/schemas/Problem");
}

TEST_F(Routes, TheDocumentHasASchemaOfEachAnswerInJSON) {
  const auto document = json_of("/openapi.json");
  const auto& schemas = document.at("components").at("schemas").as_object();
  std::set<std::string> used{"Problem", "SessionEntry"};  // of other schemas
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& method : path.value().as_object()) {
      const auto* const success = method.value().at("responses").as_object().if_contains("200");
      if (success == nullptr) continue;
      const auto* const json = success->at("content").as_object().if_contains("application/json");
      if (json == nullptr) continue;
      const std::string reference = text_of(json->at("schema").at("$ref"));
      const std::string name = reference.substr(reference.rfind('/') + 1);
      EXPECT_TRUE(schemas.contains(name)) << method.value().at("operationId") << " " << reference;
      used.insert(name);
    }
  }
  EXPECT_EQ(used.size(), schemas.size());
}

/// What docs/server.md has in its tables: the endpoint ("GET /api/v1/sessions/SESSION"), and the last cell of the line.
std::map<std::string, std::string> documented_endpoints() {
  std::map<std::string, std::string> endpoints;
  std::ifstream manual(test::project_file("docs/server.md"));
  for (std::string line; std::getline(manual, line);) {
    const std::size_t end_of_first = line.find(" | ");
    if (!line.starts_with("| `") || end_of_first == std::string::npos) continue;
    const std::string last = line.substr(line.rfind(" | ") + 3);
    const std::string scope = last.starts_with('`') ? last.substr(1, last.find('`', 1) - 1) : "";
    std::string_view names = std::string_view(line).substr(2, end_of_first - 2);
    while (names.starts_with('`')) {
      const std::size_t end = names.find('`', 1);
      endpoints.emplace(names.substr(1, end - 1), scope);
      names.remove_prefix(std::min(names.find('`', end + 1), names.size()));
    }
  }
  return endpoints;
}

TEST_F(Routes, EveryRouteIsInTheManualWithItsScope) {
  const auto manual = documented_endpoints();
  std::set<std::string> known{"GET /", "GET /web/NAME", "POST /api/v1/commands/NAME"};
  for (const Route& route : router.routes()) {
    if (is_of_page(route)) continue;
    std::string endpoint = route.method + " ";
    bool is_name = false;
    for (const char c : route.pattern) {  // "{segment}" is INDEX where the manual has a number
      if (c == '{' || c == '}') {
        is_name = c == '{';
      } else {
        endpoint += is_name ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      }
    }
    for (const std::string number : {"SEGMENT", "NOTE"}) {
      if (const std::size_t at = endpoint.find("/" + number); at != std::string::npos) {
        endpoint.replace(at + 1, number.size(), "INDEX");
      }
    }
    const bool is_command = endpoint.starts_with("POST /api/v1/commands/") && route.name != "toggle_recording";
    const auto found = manual.find(is_command ? route.name : endpoint);
    ASSERT_NE(found, manual.end()) << endpoint << " is not in docs/server.md";
    if (!is_command) EXPECT_EQ(found->second, route.scope == Scope::none ? "" : to_string(route.scope)) << endpoint;
    known.insert(endpoint);
  }
  for (const auto& [endpoint, scope] : manual) {
    if (endpoint.find(" /") != std::string::npos) EXPECT_TRUE(known.contains(endpoint)) << endpoint << " is no route";
  }
}

TEST_F(Routes, TheDocumentHasTheFieldsOfCommands) {
  const auto document = json_of("/openapi.json");
  const auto schema = [&](const std::string& name) {
    return document.at("paths")
        .at("/api/v1/commands/" + name)
        .at("post")
        .at("requestBody")
        .at("content")
        .at("application/json")
        .at("schema");
  };
  EXPECT_EQ(
      schema("set_muted"),
      parse(
          R"({"type":"object","properties":{"muted":{"type":"boolean"}},"additionalProperties":false,"required":["muted"]})"));
  EXPECT_EQ(schema("set_vad_mode").at("properties").at("mode").at("enum"), parse(R"(["normal","long_note"])"));
  EXPECT_EQ(
      schema("stop_recording"),
      parse(R"({"type":"object","properties":{"drain_sec":{"type":["number","null"]}},"additionalProperties":false})"));
}

TEST_F(Routes, EveryPathParameterIsDeclared) {
  for (const Route& route : router.routes()) {
    for (std::size_t at = route.pattern.find('{'); at != std::string::npos; at = route.pattern.find('{', at + 1)) {
      const std::string name = route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1);
      EXPECT_THAT(route.parameters,
                  Contains(AllOf(Field(&Parameter::name, name), Field(&Parameter::in, Parameter::In::path),
                                 Field(&Parameter::is_required, true))));
    }
  }
}

}  // namespace
}  // namespace dictum::server
