#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "program_fixture.hpp"

/// What TZ and TZDIR may say, whoever sets them.
namespace dictum {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class TimeZone : public test::ProgramTest {
 protected:
  TimeZone() {
    const auto made = test::run_program(record({"--vad", "energy", "--transcriber", "none", "--input", tone()}));
    EXPECT_EQ(made.exit_code, 0) << made.err;
    fs::create_directory(zones_);
    EXPECT_EQ(::mkfifo((zones_ / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(::mkfifo((zones_ / "posixrules").c_str(), 0600), 0);
    std::ofstream(zones_ / "large") << "TZif2";
    fs::resize_file(zones_ / "large", std::uintmax_t{1} << 40);
  }

  /// The commands that ask for the local time, each to its end.
  std::vector<test::ProgramResult> results(const std::string& zone, const std::string& folder_of_zones = {}) const {
    std::vector<test::ProgramResult> all;
    const std::vector<std::vector<std::string>> commands = {
        {"sessions", "list"},
        {"sessions", "show", "last"},
        {"sessions", "search", "--from", "2026-01-01", "--before", "2026-01-02"},
        {"sessions", "prune", "--dry-run", "--older-than", "1d"},
    };
    for (auto command : commands) {
      command.insert(command.end(), {"--output-dir", (folder / "sessions").string()});
      auto settings = dictum(std::move(command));
      settings.arguments.insert(settings.arguments.begin(), {"TZ=" + zone, settings.executable});
      settings.executable = "/usr/bin/env";  // an empty value is one, too
      settings.environment["TZDIR"] = folder_of_zones;
      all.push_back(test::run_program(std::move(settings), 20s));
    }
    return all;
  }

  const fs::path zones_ = folder / "zones";
};

TEST_F(TimeZone, NoCommandWaitsForAZoneThatIsNoFile) {
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {":" + (zones_ / "pipe").string(), ""},
      {(zones_ / "pipe").string(), ""},
      {"pipe", zones_},
      {":pipe", zones_},
      {"../../.." + (zones_ / "pipe").string(), ""},
      {"AAA3BBB", zones_},
      {(zones_ / "large").string(), ""},
      {"/dev/zero", ""},
  };
  for (const auto& [zone, folder_of_zones] : hostile) {
    SCOPED_TRACE(zone + " in '" + folder_of_zones + "'");
    const auto all = results(zone, folder_of_zones);
    EXPECT_EQ(all[0].exit_code, 0);
    EXPECT_THAT(all[0].out, HasSubstr(" +00:00"));
    for (const auto& result : all) {
      EXPECT_EQ(result.signal, 0);
      EXPECT_THAT(result.err, HasSubstr("Times are shown in UTC"));
    }
  }
}

TEST_F(TimeZone, ListsWorkWhateverTheZoneIsCalled) {
  const std::vector<std::string> unusual = {"",
                                            ":",
                                            "Nonsense",
                                            "America",
                                            "\x1b[31m",
                                            "<+03>-3",
                                            "AAA99999BBB,J0",
                                            std::string(100'000, 'x'),
                                            "/nowhere/at/all"};
  for (const std::string& zone : unusual) {
    SCOPED_TRACE(zone.substr(0, 100));
    const auto all = results(zone);
    for (const auto& result : all) {
      EXPECT_EQ(result.signal, 0);
      EXPECT_THAT(result.err, Not(HasSubstr("time zone")));
    }
    EXPECT_THAT(all[0].out, HasSubstr(session().filename().string()));
  }
}

TEST_F(TimeZone, AZoneOfAFileIsUsedAndNothingIsSaid) {
  const auto listed = results("<+05>-5")[0];
  EXPECT_THAT(listed.out, HasSubstr(" +05:00"));
  EXPECT_THAT(listed.err, IsEmpty());
}

}  // namespace
}  // namespace dictum
