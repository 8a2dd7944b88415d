#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ftxui/screen/terminal.hpp>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "screens.hpp"
#include "support/test_data.hpp"
#include "tui/page_action.hpp"
#include "tui/visible.hpp"

/// Every screen against what it looked like when somebody last looked at it.
///
///   DICTUM_WRITE_GOLDENS=1 tui_test     writes them anew: look at what changed (tools/picture), then commit
namespace dictum {
namespace {

std::filesystem::path golden(const std::string& name) {
  return test::project_file("test/tui/golden/" + name + ".ansi");
}

std::string draw(const test::NamedScreen& screen) {
  // What the terminal of the test can is not to matter.
  ftxui::Terminal::SetColorSupport(ftxui::Terminal::Color::TrueColor);
  return tui::render(screen.model, screen.view, screen.keys, screen.size, tui::Palette(screen.colours)) + "\n";
}

class GoldenScreen : public testing::TestWithParam<test::NamedScreen> {};

TEST_P(GoldenScreen, IsAsItWas) {
  const auto file = golden(GetParam().name);
  const std::string drawn = draw(GetParam());
  if (std::getenv("DICTUM_WRITE_GOLDENS") != nullptr) {
    std::ofstream(file, std::ios::binary) << drawn;
    GTEST_SKIP() << "written: " << file;
  }
  std::ifstream stream(file, std::ios::binary);
  ASSERT_TRUE(stream) << file << " is missing: DICTUM_WRITE_GOLDENS=1 writes it";
  const std::string wanted(std::istreambuf_iterator<char>(stream), {});
  EXPECT_TRUE(drawn == wanted) << "It is\n" << drawn << "\x1b[0m\nand was\n" << wanted << "\x1b[0m";
}

TEST_P(GoldenScreen, SendsTheTerminalNothingButColours) {
  const std::string drawn = draw(GetParam());
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const auto byte = static_cast<unsigned char>(drawn[i]);
    if (byte == '\r' || byte == '\n') continue;
    if (byte == 0x1b) {
      const std::size_t end = drawn.find_first_not_of("0123456789;", i + 2);
      ASSERT_EQ(drawn[i + 1], '[');
      ASSERT_NE(end, std::string::npos);
      ASSERT_EQ(drawn[end], 'm') << "at byte " << i;
      i = end;
      continue;
    }
    ASSERT_GE(byte, 0x20) << "at byte " << i;
    ASSERT_NE(byte, 0x7F) << "at byte " << i;
    const bool is_c1 = byte == 0xC2 && static_cast<unsigned char>(drawn[i + 1]) < 0xA0;
    ASSERT_FALSE(is_c1) << "at byte " << i;
  }
}

/// Whatever is written in them, or the frames would not close.
TEST_P(GoldenScreen, HasRowsAsWideAsTheScreen) {
  const std::string drawn = std::regex_replace(draw(GetParam()), std::regex("\x1b\\[[0-9;]*m|\r"), "");
  std::istringstream rows(drawn);
  for (std::string row; std::getline(rows, row);) EXPECT_EQ(tui::cells(row), GetParam().size.width) << row;
}

INSTANTIATE_TEST_SUITE_P(Screens, GoldenScreen, testing::ValuesIn(test::screens()),
                         [](const auto& tested) { return tested.param.name; });

TEST(Keys, StandInTheManualAsTheyAre) {
  std::ifstream stream(test::project_file("docs/tui.md"));
  const std::string manual(std::istreambuf_iterator<char>(stream), {});
  for (const auto& each : tui::actions()) {
    const std::string row = fmt::format("| `{}` | `{}` | {} |\n", each.key, each.name, each.help);
    EXPECT_NE(manual.find(row), std::string::npos) << row;
  }
}

TEST(PageKeys, StandInTheManualAsTheyAre) {
  std::ifstream stream(test::project_file("docs/tui.md"));
  const std::string manual(std::istreambuf_iterator<char>(stream), {});
  tui::Model model;
  model.open_session.emplace().passages.emplace_back().state = tui::Passage::State::failed;
  for (const auto& [page, name] : {std::pair(tui::Page::sessions, "sessions"),
                                   {tui::Page::reading, "one session"},
                                   {tui::Page::notes, "notes"},
                                   {tui::Page::search, "search"}}) {
    tui::View view;
    view.page = page;
    for (const auto& each : tui::page_keys(model, view)) {
      const std::string row = fmt::format("| {} | `{}` | {} |\n", name, each.key, each.hint);
      EXPECT_NE(manual.find(row), std::string::npos) << row;
    }
  }
}

TEST(Goldens, HaveAScreenEach) {
  std::set<std::string> names;
  for (const auto& screen : test::screens()) EXPECT_TRUE(names.insert(screen.name).second) << screen.name;
  EXPECT_GE(names.size(), 25u);
  for (const auto& entry : std::filesystem::directory_iterator(golden("idle").parent_path())) {
    EXPECT_TRUE(names.contains(entry.path().stem().string())) << entry.path() << " has no screen: delete it";
  }
}

}  // namespace
}  // namespace dictum
