#include "session/probabilities.hpp"

#include <fmt/format.h>

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "dictum/error.hpp"
#include "journal/layout.hpp"
#include "journal/session_folder.hpp"

namespace dictum::session {
namespace {

constexpr float kStretch = -1;                           // in front of the frame at which one begins
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;  // a hundred days

template <std::unsigned_integral Bits>
void put(std::string& out, Bits bits) {
  for (std::size_t i = 0; i < sizeof(Bits); ++i) out += static_cast<char>(static_cast<unsigned char>(bits >> 8 * i));
}

template <std::unsigned_integral Bits>
std::optional<Bits> take(std::string_view& in) {
  if (in.size() < sizeof(Bits)) return std::nullopt;
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) {
    bits = static_cast<Bits>(bits | static_cast<Bits>(static_cast<Bits>(static_cast<unsigned char>(in[i])) << 8 * i));
  }
  in.remove_prefix(sizeof(Bits));
  return bits;
}

}  // namespace

ProbabilityWriter::ProbabilityWriter(const std::filesystem::path& session)
    : file_(journal::SessionFolder(session), journal::kProbabilitiesFile) {}

void ProbabilityWriter::append(Frame start_frame, std::span<const float> values) {
  std::string bytes;
  if (stretch_ != start_frame) {
    put(bytes, std::bit_cast<std::uint32_t>(kStretch));
    put(bytes, static_cast<std::uint64_t>(start_frame));
  }
  for (const float value : values) put(bytes, std::bit_cast<std::uint32_t>(value));
  stretch_ = start_frame;
  file_.append(bytes);
}

std::vector<ProbabilityStretch> parse_probabilities(std::string_view bytes) {
  const auto refuse = [](const char* why) {
    return RecorderError(Errc::session_unreadable, fmt::format("{} {}.", journal::kProbabilitiesFile, why));
  };
  std::vector<ProbabilityStretch> stretches;
  while (const auto bits = take<std::uint32_t>(bytes)) {
    const float value = std::bit_cast<float>(*bits);
    if (value == kStretch) {
      const auto start = take<std::uint64_t>(bytes);
      if (!start) break;
      const auto frame = static_cast<Frame>(*start);
      if (frame < 0 || (!stretches.empty() && frame <= stretches.back().start_frame)) {
        throw refuse("goes back in time");
      }
      stretches.push_back({frame, {}});
    } else if (stretches.empty() || !(value >= 0 && value <= 1)) {
      throw refuse("holds something else than probabilities");
    } else {
      stretches.back().values.push_back(value);
    }
  }
  return stretches;
}

std::vector<ProbabilityStretch> read_probabilities(const std::filesystem::path& session) {
  const journal::SessionFolder folder(session);
  if (!folder.has(journal::kProbabilitiesFile)) return {};
  return parse_probabilities(folder.read(journal::kProbabilitiesFile, kMaxBytes));
}

}  // namespace dictum::session
