#pragma once

#include <boost/json/object.hpp>

#include "dictum/sessions.hpp"

/// What is in a library, as the API shows it. Any thread; no state.
namespace dictum::server {

boost::json::object to_json(const SessionEntry& entry);
boost::json::object to_json(const SessionNote& note);
boost::json::object to_json(const SessionMatch& match);

/// A segment of that session, with where its sound is.
boost::json::object to_json(const TranscriptSegment& segment, const SessionTranscript& session);

}  // namespace dictum::server
