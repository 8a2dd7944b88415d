#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <memory>
#include <vector>

#include "commands.hpp"
#include "dictum/devices.hpp"
#include "dictum/error.hpp"
#include "output.hpp"

namespace dictum::program {
namespace {

struct Options {
  std::string backend = "auto";
  bool json = false;
};

ExitCode devices(const Options& options) {
  std::vector<DeviceInfo> found;
  try {
    found = list_devices(options.backend);
  } catch (const RecorderError&) {
    if (options.json) print_json(boost::json::array());  // a program that reads it finds a document, and the exit code
    throw;
  }
  if (options.json) {
    print_json(boost::json::value_from(found).as_array());
    return ExitCode::success;
  }
  if (found.empty()) print("No microphone was found. Connect one.\n");
  for (const auto& device : found) {
    print("{} {}\n    {} {}, {} Hz{}{}\n    --device {}\n", device.is_default ? "*" : " ", device.description,
          device.channels, device.channels == 1 ? "channel" : "channels", device.sample_rate,
          device.is_monitor ? ", what the machine plays" : "", device.is_muted ? ", muted" : "", device.id);
  }
  return ExitCode::success;
}

}  // namespace

void add_devices_command(CLI::App& app, ExitCode& code) {
  CLI::App* command = app.add_subcommand("devices", "List the devices to record from; * is the default");
  auto options = std::make_shared<Options>();
  command->add_option("--backend", options->backend, "sound system")->check(CLI::IsMember(device_backends()));
  command->add_flag("--json", options->json, "print one JSON document");
  command->callback([options, &code] { code = devices(*options); });
}

}  // namespace dictum::program
