#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <string>
#include <utility>

#include "dictum/devices.hpp"
#include "dictum/transcribers.hpp"
#include "models/model_choice.hpp"
#include "models/model_store.hpp"
#include "server/route.hpp"
#include "server/route_parts.hpp"

namespace dictum::server {
namespace {

Answer transcribers(const Library& library, const Call&) {
  const std::string is_auto = auto_transcriber();
  boost::json::array all;
  for (const InstalledTranscriber& each : list_transcribers()) {
    all.push_back({{"name", each.name}, {"is_auto", each.name == is_auto}});
  }
  return json_response({{"transcribers", std::move(all)},
                        {"configured", library.config.transcription.transcriber},
                        {"where_speech_goes", where_speech_goes(library.config)}});
}

Answer speech_models(const Library&, const Call&) {
  const auto store = models::ModelStore::of_user();
  const auto chosen = models::choose(models::by_quality(store), models::SpeedCache::of_user());
  boost::json::array all;
  for (const models::ModelStore::Entry& each : store.list()) {
    all.push_back({{"name", each.model.name},
                   {"size", each.model.size},
                   {"languages", each.model.languages()},
                   {"speed", each.model.speed},
                   {"is_installed", each.installed},
                   {"is_auto", each.installed && each.file == chosen}});
  }
  for (const auto& file : store.unknown_files()) {
    all.push_back({{"name", models::name_of(file)},
                   {"size", nullptr},
                   {"languages", nullptr},
                   {"speed", nullptr},
                   {"is_installed", true},
                   {"is_auto", file == chosen}});
  }
  return json_response({{"models", std::move(all)}});
}

Answer devices(const Library& library, const Call&) {
  return json_response({{"devices", boost::json::value_from(list_devices(library.config.capture.backend))}});
}

Route route(std::string name, std::string summary, Answer (*handler)(const Library&, const Call&)) {
  return {.method = "GET",
          .pattern = "/api/v1/" + name,
          .name = "list_" + name,
          .scope = Scope::control,
          .runs = Route::Runs::where_it_may_block,
          .summary = std::move(summary),
          .parameters = {},
          .produces = {kJSON},
          .handler = handler};
}

}  // namespace

std::vector<Route> make_machine_routes() {
  return {route("transcribers", "The transcribers of this machine, and where speech goes", transcribers),
          route("models", "The speech models of the whisper transcriber, and which are installed", speech_models),
          route("devices", "The microphones of this machine", devices)};
}

}  // namespace dictum::server
