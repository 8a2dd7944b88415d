#include "base/slug.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/utf8.hpp"

namespace dictum {
namespace {

TEST(Slug, ReadsLikeTheTitle) {
  EXPECT_EQ(note_slug("Shopping list"), "shopping-list");
  EXPECT_EQ(note_slug("  Q3: plans & numbers (2nd draft)!  "), "q3-plans-numbers-2nd-draft");
}

TEST(Slug, KeepsAWordWithAnApostropheWhole) {
  EXPECT_EQ(note_slug("Don't, don\xE2\x80\x99t"), "dont-dont");
}

TEST(Slug, KeepsTheLettersOfOtherScripts) {
  EXPECT_EQ(
      note_slug("J\xC3\xBCrgen \xD0\xB2\xD1\x81\xD1\x82\xD1\x80\xD0\xB5\xD1\x87\xD0\xB0 \xE4\xBC\x9A\xE8\xAD\xB0"),
      "j\xC3\xBCrgen-\xD0\xB2\xD1\x81\xD1\x82\xD1\x80\xD0\xB5\xD1\x87\xD0\xB0-\xE4\xBC\x9A\xE8\xAD\xB0");
}

TEST(Slug, HasNoWayOutOfItsFolder) {
  EXPECT_EQ(note_slug("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(note_slug("-rf"), "rf");
  EXPECT_EQ(note_slug(".hidden"), "hidden");
  EXPECT_EQ(note_slug(std::string_view("a\0b", 3)), "a-b");
}

TEST(Slug, IsNeverEmpty) {
  for (const char* title : {"", "...", " ", "\xF0\x9F\x8E\xA4\xF0\x9F\x8E\xA4", "\xE2\x80\xAE", "\xFF\xFE", "\n"}) {
    EXPECT_EQ(note_slug(title), "note") << title;
  }
}

TEST(Slug, IsCutBetweenCharacters) {
  const std::string slug = note_slug(std::string(59, 'a') + "\xC3\xBC");
  EXPECT_EQ(slug, std::string(59, 'a'));
  EXPECT_EQ(note_slug(std::string(59, 'a') + " b"), std::string(59, 'a'));
  EXPECT_EQ(note_slug(std::string(1000, 'a')).size(), kMaxSlugBytes);
}

TEST(Slug, IsSafeForAnyBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string title(random() % 100, '\0');
    for (char& c : title) c = static_cast<char>(random());
    const std::string slug = note_slug(title);
    ASSERT_FALSE(slug.empty());
    ASSERT_LE(slug.size(), kMaxSlugBytes);
    ASSERT_TRUE(utf8::is_valid(slug));
    ASSERT_EQ(slug.find_first_of(std::string_view("/\\.:*?\"<>|\0 \n", 13)), std::string::npos) << slug;
    ASSERT_NE(slug.front(), '-');
    ASSERT_NE(slug.back(), '-');
  }
}

}  // namespace
}  // namespace dictum
