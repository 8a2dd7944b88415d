#include "journal/line_chain.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dictum::journal {
namespace {

using LineState = LineChain::LineState;

std::vector<std::string> sealed_lines() {
  LineChain chain;
  std::vector<std::string> lines;
  for (const char* line :
       {R"({"event":"A","sequence":0})", R"({"event":"B","sequence":1})", R"({"event":"C","sequence":2})"}) {
    lines.push_back(chain.sealed(line));
  }
  return lines;
}

std::vector<LineState> states_of(const std::vector<std::string>& lines) {
  LineChain chain;
  std::vector<LineState> found;
  for (const std::string& line : lines) found.push_back(chain.verify(line));
  return found;
}

TEST(LineChain, AddsAReadableFieldAtTheEndOfTheLine) {
  const auto lines = sealed_lines();
  EXPECT_EQ(lines[0].substr(0, lines[0].size() - 10), R"({"event":"A","sequence":0,"check":"00000000)");
  EXPECT_EQ(lines[1].substr(lines[1].size() - 18, 8), lines[0].substr(lines[0].size() - 10, 8));
}

TEST(LineChain, ComputesCRC32C) {
  // The check value of the polynomial: CRC-32C("123456789") is e3069283; here the former checksum follows the line.
  LineChain chain;
  EXPECT_EQ(chain.verify("123456789"), LineState::unverified);
  EXPECT_EQ(chain.sealed("{}").substr(11, 8), "e3069283");
}

TEST(LineChain, AcceptsWhatItSealed) {
  EXPECT_EQ(states_of(sealed_lines()), (std::vector{LineState::intact, LineState::intact, LineState::intact}));
}

TEST(LineChain, NoticesEveryByteThatWasChanged) {
  const auto lines = sealed_lines();
  for (std::size_t at = 0; at < lines[1].size(); ++at) {
    auto changed = lines;
    changed[1][at] = static_cast<char>(changed[1][at] ^ 1);
    const auto found = states_of(changed);
    EXPECT_NE(found[1], LineState::intact) << at;
    EXPECT_EQ(found[0], LineState::intact);
  }
}

TEST(LineChain, VerifiesALineByItselfBehindADamagedOne) {
  auto lines = sealed_lines();
  lines[1][10] = 'X';
  EXPECT_EQ(states_of(lines), (std::vector{LineState::intact, LineState::damaged, LineState::intact}));
}

TEST(LineChain, NoticesALineThatWasTakenOut) {
  const auto lines = sealed_lines();
  EXPECT_EQ(states_of({lines[0], lines[2]}), (std::vector{LineState::intact, LineState::displaced}));
}

TEST(LineChain, NoticesALineThatWasPutIn) {
  const auto lines = sealed_lines();
  EXPECT_EQ(states_of({lines[0], R"({"event":"B"})", lines[1]}),
            (std::vector{LineState::intact, LineState::unsealed, LineState::displaced}));
}

TEST(LineChain, ContinuesAJournalThatHasNoChecksums) {
  LineChain chain;
  const std::string old = R"({"event":"A","sequence":0})";
  EXPECT_EQ(chain.verify(old), LineState::unverified);
  const std::string next = chain.sealed(R"({"event":"B","sequence":1})");
  EXPECT_EQ(states_of({old, next}), (std::vector{LineState::unverified, LineState::intact}));
  EXPECT_EQ(states_of({R"({"event":"a","sequence":0})", next}),
            (std::vector{LineState::unverified, LineState::displaced}));
}

TEST(LineChain, DoesNotCompareWithALineThatItHasToForget) {
  const auto lines = sealed_lines();
  LineChain chain;
  chain.forget();
  EXPECT_EQ(chain.verify(lines[2]), LineState::intact);
}

}  // namespace
}  // namespace dictum::journal
