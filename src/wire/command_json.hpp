#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "dictum/command.hpp"
#include "dictum/error.hpp"

/// Commands as JSON: one object, its "command" and then the command's own fields. No state: every function is safe from
/// any thread.
namespace dictum::wire {

boost::json::object to_json(const Command& command);

/// Reads one command, which may be anything. An optional field may be missing or null; every other field has to be
/// there, and no field may be that the command does not have.
/// Throws RecorderError(invalid_argument) that names what is wrong.
Command parse_command(std::string_view text);

}  // namespace dictum::wire
