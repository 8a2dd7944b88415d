#pragma once

#include <string_view>

namespace dictum::server {

/// Whether a header `Accept`, which may be anything, accepts a media type ("text/vtt"). What is malformed in it is
/// passed over; an empty one accepts everything. The most specific range that fits decides. Any thread; no state.
bool accepts(std::string_view header, std::string_view media_type) noexcept;

/// The media type at the front of a header `Content-Type`, without its parameters.
std::string_view essence(std::string_view content_type) noexcept;

}  // namespace dictum::server
