#include "base/base64.hpp"

#include <gtest/gtest.h>

#include <string>

namespace dictum {
namespace {

TEST(Base64, IsWhatTheStandardPrints) {  // RFC 4648, section 10
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foo"), "Zm9v");
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
}

TEST(Base64, ReadsBackEveryByteAtEveryPlace) {
  std::string bytes;
  for (int i = 0; i < 256 + 2; ++i) {
    bytes += static_cast<char>(i * 37);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

}  // namespace
}  // namespace dictum
