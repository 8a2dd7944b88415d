#include "program_fixture.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>
#include <sstream>

#include "dictum/error.hpp"
#include "support/sounds.hpp"
#include "wire/event_json.hpp"

namespace dictum::test {
namespace {

constexpr int kRate = 16000;

std::filesystem::path write_tones(const std::filesystem::path& file, double seconds, auto sounds_at) {
  Sound sound{.sample_rate = kRate, .samples = std::vector<float>(static_cast<std::size_t>(seconds * kRate))};
  for (std::size_t i = 0; i < sound.samples.size(); ++i) {
    const double at = static_cast<double>(i) / kRate;
    if (sounds_at(at)) sound.samples[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * 440 * at));
  }
  write_wav(file, sound);
  return file;
}

}  // namespace

ProgramTest::ProgramTest() {
  std::filesystem::create_directory(folder / "runtime");
  std::filesystem::permissions(folder / "runtime", std::filesystem::perms::owner_all);
}

ProgramSettings ProgramTest::dictum(std::vector<std::string> arguments) const {
  return {.executable = DICTUM_PROGRAM,
          .arguments = std::move(arguments),
          .environment = {{"HOME", folder.path()},
                          {"XDG_DATA_HOME", folder / "data"},
                          {"XDG_CONFIG_HOME", folder / "config"},
                          {"XDG_RUNTIME_DIR", folder / "runtime"},
                          {"PULSE_SERVER", "unix:" + (folder / "no-sound-server").string()},
                          {"DICTUM_WORKER_DIR", DICTUM_BIN_DIR},
                          {"DICTUM_CONFIG", ""}},
          .input = {},
          .keeps_input_open = false,
          .output = std::nullopt,
          .file_size_limit = std::nullopt};
}

ProgramSettings ProgramTest::record(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"record", "--output-dir", (folder / "sessions").string()});
  return dictum(std::move(arguments));
}

std::vector<std::filesystem::path> ProgramTest::sessions() const {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(folder / "sessions")) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "sessions")) {
    if (entry.is_directory()) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::filesystem::path ProgramTest::session() const {
  const auto all = sessions();
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? std::filesystem::path() : all.front();
}

std::filesystem::path ProgramTest::tone() const {
  return write_tones(folder / "tone.wav", 7, [](double at) { return at >= 2 && at < 3.5; });
}

std::filesystem::path ProgramTest::beeps(double seconds) const {
  return write_tones(folder / "beeps.wav", seconds, [](double at) { return std::fmod(at, 1) >= 0.5; });
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

std::vector<Event> events(const std::string& out) {
  std::vector<Event> all;
  for (const std::string& line : lines(out)) {
    try {
      all.push_back(wire::parse_event(line));
    } catch (const RecorderError& error) {
      ADD_FAILURE() << "not an event: " << line << " (" << error.what() << ")";
    }
  }
  return all;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace dictum::test
