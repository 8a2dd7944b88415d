#pragma once

#include <boost/json/object.hpp>
#include <string>

/// What this program was built from, and with what. Values: safe from any thread.
namespace dictum::program {

/// For people: the version, with the commit where it is known, on the first line; then the compiler, the vector unit in
/// use, and the features.
std::string version_text();

/// The same for programs; "commit" is null where it is not known.
boost::json::object version_json();

}  // namespace dictum::program
