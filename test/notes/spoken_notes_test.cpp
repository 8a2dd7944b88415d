// Real texts of recognisers for spoken notes (recorded by test/notes/record_texts), read by the dialogue: which of the
// commands and titles that were meant come out.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
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
  return text;
}

struct Notes {
  std::vector<std::string> commands;
  std::vector<std::string> titles;  // of completed notes, in lower case, without punctuation
};

std::string plain(const std::string& title) {
  std::string words;
  for (const auto& word : split_words(title)) words += (words.empty() ? "" : " ") + word.word;
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

struct Expectation {
  const char* model;
  const char* origin;
  double commands;  // share of those that were meant
  double titles;
};

class SpokenNotes : public testing::TestWithParam<Expectation> {};

TEST_P(SpokenNotes, GiveTheCommandsAndTitlesThatWereMeantAndNoOthers) {
  const std::string recorded = texts_of(GetParam().model);
  if (recorded.empty()) GTEST_SKIP() << "no texts of " << GetParam().model << ": run test/notes/record_texts";
  const auto texts = boost::json::parse(recorded).as_object();
  const int rate = texts.at("sample_rate").to_number<int>();
  std::size_t commands = 0, commands_found = 0, titles = 0, titles_found = 0;
  for (const auto& value : texts.at("notes").as_array()) {
    const auto& note = value.as_object();
    if (note.at("origin").as_string() != GetParam().origin) continue;
    const auto meant = strings(note.at("commands"));
    auto meant_titles = strings(note.at("titles"));
    std::ranges::transform(meant_titles, meant_titles.begin(), plain);
    const Notes got = dialogue_over(note, rate);
    const std::size_t found = in_common(meant, got.commands);
    EXPECT_EQ(found, got.commands.size()) << "false command in " << note.at("name").as_string();
    commands += meant.size();
    commands_found += found;
    titles += meant_titles.size();
    titles_found += in_common(meant_titles, got.titles);
  }
  ASSERT_GT(commands, 0U);
  RecordProperty("commands", std::to_string(commands_found) + " of " + std::to_string(commands));
  RecordProperty("titles", std::to_string(titles_found) + " of " + std::to_string(titles));
  EXPECT_GE(static_cast<double>(commands_found), GetParam().commands * static_cast<double>(commands))
      << commands_found << " of " << commands;
  EXPECT_GE(static_cast<double>(titles_found), GetParam().titles * static_cast<double>(titles))
      << titles_found << " of " << titles;
}

constexpr Expectation kExpectations[] = {
    {"base", "shared", 0.90, 0.75},
    {"tiny.en", "shared", 0.85, 0.75},
};
INSTANTIATE_TEST_SUITE_P(RealTexts, SpokenNotes, testing::ValuesIn(kExpectations), [](const auto& test) {
  std::string name = std::string(test.param.model) + "_" + test.param.origin;
  std::erase(name, '.');
  return name;
});

}  // namespace
}  // namespace dictum::notes
