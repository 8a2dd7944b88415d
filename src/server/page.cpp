#include "server/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "dictum/error.hpp"
#include "digest/sha256.hpp"

namespace dictum::server {
namespace {

/// No script, style or address but those of this server; what was said can never become a script.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

constexpr std::size_t kTagDigits = 32;  // of the checksum: 128 bits

struct Kind {
  std::string_view ending;
  const char* media_type;
};
constexpr std::array<Kind, 4> kKinds = {{{".html", "text/html; charset=utf-8"},
                                         {".css", "text/css; charset=utf-8"},
                                         {".mjs", "text/javascript; charset=utf-8"},
                                         {".svg", "image/svg+xml"}}};

const char* media_type_of(std::string_view name) {
  const auto* const kind = std::ranges::find_if(kKinds, [&](const Kind& each) { return name.ends_with(each.ending); });
  if (kind == kKinds.end()) {
    throw RecorderError(Errc::internal, fmt::format("The file \"{}\" of the page is of an unknown kind.", name));
  }
  return kind->media_type;
}

Route route_of(const PageFile& file) {
  digest::SHA256 sum;
  sum.add(file.content);
  const std::string tag = fmt::format("\"{}\"", sum.hex().substr(0, kTagDigits));
  const char* const type = media_type_of(file.name);
  const auto handler = [content = file.content, tag, type](const Library&, const Call& call) -> Answer {
    Response response{.content_type = type, .body = std::string(content), .headers = {}};
    response.with("ETag", tag).with("Cache-Control", "no-cache").with("Content-Security-Policy", kPolicy);
    response.with("Referrer-Policy", "no-referrer")
        .with("Permissions-Policy", "microphone=(self), camera=(), geolocation=()");
    if (const std::string* const known = call.request->header("If-None-Match");
        known != nullptr && known->find(tag) != std::string::npos) {
      response.status = 304;
      response.body = std::string();
    }
    return response;
  };
  return {.method = "GET",
          .pattern = file.name == "index.html" ? "/" : fmt::format("/web/{}", file.name),
          .name = std::string(file.name),
          .scope = Scope::none,
          .runs = Route::Runs::on_loop,
          .summary = "A file of the page",
          .parameters = {},
          .produces = {type},
          .handler = handler};
}

}  // namespace

std::vector<Route> make_page_routes() {
  std::vector<Route> routes;
  for (const PageFile& file : page_files()) routes.push_back(route_of(file));
  return routes;
}

}  // namespace dictum::server
