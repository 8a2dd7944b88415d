#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "server/response.hpp"

/// Failures as RFC 9457 has them: a JSON object with `type` ("urn:dictum:problem:CODE"), `title`, `status`, `detail`,
/// and our `code`. Any thread; no state.
namespace dictum::server {

inline constexpr const char* kProblemType = "application/problem+json";

/// `detail` is one sentence for a person: what happened, to which thing, what to do.
Response problem(int status, std::string_view code, std::string_view detail);

/// An error of the library, with the status that fits its code.
Response problem(const std::error_code& code, std::string_view detail);

/// The server ends, and begins nothing any more.
Response stopping_problem();

/// Adds what is missing in an answer, a header Dictum-Warning for each sentence; of many, how many more there are.
void add_warnings(Response& response, const std::vector<std::string>& warnings);

/// What a client sent, as an answer may repeat it: on one line, and not all of it where it is long.
std::string excerpt(std::string_view text);

/// What is being thrown; to be called from inside a catch block.
Response problem_of_current_exception();

}  // namespace dictum::server
