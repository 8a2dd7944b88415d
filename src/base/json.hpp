#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace dictum::json {

/// `value` on one line, without a line break in it. Numbers are written as people write them (1795363501.25, not
/// 1.79536350125E9) and read back to the same value. Strings that are not UTF-8 have the wrong bytes replaced by
/// U+FFFD, so that what is written can always be read.
std::string to_line(const boost::json::value& value);

/// The same over several lines, indented by two spaces, ending in a line break: for files that people open.
std::string to_pages(const boost::json::value& value);

}  // namespace dictum::json
