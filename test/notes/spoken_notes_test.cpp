// Real texts of recognisers (recorded by test/notes/record_texts) of spoken notes, other speech and sounds without
// speech, read by the dialogue: which of the commands and titles that were meant come out, and no others.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "notes/note_dialogue.hpp"
#include "support/test_data.hpp"

namespace dictum::notes {
namespace {

std::string name_of(NoteCommand command) {
  switch (command) {
    case NoteCommand::start:
      return "start";
    case NoteCommand::end:
      return "end";
    case NoteCommand::cancel:
      return "cancel";
    case NoteCommand::scratch:
      return "scratch";
    case NoteCommand::stop:
      return "stop";
    case NoteCommand::complete:
      break;
  }
  return "complete";
}

/// Empty where the texts of `model` were not recorded.
std::string texts_of(const std::string& model) {
  std::ifstream in(test::project_file("test/notes/texts_" + model + ".json"), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> strings(const boost::json::value& list) {
  return boost::json::value_to<std::vector<std::string>>(list);
}

SegmentText text_of(const boost::json::object& segment) {
  SegmentText text;
  text.success = segment.contains("text");
  if (!text.success) return text;
  text.text = boost::json::value_to<std::string>(segment.at("text"));
  text.suspect = segment.at("suspect").as_bool();
  for (const auto& phrase : segment.at("phrases").as_array()) {
    text.phrases.push_back({boost::json::value_to<std::string>(phrase.at("phrase")),
                            phrase.at("confidence").to_number<double>(), phrase.at("start_frame").to_number<Frame>(),
                            phrase.at("end_frame").to_number<Frame>()});
  }
  if (const auto* words = segment.if_contains("words")) {  // those that were recorded before have none
    for (const auto& value : words->as_array()) {
      const auto& word = value.as_array();
      text.words.push_back({boost::json::value_to<std::string>(word.at(0)), word.at(1).to_number<Frame>(),
                            word.at(2).to_number<Frame>(), 1});
    }
  }
  return text;
}

struct Notes {
  std::vector<std::string> commands;
  std::vector<std::string> titles;  // of completed notes, in lower case, without punctuation
};

/// Words in lower case without punctuation; whether a number is written in digits is the recogniser's choice.
std::string plain(const std::string& text) {
  static const std::map<std::string, std::string> kDigits = {
      {"one", "1"}, {"two", "2"},   {"three", "3"}, {"four", "4"}, {"five", "5"},
      {"six", "6"}, {"seven", "7"}, {"eight", "8"}, {"nine", "9"}, {"ten", "10"}};
  std::string words;
  for (const auto& word : split_words(text)) {
    const auto digit = kDigits.find(word.word);
    words += (words.empty() ? "" : " ") + (digit == kDigits.end() ? word.word : digit->second);
  }
  return words;
}

Notes dialogue_over(const boost::json::object& note, int sample_rate) {
  DialogueSettings settings;
  settings.sample_rate = sample_rate;
  NoteDialogue dialogue(settings);
  std::vector<Output> out;
  const auto& segments = note.at("segments").as_array();
  for (std::uint32_t i = 0; i < segments.size(); ++i) {
    const auto& segment = segments[i].as_object();
    const bool kept = segment.at("kept").as_bool();
    dialogue.segment_opened(i, segment.at("start").to_number<Frame>());
    dialogue.segment_closed(i, segment.at("end").to_number<Frame>(), kept);
    if (kept) dialogue.text_arrived(i, text_of(segment), out);
  }
  dialogue.recording_stopped(note.at("end_frame").to_number<Frame>(), out);
  Notes notes;
  for (const Output& output : out) {
    if (const auto* command = std::get_if<CommandDetected>(&output))
      notes.commands.push_back(name_of(command->command));
    if (const auto* ended = std::get_if<NoteEnded>(&output); ended && !ended->cancelled) {
      notes.titles.push_back(plain(ended->title));
    }
  }
  return notes;
}

/// The length of the longest common subsequence.
std::size_t in_common(const std::vector<std::string>& expected, const std::vector<std::string>& got) {
  std::vector<std::size_t> row(got.size() + 1);
  for (const auto& wanted : expected) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < got.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = wanted == got[j] ? diagonal + 1 : std::max(row[j], row[j + 1]);
      diagonal = above;
    }
  }
  return row.back();
}

using Recordings = std::vector<boost::json::object>;

/// Of one model and origin; empty where they were not recorded.
Recordings recordings(const std::string& model, const std::string& origin) {
  Recordings found;
  const std::string recorded = texts_of(model);
  if (recorded.empty()) return found;
  const auto texts = boost::json::parse(recorded).as_object();
  for (const auto& value : texts.at("notes").as_array()) {
    if (value.as_object().at("origin").as_string() == origin) found.push_back(value.as_object());
  }
  return found;
}

constexpr int kSampleRate = 16000;

std::string shown(const boost::json::object& recording, const Notes& got) {
  std::string text = boost::json::value_to<std::string>(recording.at("name")) + ": meant";
  for (const auto& command : strings(recording.at("commands"))) text += " " + command;
  for (const auto& title : strings(recording.at("titles"))) text += " \"" + title + "\"";
  text += "; got";
  for (const auto& command : got.commands) text += " " + command;
  for (const auto& title : got.titles) text += " \"" + title + "\"";
  for (const auto& segment : recording.at("segments").as_array()) {
    const auto* said = segment.as_object().if_contains("text");
    text += " | " + (said == nullptr ? std::string("-") : boost::json::value_to<std::string>(*said));
  }
  return text;
}

/// Those of `titles` that the recogniser wrote as they were meant: from the others nobody can make them.
std::size_t written_right(const std::vector<std::string>& titles, const boost::json::object& recording) {
  return static_cast<std::size_t>(std::ranges::count_if(titles, [&](const std::string& title) {
    return std::ranges::any_of(recording.at("segments").as_array(), [&](const boost::json::value& segment) {
      const auto* said = segment.as_object().if_contains("text");
      return said != nullptr && plain(boost::json::value_to<std::string>(*said)).find(title) != std::string::npos;
    });
  }));
}

/// What the dialogue is known to find of these texts: it may become better, not worse.
struct Measured {
  const char* model;
  const char* origin;
  std::size_t commands;
  std::size_t titles;
};

class SpokenNotes : public testing::TestWithParam<Measured> {};

TEST_P(SpokenNotes, GiveTheCommandsAndTitlesThatWereMeantAndNoOthers) {
  const auto notes = recordings(GetParam().model, GetParam().origin);
  ASSERT_FALSE(notes.empty()) << "run test/notes/record_texts";
  std::size_t commands = 0, commands_found = 0, titles = 0, titles_written = 0, titles_found = 0;
  for (const auto& note : notes) {
    const auto meant = strings(note.at("commands"));
    auto meant_titles = strings(note.at("titles"));
    std::ranges::transform(meant_titles, meant_titles.begin(), plain);
    const Notes got = dialogue_over(note, kSampleRate);
    const std::size_t found = in_common(meant, got.commands);
    const std::size_t exact = in_common(meant_titles, got.titles);
    EXPECT_EQ(found, got.commands.size()) << "false command: " << shown(note, got);
    if (found < meant.size() || exact < meant_titles.size()) std::cout << "missed: " << shown(note, got) << "\n";
    commands += meant.size();
    commands_found += found;
    titles += meant_titles.size();
    titles_written += written_right(meant_titles, note);
    titles_found += exact;
  }
  std::cout << commands_found << " of " << commands << " commands, " << titles_found << " of " << titles
            << " titles exact; " << titles_written << " titles are written right in the texts\n";
  EXPECT_GE(commands_found, GetParam().commands);
  EXPECT_GE(titles_found, GetParam().titles);
}

constexpr Measured kMeasured[] = {
    {"base", "shared", 21, 7},
    {"base", "ours", 54, 13},
    {"tiny.en", "shared", 21, 6},
    {"tiny.en", "ours", 54, 13},
};

std::string without_dots(std::string name) {
  std::erase(name, '.');
  return name;
}

INSTANTIATE_TEST_SUITE_P(RealTexts, SpokenNotes, testing::ValuesIn(kMeasured), [](const auto& test) {
  return without_dots(std::string(test.param.model) + "_" + test.param.origin);
});

class OtherRecordings : public testing::TestWithParam<const char*> {};

TEST_P(OtherRecordings, GiveNoCommandThatWasNotSaid) {
  const auto speech = recordings(GetParam(), "audio");
  ASSERT_FALSE(speech.empty()) << "run test/notes/record_texts";
  for (const auto& recording : speech) {
    const Notes got = dialogue_over(recording, kSampleRate);
    EXPECT_EQ(in_common(strings(recording.at("commands")), got.commands), got.commands.size()) << shown(recording, got);
  }
}

TEST_P(OtherRecordings, LoseNoSpeech) {
  for (const auto& recording : recordings(GetParam(), "audio")) {
    for (const auto& value : recording.at("segments").as_array()) {
      const auto& segment = value.as_object();
      EXPECT_TRUE(segment.at("kept").as_bool()) << shown(recording, {});
      EXPECT_FALSE(segment.at("text").as_string().empty()) << shown(recording, {});
    }
  }
}

TEST_P(OtherRecordings, WithoutSpeechGiveNoCommandAndNoTextThatIsNotMarked) {
  const auto sounds = recordings(GetParam(), "silent");
  ASSERT_FALSE(sounds.empty()) << "run test/notes/record_texts";
  for (const auto& recording : sounds) {
    const Notes got = dialogue_over(recording, kSampleRate);
    EXPECT_TRUE(got.commands.empty()) << shown(recording, got);
    for (const auto& value : recording.at("segments").as_array()) {
      const auto& segment = value.as_object();
      const auto* text = segment.if_contains("text");
      if (text == nullptr || text->as_string().empty()) continue;
      EXPECT_TRUE(segment.at("suspect").as_bool()) << shown(recording, {});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(RealTexts, OtherRecordings, testing::Values("base", "tiny.en"),
                         [](const auto& test) { return without_dots(test.param); });

}  // namespace
}  // namespace dictum::notes
