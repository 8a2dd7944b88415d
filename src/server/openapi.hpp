#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "server/route.hpp"

namespace dictum::server {

/// The OpenAPI 3.1 document of these routes.
boost::json::object openapi_document(const std::vector<Route>& routes);

}  // namespace dictum::server
