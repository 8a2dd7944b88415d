#include "server/target.hpp"

#include <gmock/gmock.h>

#include "dictum/error.hpp"

namespace dictum::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Target, IsSplitAndDecoded) {
  const Target target = parse_target("/api/v1/search?q=caf%C3%A9+au%20lait&limit=5&empty=&flag");
  EXPECT_THAT(target.path, ElementsAre("api", "v1", "search"));
  EXPECT_THAT(target.query,
              ElementsAre(Pair("empty", ""), Pair("flag", ""), Pair("limit", "5"), Pair("q", "café au lait")));
}

TEST(Target, TheRootHasNoSegments) {
  EXPECT_THAT(parse_target("/").path, IsEmpty());
  EXPECT_THAT(parse_target("/?").query, IsEmpty());
}

TEST(Target, APlusIsASpaceInAQueryOnly) {
  EXPECT_THAT(parse_target("/a+b").path, ElementsAre("a+b"));
}

TEST(Target, IsDecodedOnce) {
  EXPECT_THAT(parse_target("/%252e%252e").path, ElementsAre("%2e%2e"));
}

TEST(Target, NothingLeadsOutOfAFolder) {
  for (const char* target : {"/..",    "/.",        "/a/../b", "/%2e%2e/b",      "/%2E./b", "/.%2e",         "/a%2fb",
                             "/a%2Fb", "/a%5cb",    "/a\\b",   "/..%2f..%2fetc", "//",      "//a",           "/a//b",
                             "/a/",    "/%00",      "/a%00b",  "/%0a",           "/%7f",    "/%c0%ae%c0%ae", "/%c0%af",
                             "/%ff",   "/%e0%80%ae"}) {
    EXPECT_THROW(parse_target(target), RecorderError) << target;
  }
}

TEST(Target, WhatIsNoPathIsRefused) {
  for (const char* target : {"", "*", "a", "http://127.0.0.1/healthz", "/a#b", "/%", "/%1", "/%zz", "?q=1"}) {
    EXPECT_THROW(parse_target(target), RecorderError) << target;
  }
}

TEST(Target, AWrongQueryIsRefused) {
  for (const char* target : {"/a?q=%", "/a?q=%ff", "/a?q=1&q=2", "/a?q=%00", "/a?%71=1&q=2"}) {
    EXPECT_THROW(parse_target(target), RecorderError) << target;
  }
}

}  // namespace
}  // namespace dictum::server
