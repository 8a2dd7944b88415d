#pragma once

#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

namespace dictum::json {

/// `value` on one line, without a line break in it. Numbers are written as people write them (1795363501.25, not
/// 1.79536350125E9) and read back to the same value. Strings that are not UTF-8 have the wrong bytes replaced by
/// U+FFFD, so that what is written can always be read.
std::string to_line(const boost::json::value& value);

/// The same over several lines, indented by two spaces, ending in a line break: for files that people open.
std::string to_pages(const boost::json::value& value);

/// Reads one JSON text, which may be anything: `error` says what is wrong with it (at most 32 levels deep, UTF-8,
/// nothing behind it but white space). Unlike boost::json::parse of Boost 1.81, which loses the last bit of one number
/// in ten, it gives the nearest double.
boost::json::value parse(std::string_view text, boost::system::error_code& error);

}  // namespace dictum::json
