#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "dictum/event.hpp"
#include "support/running_program.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::test {

/// `dictum` with a home of its own: no settings, sessions or sound server of whoever runs the tests.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest();

  /// To be run with the fixture's environment.
  ProgramSettings dictum(std::vector<std::string> arguments) const;

  /// `dictum record` into sessions(), with these arguments on top.
  ProgramSettings record(std::vector<std::string> arguments) const;

  ProgramResult run(std::vector<std::string> arguments) const { return run_program(dictum(std::move(arguments))); }

  /// Every session that is there, by name.
  std::vector<std::filesystem::path> sessions() const;

  /// The one that is there.
  std::filesystem::path session() const;

  /// Seven seconds at 16 kHz, with a tone, which the energy detector takes for speech, from 2 s to 3.5 s.
  std::filesystem::path tone() const;

  /// `seconds` of half a second of tone and half a second of silence, again and again.
  std::filesystem::path beeps(double seconds) const;

  TemporaryDirectory folder;
};

/// The lines of a text, each without its line break.
std::vector<std::string> lines(const std::string& text);

/// The events of standard output; a line that is none is a failure of the test.
std::vector<Event> events(const std::string& out);

/// How many of the events are `Body`.
template <class Body>
std::vector<Body> bodies(const std::vector<Event>& all) {
  std::vector<Body> found;
  for (const Event& event : all) {
    if (const auto* body = std::get_if<Body>(&event.body)) found.push_back(*body);
  }
  return found;
}

std::string contents(const std::filesystem::path& file);

}  // namespace dictum::test
