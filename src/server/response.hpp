#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/unique_fd.hpp"
#include "server/request.hpp"

namespace dictum::server {

/// Bytes of an open file, to be sent as they are.
struct FileSlice {
  UniqueFD file;
  std::uint64_t offset{};
  std::uint64_t size{};
};

/// An HTTP response. A value that owns the file it sends.
struct Response {
  int status = 200;
  std::string content_type;
  std::variant<std::string, FileSlice> body;
  std::vector<Request::Header> headers;  ///< further ones

  Response& with(std::string name, std::string value) & {
    headers.push_back({std::move(name), std::move(value)});
    return *this;
  }
  Response&& with(std::string name, std::string value) && { return std::move(with(std::move(name), std::move(value))); }
};

/// What a status is called: "Not Found".
const char* reason(int status) noexcept;

}  // namespace dictum::server
