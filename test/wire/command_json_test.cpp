#include "wire/command_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.hpp"

namespace dictum::wire {
namespace {

const std::vector<std::pair<Command, std::string>>& commands() {
  static const std::vector<std::pair<Command, std::string>> kCommands{
      {StartRecording{}, R"({"command":"start_recording"})"},
      {CancelStart{}, R"({"command":"cancel_start"})"},
      {StopRecording{}, R"({"command":"stop_recording","drain_sec":null})"},
      {StopRecording{2.5}, R"({"command":"stop_recording","drain_sec":2.5})"},
      {PauseRecording{}, R"({"command":"pause_recording"})"},
      {ResumeRecording{}, R"({"command":"resume_recording"})"},
      {SetVADMode{VADMode::long_note}, R"({"command":"set_vad_mode","mode":"long_note"})"},
      {SetMuted{true}, R"({"command":"set_muted","muted":true})"},
      {SetDevice{"Desk \"one\""}, R"({"command":"set_device","device":"Desk \"one\""})"},
      {SetVocabulary{{"Kovacs", "Tallinn"}}, R"({"command":"set_vocabulary","vocabulary":["Kovacs","Tallinn"]})"},
      {CompleteNote{}, R"({"command":"complete_note"})"},
      {RetryFailed{}, R"({"command":"retry_failed"})"},
      {WaitUntilIdle{}, R"({"command":"wait_until_idle"})"},
  };
  return kCommands;
}

TEST(CommandJSON, EveryCommandIsWrittenByItsNameAndFields) {
  for (const auto& [command, text] : commands()) EXPECT_EQ(dictum::json::to_line(to_json(command)), text);
}

TEST(CommandJSON, EveryCommandIsReadBack) {
  for (const auto& [command, text] : commands()) EXPECT_EQ(parse_command(text), command) << text;
}

TEST(CommandJSON, AnOptionalFieldMayBeMissing) {
  EXPECT_EQ(parse_command(R"({"command":"stop_recording"})"), Command(StopRecording{}));
}

TEST(CommandJSON, AWholeNumberIsANumber) {
  EXPECT_EQ(parse_command(R"({"command":"stop_recording","drain_sec":-1})"), Command(StopRecording{-1}));
}

TEST(CommandJSON, WhatIsNoCommandIsRefusedWithItsReason) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "JSON object"},
      {"[]", "with a \"command\""},
      {"{}", "with a \"command\""},
      {R"({"command":7})", "with a \"command\""},
      {R"({"command":"explode"})", "no command \"explode\""},
      {R"({"command":"set_muted"})", "needs \"muted\": true or false"},
      {R"({"command":"set_muted","muted":"yes"})", "needs \"muted\": true or false"},
      {R"({"command":"set_muted","muted":true,"mute":true})", "a field that is not known"},
      {R"({"command":"set_vad_mode","mode":"loud"})", "\"normal\" or \"long_note\""},
      {R"({"command":"set_device","device":null})", "needs \"device\": a text"},
      {"{\"command\":\"set_device\",\"device\":\"a\\u0000b\"}", "needs \"device\": a text"},
      {R"({"command":"set_vocabulary","vocabulary":"Kovacs"})", "needs \"vocabulary\": a list of texts"},
      {R"({"command":"set_vocabulary","vocabulary":["Kovacs",7]})", "needs \"vocabulary\": a list of texts"},
      {R"({"command":"stop_recording","drain_sec":"soon"})", "a number, or null"},
  };
  for (const auto& [text, reason] : wrong) {
    try {
      parse_command(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), make_error_code(Errc::invalid_argument)) << text;
      EXPECT_THAT(error.what(), testing::HasSubstr(reason)) << text;
    }
  }
}

}  // namespace
}  // namespace dictum::wire
