#include "server/cluster_figures.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/utf8.hpp"
#include "dictum/error.hpp"

namespace dictum::server {
namespace {

using json::Fields;

[[noreturn]] void refuse(const std::string& sentence) {
  throw RecorderError(Errc::internal, "The status of the cluster cannot be read: " + sentence);
}

/// A name that other machines chose.
std::string name_in(const Fields& fields) {
  constexpr std::size_t kMaxName = 200;
  return utf8::on_one_line(fields.text("name").substr(0, kMaxName));
}

}  // namespace

ClusterFigures parse_cluster_figures(std::string_view text) {
  boost::system::error_code error;
  const boost::json::value whole = json::parse(text, error);
  if (error) refuse("it is not JSON.");
  const Fields status(whole, "the status", refuse);
  const auto count = [](const Fields& fields, std::string_view key) { return fields.integer<std::int64_t>(key); };
  ClusterFigures figures;
  figures.is_reachable = true;
  for (const auto& value : status.array("streams")) {
    const Fields each = status.fields_in(value, "a stream");
    figures.streams.push_back({.name = name_in(each),
                               .messages = count(each, "messages"),
                               .bytes = count(each, "bytes"),
                               .max_bytes = count(each, "max_bytes"),
                               .oldest_sec = each.find("oldest_sec") != nullptr ? each.number("oldest_sec") : 0});
  }
  for (const auto& value : status.array("queues")) {
    const Fields each = status.fields_in(value, "a queue");
    figures.queues.push_back({.name = name_in(each),
                              .waiting = count(each, "waiting"),
                              .under_way = count(each, "under_way"),
                              .redelivered = count(each, "redelivered")});
  }
  for (const auto& value : status.array("machines")) {
    const Fields each = status.fields_in(value, "a machine");
    figures.machines.push_back({.name = name_in(each),
                                .workers = count(each, "workers"),
                                .busy = count(each, "busy"),
                                .done = count(each, "done"),
                                .failed = count(each, "failed")});
  }
  return figures;
}

}  // namespace dictum::server
