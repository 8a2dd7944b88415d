#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "story.hpp"
#include "tui/page_action.hpp"
#include "tui/view.hpp"

/// What keys do on the pages of what was recorded: a view and a key in, a view and commands out.
namespace dictum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using tui::Command;
using tui::Filter;
using tui::Page;

const std::filesystem::path kHarbour = "/sessions/20261121_090210";
const std::filesystem::path kCountry = "/sessions/20261120_181500";

class Pages : public testing::Test {
 protected:
  Pages() {
    model.sessions = {entry(kHarbour, "good morning, this is the harbour office"),
                      entry(kCountry, "ask not what your country can do for you")};
    model.open_session = tui::OpenSession{kCountry, "20261120_181500", {}};
    for (std::uint32_t segment = 0; segment < 3; ++segment) {
      tui::Passage passage;
      passage.segment = segment;
      passage.text = "sentence " + std::to_string(segment);
      model.open_session->passages.push_back(passage);
    }
  }

  static tui::SessionEntry entry(const std::filesystem::path& path, std::string first_text) {
    tui::SessionEntry made;
    made.path = path;
    made.name = path.filename().string();
    made.started_at = test::Story::kStart;
    made.first_text = std::move(first_text);
    return made;
  }

  /// The commands of these keys, one after the other.
  std::vector<Command> press(const std::vector<std::string>& all) {
    std::vector<Command> commands;
    for (const std::string& key : all) {
      auto step = tui::press(view, model, keys, key);
      view = std::move(step.view);
      for (auto& command : step.commands) commands.push_back(std::move(command));
    }
    return commands;
  }

  void type(const std::string& text) {
    for (const char c : text) press({c == ' ' ? "space" : std::string(1, c)});
  }

  /// At the second session of the list.
  void read_country() { press({"s", "down", "enter"}); }

  tui::Model model = test::Story().model;
  tui::KeyMap keys;
  tui::View view;
};

TEST_F(Pages, AFilterLeavesTheSessionsThatHaveAllOfItsWords) {
  press({"s", "f"});
  type("OFFICE harb");
  EXPECT_THAT(tui::shown_rows(model, view), ElementsAre(0));
  type(" country");
  EXPECT_THAT(tui::shown_rows(model, view), IsEmpty());
}

TEST_F(Pages, AFilterFindsASessionByItsDate) {
  press({"s", "f"});
  type("2026-11-22");
  EXPECT_THAT(tui::shown_rows(model, view), ElementsAre(0, 1));
}

TEST_F(Pages, AnActionIsForTheRowThatTheFilterLeft) {
  press({"s", "f"});
  type("country");
  EXPECT_THAT(press({"enter", "p"}), ElementsAre(Command(tui::Play{kCountry, std::nullopt})));
}

TEST_F(Pages, EscapeShowsAllRowsBeforeItLeavesThePage) {
  press({"s", "f", "x", "esc"});
  EXPECT_EQ(view.page, Page::sessions);
  EXPECT_EQ(view.filter, Filter());
  press({"esc"});
  EXPECT_EQ(view.page, Page::main);
}

TEST_F(Pages, GoingBackFindsTheListAsItWasLeft) {
  press({"s", "f"});
  type("c");
  press({"enter", "down"});
  const tui::View before = view;
  press({"enter", "esc"});
  EXPECT_EQ(view.selected, before.selected);
  EXPECT_EQ(view.filter, before.filter);
}

TEST_F(Pages, GoingBackFromASessionLeadsToTheNoteThatItWasOpenedFrom) {
  model.stored_notes = {{kHarbour, 2, 0, "harbour", "a text"}, {kCountry, 2, 0, "country", "a text"}};
  press({"N", "down", "tab", "esc"});
  EXPECT_EQ(view.page, Page::notes);
  EXPECT_EQ(view.selected, 1u);
}

TEST_F(Pages, DeletingAsksFirst) {
  EXPECT_THAT(press({"s"}), ElementsAre(Command(tui::ListSessions{})));
  EXPECT_THAT(press({"down", "x"}), IsEmpty());
  EXPECT_EQ(view.page, Page::deleting);
  EXPECT_THAT(press({"enter", "space", "esc"}), IsEmpty());
  EXPECT_EQ(view.page, Page::sessions);
  EXPECT_THAT(press({"x", "y"}), ElementsAre(Command(tui::DeleteSession{kCountry})));
  EXPECT_EQ(view.page, Page::sessions);
}

TEST_F(Pages, ASessionThatIsReadIsLeftWhenItIsDeleted) {
  read_country();
  EXPECT_THAT(press({"delete", "y"}), ElementsAre(Command(tui::DeleteSession{kCountry})));
  EXPECT_EQ(view.page, Page::sessions);
}

TEST_F(Pages, TranscribingAgainAsksFirst) {
  read_country();
  EXPECT_THAT(press({"t", "esc"}), IsEmpty());
  EXPECT_THAT(press({"t", "y"}),
              ElementsAre(Command(tui::TranscribeAgain{kCountry, tui::TranscribeAgain::Texts::all})));
  EXPECT_EQ(view.page, Page::reading);
}

