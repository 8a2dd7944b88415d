#include "journal/line_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace dictum::journal {
namespace {

constexpr std::string_view kField = ",\"check\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::size_t kDigits = 8;
constexpr std::size_t kSealSize = kField.size() + 2 * kDigits + kEnd.size();

constexpr std::array<std::uint32_t, 256> make_table() {
  constexpr std::uint32_t kReversedPolynomial = 0x82F63B78;  // Castagnoli's
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kReversedPolynomial : 0);
    table[byte] = value;
  }
  return table;
}

std::uint32_t update(std::uint32_t state, std::string_view bytes) {
  static constexpr auto kTable = make_table();
  for (const char c : bytes) state = (state >> 8) ^ kTable[(state ^ static_cast<unsigned char>(c)) & 0xFF];
  return state;
}

/// CRC-32C.
std::uint32_t checksum(std::string_view line, std::string_view former = {}) {
  return ~update(update(~std::uint32_t{0}, line), former);
}

std::optional<std::uint32_t> parse(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string LineChain::sealed(std::string_view line) {
  line.remove_suffix(1);  // the brace
  const std::string former = fmt::format("{:08x}", last_.value_or(0));
  last_ = checksum(line, former);
  is_sealed_ = true;
  return fmt::format("{}{}{}{:08x}{}", line, kField, former, *last_, kEnd);
}

LineChain::LineState LineChain::verify(std::string_view line) {
  const std::string_view seal = line.substr(line.size() - std::min(line.size(), kSealSize));
  if (!seal.starts_with(kField) || !seal.ends_with(kEnd)) {
    last_ = checksum(line);
    return is_sealed_ ? LineState::unsealed : LineState::unverified;
  }
  is_sealed_ = true;
  const std::string_view former = seal.substr(kField.size(), kDigits);
  const auto own = parse(seal.substr(kField.size() + kDigits, kDigits));
  const auto expected = last_;
  last_ = own;
  if (own != checksum(line.substr(0, line.size() - seal.size()), former)) return LineState::damaged;
  return !expected || parse(former) == expected ? LineState::intact : LineState::displaced;
}

}  // namespace dictum::journal
