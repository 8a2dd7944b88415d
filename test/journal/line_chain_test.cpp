#include "journal/line_chain.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dictum::journal {
namespace {

using Verdict = LineChain::Verdict;

std::vector<std::string> sealed_lines() {
  LineChain chain;
  std::vector<std::string> lines;
  for (const char* line :
       {R"({"event":"A","sequence":0})", R"({"event":"B","sequence":1})", R"({"event":"C","sequence":2})"}) {
    lines.push_back(chain.sealed(line));
  }
  return lines;
}

std::vector<Verdict> verdicts(const std::vector<std::string>& lines) {
  LineChain chain;
  std::vector<Verdict> found;
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
  EXPECT_EQ(chain.verify("123456789"), Verdict::unverified);
  EXPECT_EQ(chain.sealed("{}").substr(11, 8), "e3069283");
}

TEST(LineChain, AcceptsWhatItSealed) {
  EXPECT_EQ(verdicts(sealed_lines()), (std::vector{Verdict::intact, Verdict::intact, Verdict::intact}));
}

TEST(LineChain, NoticesEveryByteThatWasChanged) {
  const auto lines = sealed_lines();
  for (std::size_t at = 0; at < lines[1].size(); ++at) {
    auto changed = lines;
    changed[1][at] = static_cast<char>(changed[1][at] ^ 1);
    const auto found = verdicts(changed);
    EXPECT_NE(found[1], Verdict::intact) << at;
    EXPECT_EQ(found[0], Verdict::intact);
  }
}

TEST(LineChain, VerifiesALineByItselfBehindADamagedOne) {
  auto lines = sealed_lines();
  lines[1][10] = 'X';
  EXPECT_EQ(verdicts(lines), (std::vector{Verdict::intact, Verdict::damaged, Verdict::intact}));
}

TEST(LineChain, NoticesALineThatWasTakenOut) {
  const auto lines = sealed_lines();
  EXPECT_EQ(verdicts({lines[0], lines[2]}), (std::vector{Verdict::intact, Verdict::displaced}));
}

TEST(LineChain, NoticesALineThatWasPutIn) {
  const auto lines = sealed_lines();
  EXPECT_EQ(verdicts({lines[0], R"({"event":"B"})", lines[1]}),
            (std::vector{Verdict::intact, Verdict::unsealed, Verdict::displaced}));
}

TEST(LineChain, ContinuesAJournalThatHasNoChecksums) {
  LineChain chain;
  const std::string old = R"({"event":"A","sequence":0})";
  EXPECT_EQ(chain.verify(old), Verdict::unverified);
  const std::string next = chain.sealed(R"({"event":"B","sequence":1})");
  EXPECT_EQ(verdicts({old, next}), (std::vector{Verdict::unverified, Verdict::intact}));
  EXPECT_EQ(verdicts({R"({"event":"a","sequence":0})", next}), (std::vector{Verdict::unverified, Verdict::displaced}));
}

TEST(LineChain, DoesNotCompareWithALineThatItHasToForget) {
  const auto lines = sealed_lines();
  LineChain chain;
  chain.forget();
  EXPECT_EQ(chain.verify(lines[2]), Verdict::intact);
}

}  // namespace
}  // namespace dictum::journal