TEST_F(Pages, MissingTextsAreAskedForOnlyWhereSomeAreMissing) {
  read_country();
  EXPECT_THAT(press({"r"}), IsEmpty());
  model.open_session->passages.back().state = tui::Passage::State::failed;
  EXPECT_THAT(press({"r"}), ElementsAre(Command(tui::TranscribeAgain{kCountry, tui::TranscribeAgain::Texts::missing})));
}

TEST_F(Pages, ACorrectionBeginsWithTheTextThatIsThere) {
  read_country();
  press({"down", "c"});
  EXPECT_EQ(view.page, Page::editing);
  press({"backspace"});
  type("one, q");
  EXPECT_THAT(press({"enter"}), ElementsAre(Command(tui::EditText{kCountry, 1, "sentence one, q"})));
  EXPECT_EQ(view.page, Page::reading);
  EXPECT_EQ(view.selected, 1u);
}

TEST_F(Pages, ACorrectionThatIsLeftChangesNothing) {
  read_country();
  press({"c"});
  type("xyz");
  EXPECT_THAT(press({"esc"}), IsEmpty());
  EXPECT_EQ(view.page, Page::reading);
}

TEST_F(Pages, ASessionIsCopiedFromTheListAsAWhole) {
  EXPECT_THAT(press({"s", "y"}), ElementsAre(Command(tui::ListSessions{}), Command(tui::CopySession{kHarbour})));
}

TEST_F(Pages, ASegmentIsCopiedFromASession) {
  read_country();
  EXPECT_THAT(press({"down", "y"}), ElementsAre(Command(tui::Copy{"sentence 1"})));
  EXPECT_THAT(press({"Y"}), ElementsAre(Command(tui::CopySession{kCountry})));
}

TEST_F(Pages, AnExportFromTheListGoesBackToTheList) {
  press({"s", "e"});
  EXPECT_EQ(view.page, Page::exporting);
  EXPECT_THAT(press({"enter"}), ElementsAre(Command(tui::Export{kHarbour, "md"})));
  EXPECT_EQ(view.page, Page::sessions);
}

TEST_F(Pages, ASelectionBehindTheEndOfAShorterListIsItsLastRow) {
  press({"s", "down"});
  model = tui::forget(std::move(model), kCountry);
  EXPECT_THAT(press({"p"}), ElementsAre(Command(tui::Play{kHarbour, std::nullopt})));
}

TEST_F(Pages, NothingHappensInAnEmptyList) {
  model.sessions->clear();
  press({"s"});
  EXPECT_THAT(press({"enter", "p", "y", "e", "t", "x"}), IsEmpty());
  EXPECT_EQ(view.page, Page::sessions);
}

TEST_F(Pages, NoPageUsesAKeyTwice) {
  model.open_session->passages.back().state = tui::Passage::State::failed;
  for (int page = 0; page <= static_cast<int>(Page::leaving); ++page) {
    view.page = static_cast<Page>(page);
    std::set<std::string_view> seen;
    for (const auto& each : tui::page_keys(model, view)) EXPECT_TRUE(seen.insert(each.key).second) << each.hint;
  }
}

TEST(DeletedSession, IsInNoListAnyMore) {
  tui::Model model;
  model.sessions.emplace().emplace_back().path = kHarbour;
  model.stored_notes = {{kHarbour, 2, 0, "harbour", "a text"}, {kCountry, 2, 0, "country", "a text"}};
  model.hits.emplace().emplace_back().session = kHarbour;
  model.open_session = tui::OpenSession{kHarbour, "", {}};
  model = tui::forget(std::move(model), kHarbour);
  EXPECT_THAT(*model.sessions, IsEmpty());
  EXPECT_EQ(model.stored_notes->size(), 1u);
  EXPECT_THAT(*model.hits, IsEmpty());
  EXPECT_FALSE(model.open_session);
}

class Typing : public testing::Test {
 protected:
  tui::TextInput press(const std::vector<std::string>& keys) {
    for (const auto& key : keys) input.press(key);
    return input;
  }
  tui::TextInput input{"caf\u0065\u0301 au lait"};
};

TEST_F(Typing, WritesWhereTheCursorIs) {
  EXPECT_EQ(press({"home", "right", "x", "end", "space", "ü"}).text(), "cxafe\u0301 au lait ü");
}

TEST_F(Typing, RemovesACharacterWithItsMarks) {
  EXPECT_EQ(press({"home", "right", "right", "right", "right", "backspace"}).text(), "caf au lait");
  EXPECT_EQ(press({"home", "delete"}).text(), "af au lait");
}

TEST_F(Typing, AtItsEndsDoesNothingMore) {
  EXPECT_EQ(press({"right", "delete", "home", "left", "backspace"}).text(), "cafe\u0301 au lait");
  EXPECT_EQ(press({"home", "left"}).before_cursor(), "");
}

TEST_F(Typing, RemovesAllBeforeTheCursorWithControlU) {
  EXPECT_EQ(press({"left", "left", "left", "left", "ctrl-u"}).text(), "lait");
}

TEST_F(Typing, LeavesOtherKeysToTheList) {
  EXPECT_FALSE(input.press("down"));
  EXPECT_FALSE(input.press("f1"));
  EXPECT_FALSE(input.press("enter"));
}

}  // namespace
}  // namespace dictum
