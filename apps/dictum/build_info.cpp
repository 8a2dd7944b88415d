#include "build_info.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "build_commit.hpp"
#include "build_features.hpp"
#include "dictum/analysis.hpp"

namespace dictum::program {
namespace {

std::array<std::pair<std::string_view, bool>, 9> features() {
  return {{{"silero", has_silero_model()},
           {"pocketsphinx", kHasPocketSphinx},
           {"whisper", kHasWhisper},
           {"tui", kHasTUI},
           {"server", true},
           {"cluster", kHasCluster},
           {"ffmpeg", kHasFFmpeg},
           {"portaudio", kHasPortAudio},
           {"opus", kHasOpus}}};
}

}  // namespace

std::string version_text() {
  const std::string_view commit = DICTUM_COMMIT;
  std::string present;
  std::string absent;
  for (const auto& [name, is_in] : features())
    fmt::format_to(std::back_inserter(is_in ? present : absent), " {}", name);
  return fmt::format("dictum {}{}\ncompiler: {}\nSIMD target: {}\nfeatures:{}{}", DICTUM_VERSION,
                     commit.empty() ? "" : fmt::format(" (commit {})", commit), DICTUM_COMPILER, simd_target(), present,
                     absent.empty() ? "" : fmt::format("\nnot in this build:{}", absent));
}

boost::json::object version_json() {
  const std::string_view commit = DICTUM_COMMIT;
  boost::json::object in_build;
  for (const auto& [name, is_in] : features()) in_build[name] = is_in;
  return {{"version", DICTUM_VERSION},
          {"commit", commit.empty() ? boost::json::value() : boost::json::value(commit)},
          {"compiler", DICTUM_COMPILER},
          {"simd_target", simd_target()},
          {"features", std::move(in_build)}};
}

}  // namespace dictum::program
