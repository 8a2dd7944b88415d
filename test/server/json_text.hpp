#pragma once

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace dictum::test {

/// `text` as JSON, which it has to be.
inline boost::json::value parse(const std::string& text) {
  boost::system::error_code error;
  boost::json::value value = json::parse(text, error);
  EXPECT_FALSE(error) << text;
  return value;
}

inline std::string text_of(const boost::json::value& value) {
  return std::string(std::string_view(value.as_string()));
}

}  // namespace dictum::test
