#include "screens.hpp"

#include <utility>

#include "story.hpp"

namespace dictum::test {
namespace {

using tui::Page;
using tui::Palette;
using tui::Size;
using tui::View;

constexpr Size kUsual{80, 24};
constexpr Size kWide{160, 50};

constexpr const char* kLong =
    "The long meeting began with a discussion of the budget, went on to who would answer for the harbour, came back to "
    "the budget twice, and ended, after everybody had said what they had come to say, with the decision to meet again "
    "on the first Thursday of the next month.";

/// Somebody dictates a shopping list.
Story note_story() {
  Story story;
  story.start().emit(WorkerStatus{"pocketsphinx-0", WorkerState::ready, ""});
  story.said(0, 3, "start a new note").emit(NoteCommandDetected{0, NoteCommand::start});
  story.said(1, 8, "shopping list").emit(NoteTitleCaptured{1, "shopping list"});
  story.said(2, 13, "buy some bread and a bottle of milk");
  story.said(3, 18, "the shop closes at seven in the evening");
  return story;
}

Story busy_story() {
  Story story = note_story();
  story.at(23).begin_speech(4).at(25).end_speech(4).emit(WorkerStatus{"pocketsphinx-0", WorkerState::busy, ""});
  story.emit(TranscriptionPartial{4, "do not forget the coffee and", 24});
  story.emit(QueueStatus{1, 4, 1.2});
  story.at(26).begin_speech(5).sound(27.2, 25.9).emit(TranscriptionPartial{5, "and some", 3});
  return story;
}

Story many_lines(std::uint32_t count) {
  Story story;
  story.start();
  for (std::uint32_t i = 0; i < count; ++i) story.said(i, 5.0 * i, "this is sentence number " + std::to_string(i));
  return story;
}

Story library_story() {
  using State = tui::Passage::State;
  Story story = note_story();
  story.at(24).state(RecordingState::idle);
  const auto session = [](std::string name, double started, double length, std::size_t segments, std::size_t notes,
                          std::string text) {
    tui::SessionEntry entry;
    entry.path = "/home/ann/.local/share/dictum/sessions/" + name;
    entry.name = std::move(name);
    entry.started_at = started;
    entry.duration = length;
    entry.segments = segments;
    entry.notes = notes;
    entry.first_text = std::move(text);
    return entry;
  };
  story.model.sessions = {
      session(Story::kSession, Story::kStart, 24, 4, 1, "start a new note"),
      session("20261121_090210", Story::kStart - 110000, 3720, 412, 7, "good morning, this is the harbour office"),
      session("20261120_181500", Story::kStart - 190000, 61, 3, 0, "ask not what your country can do for you")};
  story.model.sessions->push_back(session("20261119_120000", Story::kStart - 300000, 0, 0, 0, ""));
  story.model.sessions->back().problem = "The manifest is damaged: line 4 is no JSON.";
  const auto passage = [](std::uint32_t segment, double position, std::string text, State state = State::done) {
    tui::Passage made;
    made.segment = segment;
    made.position = position;
    made.text = std::move(text);
    made.state = state;
    return made;
  };
  story.model.open_session = tui::OpenSession{
      story.model.sessions->at(2).path,
      "20261120_181500",
      {passage(0, 0.4, "and so, my fellow Americans"), passage(1, 4.1, "ask not what your country can do for you"),
       passage(2, 8.2, "ask what you can do for your country"),
       passage(3, 15.0, "no text: the engine did not answer in time", State::failed),
       passage(4, 21.0, "being transcribed", State::awaited)}};
  story.model.transcriber = "whisper, base-q8_0";
  return story;
}

View on(Page page, std::size_t selected = 0) {
  View view;
  view.page = page;
  view.selected = selected;
  return view;
}

View about_session(Page page, std::size_t selected = 0) {
  View view = on(page, selected);
  view.session = "/home/ann/.local/share/dictum/sessions/20261120_181500";
  return view;
}

View filtered(Page page, std::string words, tui::Filter::State state) {
  View view = on(page);
  view.filter = {state, tui::TextInput(std::move(words))};
  return view;
}

}  // namespace

std::vector<NamedScreen> screens() {
  std::vector<NamedScreen> all;
  const auto add = [&all](std::string name, const Story& story, View view = {}, Size size = kUsual,
                          Palette::Colours colours = Palette::Colours::many) {
    all.push_back({std::move(name), story.model, std::move(view), size, colours});
  };

  // The states of a recorder.
  add("idle", Story());
  Story remote;
  remote.model.privacy = "What you say is sent to api.openai.com to be transcribed.";
  add("idle_with_a_server", remote);
  add("starting", Story().state(RecordingState::starting));
  add("recording_silence", Story().start().sound(6, 0));
  add("listening", Story().start().at(3).begin_speech(0).sound(6, 9));
  add("silence_counts_down", Story().start().at(3).begin_speech(0).sound(6, 5.5));
  add("long_note_mode",
      Story().start().emit(VADModeChanged{VADMode::long_note, 5000}).at(1).begin_speech(0).sound(6, 2.8));
  add("paused", note_story().sound(22, 20).state(RecordingState::paused));
  add("muted", note_story().sound(22, 10).state(RecordingState::recording, true));
  add("stopping", busy_story().state(RecordingState::stopping));
  add("stopped", note_story().at(24).state(RecordingState::stopping).state(RecordingState::idle));
  add("failed",
      note_story()
          .at(24)
          .emit(RecorderFault{"disk_full", "There is no room left in /home/ann: the recording was ended.", false})
          .state(RecordingState::failed));

  // Segments.
  add("interim_text", busy_story());
  add("transcribing",
      Story().start().at(2).begin_speech(0).at(4).end_speech(0).at(7).emit(QueueStatus{1, 0, 3}).sound(7.3, 4));
  add("discarded", Story().start().at(2).begin_speech(0).at(2.1).end_speech(0, false));
  add("transcription_failed", note_story().at(23).begin_speech(4).at(25).end_speech(4).at(58).failure(
                                  4, "deadline_exceeded", "The engine did not answer within 30 s, three times."));
  add("nothing_understood_and_suspect", [] {
    Story story;
    story.start().said(0, 2, "");
    TranscriptionComplete complete{.segment_index = 1,
                                   .text = "Thanks for watching!",
                                   .success = true,
                                   .error = {},
                                   .processing_time_sec = 1,
                                   .words = {},
                                   .no_speech_probability = 0.9,
                                   .suspect = true,
                                   .revision = 0};
    story.at(5).begin_speech(1).at(6).end_speech(1).at(7).emit(complete);
    return story;
  }());
  add("revision", note_story().at(60).emit(TranscriptionComplete{.segment_index = 2,
                                                                 .text = "buy some bread and a bottle of cold milk",
                                                                 .success = true,
                                                                 .error = {},
                                                                 .processing_time_sec = 2.5,
                                                                 .words = {},
                                                                 .no_speech_probability = {},
                                                                 .suspect = false,
                                                                 .revision = 1}));
  add("long_text", note_story().said(4, 24, kLong, 3.1));

  // Notes and notifications.
  add("note_without_title",
      Story().start().said(0, 2, "start a new note").emit(NoteCommandDetected{0, NoteCommand::start}).sound(7, 3));
  add("note_completed",
      note_story()
          .said(4, 24, "end note")
          .emit(NoteCommandDetected{4, NoteCommand::end})
          .emit(NoteCompleted{"shopping list",
                              "buy some bread and a bottle of milk the shop closes at seven in the evening",
                              {2, 3},
                              "/n.md"}));
  add("note_cancelled", note_story()
                            .said(4, 24, "cancel the note")
                            .emit(NoteCommandDetected{4, NoteCommand::cancel})
                            .emit(NoteCancelled{"shopping list", "buy some bread", {2}, "/n.md"}));
  add("gap", note_story().at(25).emit(AudioGap{1, 16000, GapReason::overflow}));
  add("device_changed", note_story().at(25).emit(DeviceChanged{"Jabra Evolve2 65", "the one before was unplugged"}));
  add("fault_repeated", [] {
    Story story = note_story();
    for (int i = 0; i < 4; ++i)
      story.at(25 + i).emit(RecorderFault{
          "device_lost",
          "The input device \"Jabra\" has stopped delivering audio. Recording goes on when audio comes again.", true});
    return story;
  }());
  add("worker_failed",
      note_story().at(25).emit(WorkerStatus{"pocketsphinx-0", WorkerState::failed, "killed by signal 9"}));

  // Text of every kind.
  add("chinese", Story()
                     .start()
                     .said(0, 2,
                           "你好，这是一条很长的中文语音记录，用来检查宽字符在换行的时候是不是仍然对齐，每一行都应该在"
                           "正确的位置结束。")
                     .said(1, 9, "日本語とEnglishが混ざった文章です"));
  add("emoji",
      Story()
          .start()
          .said(0, 2,
                "party 🎉 at eight 🕗 bring 🍕🍕🍕 and 👩‍👩‍👧‍👦 everybody 👍🏽 from "
                "🇩🇪")
          .said(1, 9, "🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉"));
  add("combining", Story().start().said(
                       0, 2,
                       "A\xcc\x8angstro\xcc\x88m, na\xc3\xafve cafe\xcc\x81, Z\xcc\xb5\xcc\xa1\xcc\x9b\xcc\x9a\xcc\x8e"
                       "algo, \xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80"));
  add("indic", Story().start().said(0, 2, "हिन्दी में एक वाक्य").said(1, 8, "தமிழ் மொழி"));
  add("emoji_of_every_age", Story().start().said(0, 2, "☎ ☁️ 🎉 🫠").said(1, 8, "각 각"));
  add("right_to_left", Story().start().said(0, 2, "שלום עולם and back").said(1, 8, "مرحبا بالعالم"));
  add("control_characters",
      Story()
          .start()
          .said(0, 2,
                "\x1b[2J\x1b[31mred\x07 bell \x9b\x08\x7f <b>markup</b> \xe2\x80\xaegnitirw\xff\xfe end\r\nnext\tcell")
          .emit(RecorderFault{"internal", "a fault with \x1b]0;title\x07 in it", true}));
  add("long_word", Story().start().said(0, 2, std::string(200, 'x')));

  // Pages.
  add("help", note_story(), on(Page::help));
  add("page_over_wide_characters",
      Story()
          .start()
          .said(0, 2, "十个汉字在这里一共十个汉字在这里一共十个汉字在这里一共")
          .said(1, 8, "a十个汉字在这里一共十个汉字在这里一共十个汉字在这里一共"),
      on(Page::devices));
  add(
      "devices",
      [] {
        Story story = note_story();
        story.model.devices = {
            {"pulse:a", "a", "Built-in Audio Analog Stereo", true},
            {"pulse:b", "b", "Jabra Evolve2 65 Mono", false},
            {"pulse:c", "c", "Elgato Wave:3 — a microphone with a name that is far too long for its row, truly",
             false}};
        return story;
      }(),
      on(Page::devices, 1));
  add("devices_looked_for", note_story(), on(Page::devices));
  add("sessions", library_story(), on(Page::sessions, 1));
  add("sessions_wide", library_story(), on(Page::sessions, 1), kWide);
  add(
      "reading",
      [] {
        Story story = library_story();
        story.model.playing =
            tui::Playing{story.model.open_session->path, 1, 4.1, "ask not what your country can do for you"};
        return story;
      }(),
      about_session(Page::reading, 2));
  add("reading_a_failure", library_story(), about_session(Page::reading, 3));
  add("reading_wide", library_story(), about_session(Page::reading, 1), kWide);
  add("exporting", library_story(), about_session(Page::exporting, 2));
  add("editing", library_story(), [] {
    View view = about_session(Page::editing);
    view.segment = 2;
    view.edited = tui::TextInput(kLong);
    for (int i = 0; i < 40; ++i) view.edited.press("left");
    return view;
  }());
  add("deleting", library_story(), about_session(Page::deleting));
  add("redoing", library_story(), about_session(Page::redoing));
  add("sessions_being_filtered", library_story(), filtered(Page::sessions, "harbour", tui::Filter::State::typing));
  add("sessions_filtered", library_story(), filtered(Page::sessions, "2026-11-2 country", tui::Filter::State::on));
  add("sessions_filtered_away", library_story(), filtered(Page::sessions, "zebra", tui::Filter::State::on));
  add("sessions_after_a_deletion",
      [] {
        Story story = library_story();
        const auto deleted = story.model.sessions->at(2).path;
        story.model = tui::forget(std::move(story.model), deleted);
        story.model = tui::notify(std::move(story.model), tui::Weight::information, "deleted 20261120_181500");
        return story;
      }(),
      on(Page::sessions, 1), {100, 30});
  add("sessions_while_one_is_transcribed_again",
      [] {
        Story story = library_story();
        story.model.transcribing = tui::Transcribing{story.model.sessions->at(1).path, 3};
        return story;
      }(),
      on(Page::sessions, 1), {100, 32});
  add(
      "search",
      [] {
        Story story = library_story();
        story.model.hits = {
            {"/s/20261122_154501", 2, 13, Story::kStart + 13, "buy some bread and a bottle of milk", "", {{9, 5}}},
            {"/s/20261122_154501",
             2,
             13,
             Story::kStart + 13,
             "buy some bread and a bottle of milk the shop closes at seven in the evening",
             "shopping list",
             {{9, 5}}},
            {"/s/20261121_090210",
             9,
             31,
             Story::kStart - 109000,
             kLong + std::string(" And somebody had brought bread."),
             "",
             {}}};
        story.model.hits->back().marks = {{story.model.hits->back().text.find("bread"), 5}};
        return story;
      }(),
      [] {
        View view = on(Page::search, 1);
        view.query = tui::TextInput("bread");
        return view;
      }());
  add(
      "search_nothing",
      [] {
        Story story = library_story();
        story.model.hits.emplace();
        return story;
      }(),
      [] {
        View view = on(Page::search);
        view.query = tui::TextInput("zebra crossing");
        return view;
      }());
  add(
      "notes",
      [] {
        Story story = library_story();
        story.model.stored_notes = {{"/s/20261122_154501", 2, Story::kStart + 13, "shopping list",
                                     "buy some bread and a bottle of milk the shop closes at seven in the evening"},
                                    {"/s/20261121_090210", 9, Story::kStart - 109000, "what to tell Ann", kLong}};
        return story;
      }(),
      on(Page::notes, 1));
  add(
      "notes_none",
      [] {
        Story story = library_story();
        story.model.stored_notes.emplace();
        return story;
      }(),
      on(Page::notes));
  add(
      "notes_none_with_own_phrases",
      [] {
        Story story = library_story();
        story.model.stored_notes.emplace();
        story.model.spoken = {{"neue Notiz", "begin a note; its title is said next"}};
        return story;
      }(),
      on(Page::notes));
  add(
      "reading_with_notes",
      [] {
        Story story = library_story();
        for (const std::uint32_t segment : {1u, 2u}) story.model.open_session->passages[segment].note = "a speech";
        story.model.open_session->passages[1].begins_note = true;
        story.model.open_session->passages[2].is_edited = true;
        story.model.open_session->passages[4].text = kLong;
        story.model.open_session->passages[4].state = tui::Passage::State::done;
        return story;
      }(),
      about_session(Page::reading, 2));
  add(
      "help_with_spoken_commands",
      [] {
        Story story = note_story();
        story.model.spoken = {{"start a new note", "begin a note; its title is said next"},
                              {"end note", "complete it"}};
        return story;
      }(),
      on(Page::help));
  add("leaving", busy_story().state(RecordingState::stopping), on(Page::leaving));

  // Sizes and colours.
  add("tiny",
      busy_story().emit(RecorderFault{"device_lost", "The input device \"Jabra\" has stopped delivering audio.", true}),
      {}, {60, 16});
  add("tiny_idle", Story(), {}, {60, 16});
  add("tiny_help", busy_story(), on(Page::help), {60, 16});
  add("tiny_sessions", library_story(), on(Page::sessions), {60, 16});
  add("smaller_than_that", busy_story(), {}, {30, 8});
  add("wide",
      busy_story().emit(RecorderFault{
          "device_lost",
          "The input device \"Jabra\" has stopped delivering audio. Recording goes on when audio comes again.", true}),
      {}, kWide);
  add("wide_and_low", busy_story().said(6, 30, kLong), {}, {120, 26});
  add("huge", busy_story(), {}, {250, 70});
  add("between", busy_story(), {}, {119, 35});
  add("scrolled_back", many_lines(60), [] {
    View view;
    view.anchor = 30;
    return view;
  }());
  add("scrolled_to_the_top", many_lines(60), [] {
    View view;
    view.anchor = 0;
    return view;
  }());
  add("second_session", [] {
    Story first = many_lines(3);
    first.state(RecordingState::idle);
    Story second("20261122_160000");
    second.model = first.model;
    return second.at(900).start().said(0, 901, "and now to something else");
  }());
  add("monochrome", busy_story(), {}, kUsual, Palette::Colours::none);
  add(
      "monochrome_devices",
      [] {
        Story story = note_story();
        story.model.devices = {{"pulse:a", "a", "Built-in Audio Analog Stereo", true},
                               {"pulse:b", "b", "Jabra Evolve2 65 Mono", false}};
        return story;
      }(),
      on(Page::devices, 1), kUsual, Palette::Colours::none);
  add("colours_256", busy_story(), {}, kUsual, Palette::Colours::few);
  all.push_back({"other_keys",
                 note_story().model,
                 {},
                 kUsual,
                 Palette::Colours::many,
                 tui::KeyMap({{"record", "f1"}, {"pause", "ctrl-p"}, {"quit", "x"}})});
  return all;
}

}  // namespace dictum::test
