#pragma once

#include <string_view>
#include <vector>

#include "server/route.hpp"

namespace dictum::server {

/// A file of the page in web/, as it was when the program was built.
struct PageFile {
  std::string_view name;  ///< "index.html"
  std::string_view content;
};

/// All of them.
std::vector<PageFile> page_files();

/// Their routes: `index.html` is "/", every other one is "/web/NAME". None needs a token, as none has anything of a
/// user's in it.
std::vector<Route> make_page_routes();

}  // namespace dictum::server
