#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dictum::server {

/// An HTTP request, read to its end. A value; nothing in it has been checked.
struct Request {
  struct Header {
    std::string name;
    std::string value;
  };

  std::string method;
  std::string target;
  std::vector<Header> headers;
  std::string body;
  bool is_trusted = false;  ///< it came in by a way that only those can use who may do everything

  /// The value of a header, its name in any case of letters; null where it is not there. Of several the first.
  const std::string* header(std::string_view name) const;

  /// How often a header is there.
  std::size_t count(std::string_view name) const;
};

/// Whether two texts are equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace dictum::server
