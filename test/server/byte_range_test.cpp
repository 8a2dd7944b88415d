#include "server/byte_range.hpp"

#include <gtest/gtest.h>

namespace dictum::server {
namespace {

constexpr std::uint64_t kSize = 1000;

ByteRange range_of(std::string_view header, std::uint64_t size = kSize) {
  const auto parsed = parse_byte_range(header, size);
  const auto* const range = std::get_if<ByteRange>(&parsed);
  EXPECT_NE(range, nullptr) << header;
  return range == nullptr ? ByteRange() : *range;
}

TEST(ByteRange, OneRangeIsServed) {
  EXPECT_EQ(range_of("bytes=0-99"), (ByteRange{0, 100}));
  EXPECT_EQ(range_of("bytes=999-999"), (ByteRange{999, 1}));
  EXPECT_EQ(range_of("Bytes=44-"), (ByteRange{44, 956}));
}

TEST(ByteRange, ARangeEndsWithTheFile) {
  EXPECT_EQ(range_of("bytes=900-99999"), (ByteRange{900, 100}));
  EXPECT_EQ(range_of("bytes=0-18446744073709551615"), (ByteRange{0, 1000}));
}

TEST(ByteRange, ASuffixIsCountedFromTheEnd) {
  EXPECT_EQ(range_of("bytes=-1"), (ByteRange{999, 1}));
  EXPECT_EQ(range_of("bytes=-5000"), (ByteRange{0, 1000}));
}

TEST(ByteRange, ARangeBehindTheFileIsUnsatisfiable) {
  for (const char* header : {"bytes=1000-", "bytes=1000-1001", "bytes=-0"}) {
    EXPECT_TRUE(std::holds_alternative<Unsatisfiable>(parse_byte_range(header, kSize))) << header;
  }
  EXPECT_TRUE(std::holds_alternative<Unsatisfiable>(parse_byte_range("bytes=0-", 0)));
  EXPECT_TRUE(std::holds_alternative<Unsatisfiable>(parse_byte_range("bytes=-1", 0)));
}

TEST(ByteRange, WhatIsNoSingleRangeStandsForTheWholeFile) {
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=9-5", "bytes=0-1,3-4", "items=0-1", "bytes=a-b",
        "bytes=0x1-2", "bytes= 0-1", "bytes=+1-2", "bytes=--1", "bytes=99999999999999999999-"}) {
    EXPECT_TRUE(std::holds_alternative<WholeFile>(parse_byte_range(header, kSize))) << header;
  }
}

}  // namespace
}  // namespace dictum::server
