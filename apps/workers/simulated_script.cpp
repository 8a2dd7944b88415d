#include "simulated_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dictum/error.hpp"

namespace dictum {
namespace {

namespace js = boost::json;
using Behaviour = SimulatedStep::Behaviour;

constexpr std::string_view kBehaviours[] = {"answer", "error", "crash",   "leave", "hang", "freeze",
                                            "flood",  "twice", "garbage", "giant", "grow"};

Behaviour behaviour(const js::value& value) {
  const std::string_view name = value.as_string();
  const auto* const found = std::ranges::find(kBehaviours, name);
  if (found == std::end(kBehaviours)) throw std::invalid_argument(fmt::format("\"{}\" is no behaviour", name));
  return static_cast<Behaviour>(found - kBehaviours);
}

std::chrono::milliseconds milliseconds(const js::value& value) {
  return std::chrono::milliseconds(value.to_number<std::int64_t>());
}

/// `usual` with what `object` says instead. Keys of other things are passed over.
SimulatedStep step_from(const js::object& object, SimulatedStep usual) {
  for (const auto& [key, value] : object) {
    if (key == "do") usual.behaviour = behaviour(value);
    if (key == "text") usual.text = value.as_string();
    if (key == "latency_ms") usual.latency = milliseconds(value);
    if (key == "partials") usual.partials = js::value_to<std::vector<std::string>>(value);
    if (key == "message") usual.message = value.as_string();
    if (key == "ignores_cancel") usual.ignores_cancel = value.as_bool();
    if (key == "words") usual.words = value.as_bool();
    if (key == "audio") usual.audio = value.as_bool();
    if (key == "grandchild") usual.grandchild = value.as_bool();
  }
  return usual;
}

SimulatedScript script_from(const js::object& object) {
  SimulatedScript script;
  script.usual = step_from(object, {});
  for (const auto& [key, value] : object) {
    if (key == "texts") script.texts = js::value_to<std::vector<std::string>>(value);
    if (key == "seed") script.seed = value.to_number<std::uint64_t>();
    if (key == "misbehave") script.misbehave = value.to_number<double>();
    if (key == "log") script.log = std::string(value.as_string());
    if (key == "interim") script.interim = step_from(value.as_object(), {});
    if (key == "kinds") {
      script.kinds.clear();
      for (const js::value& kind : value.as_array()) script.kinds.push_back(behaviour(kind));
    }
    if (key == "segments") {
      for (const auto& [segment, steps] : value.as_object()) {
        auto& list = script.segments[static_cast<std::uint32_t>(std::stoul(segment))];
        for (const js::value& step : steps.as_array()) list.push_back(step_from(step.as_object(), script.usual));
      }
    }
    if (key == "hello") {
      for (const auto& [name, item] : value.as_object()) {
        if (name == "delay_ms") script.hello.delay = milliseconds(item);
        if (name == "do") script.hello.behaviour = behaviour(item);
        if (name == "cancel_ms") script.hello.cancel_ms = item.to_number<int>();
        if (name == "protocol") script.hello.protocol = item.to_number<int>();
      }
    }
  }
  return script;
}

/// SplitMix64's finaliser: every bit of the result depends on every bit of the argument.
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
  value = (value ^ value >> 27) * 0x94D049BB133111EBu;
  return value ^ value >> 31;
}

}  // namespace

SimulatedScript SimulatedScript::parse(std::string_view json) {
  try {
    return script_from(js::parse(json).as_object());
  } catch (const std::exception& problem) {
    throw RecorderError(Errc::config_invalid, fmt::format("the simulated worker's script: {}", problem.what()));
  }
}

SimulatedScript SimulatedScript::load(const std::filesystem::path& file) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(file, error);  // opening a pipe would wait for its writer
  std::ifstream in;
  std::ostringstream text;
  if (is_file) in.open(file);
  if (in.is_open()) text << in.rdbuf();
  if (!is_file || !in) {
    throw RecorderError(Errc::config_invalid,
                        fmt::format("the simulated worker's script {} cannot be read", file.string()));
  }
  return parse(text.view());
}

std::string SimulatedScript::text(std::uint32_t segment) const {
  return segment < texts.size() ? texts[segment] : fmt::format("segment {}", segment);
}

SimulatedStep SimulatedScript::step(std::uint32_t segment, int attempt) const {
  const auto index = static_cast<std::size_t>(std::max(attempt, 1) - 1);
  SimulatedStep step = usual;
  if (const auto found = segments.find(segment); found != segments.end() && !found->second.empty()) {
    step = found->second[std::min(index, found->second.size() - 1)];
  } else if (misbehave > 0 && !kinds.empty()) {
    const std::uint64_t drawn = mixed(mixed(mixed(seed) ^ segment) ^ index);
    if (static_cast<double>(drawn >> 11) * 0x1p-53 < misbehave) step.behaviour = kinds[mixed(drawn) % kinds.size()];
  }
  if (step.text.empty()) step.text = text(segment);
  return step;
}

}  // namespace dictum
