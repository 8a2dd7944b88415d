#include "whisper_model_file.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/utf8.hpp"
#include "dictum/error.hpp"

static_assert(std::endian::native == std::endian::little, "the file's integers are read as they are");

namespace dictum::workers {
namespace {

constexpr std::uint32_t kMagic = 0x67676d6c;

// Far above the largest model that there is, and low enough that a damaged header fails here and not in an allocation.
constexpr std::int32_t kMaxTokens = 100'000;
constexpr std::int32_t kMaxContext = 10'000;
constexpr std::int32_t kWidest = 4096;
constexpr std::int32_t kMaxHeads = 128;
constexpr std::int32_t kMaxLayers = 128;
constexpr std::int32_t kMaxMels = 1024;
constexpr std::int32_t kMaxBins = 4096;
constexpr std::uint32_t kMaxTokenBytes = 4096;
constexpr std::int32_t kMaxNameBytes = 256;
constexpr std::int32_t kMaxDimensions = 4;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 32;

/// How weights of a type are stored: so many bytes for each block of so many elements.
struct Storage {
  std::int32_t type;
  std::int64_t block;
  std::int64_t bytes;
};
constexpr std::array<Storage, 12> kStorage{{{0, 1, 4},
                                            {1, 1, 2},
                                            {2, 32, 18},
                                            {3, 32, 20},
                                            {6, 32, 22},
                                            {7, 32, 24},
                                            {8, 32, 34},
                                            {10, 256, 84},
                                            {11, 256, 110},
                                            {12, 256, 144},
                                            {13, 256, 176},
                                            {14, 256, 210}}};

class Traversal {
 public:
  Traversal(std::istream& bytes, const std::filesystem::path& name) : bytes_(bytes), name_(name) {
    bytes_.seekg(0, std::ios::end);
    size_ = bytes_.tellg();
    bytes_.seekg(0);
  }

  void run() {
    if (size_ < 4 || take<std::uint32_t>() != kMagic) wrong("is no model of whisper.cpp");
    take_header();
    skip(std::int64_t{4} * in_range(1, kMaxMels, "mel bands") * in_range(1, kMaxBins, "frequency bins"));
    const std::int32_t tokens = in_range(1, kMaxTokens, "tokens");
    for (std::int32_t i = 0; i < tokens; ++i) {
      const auto length = take<std::uint32_t>();
      if (length > kMaxTokenBytes) wrong("is damaged: its vocabulary makes no sense");
      skip(length);
    }
    while (at_ < size_) {
      if (!skip_tensor()) return;  // of a type that only the library knows
    }
  }

 private:
  [[noreturn]] void wrong(std::string_view what) const {
    throw RecorderError(Errc::model_missing,
                        fmt::format("{} {}: remove it and pull it again", utf8::repaired(name_.string()), what));
  }

  template <class Integer>
  Integer take() {
    Integer value{};
    std::array<char, sizeof value> raw{};
    if (size_ - at_ < static_cast<std::int64_t>(raw.size()) || !bytes_.read(raw.data(), raw.size())) cut_short();
    at_ += static_cast<std::int64_t>(raw.size());
    value = std::bit_cast<Integer>(raw);
    return value;
  }

  void skip(std::int64_t count) {
    if (count > size_ - at_) cut_short();
    at_ += count;
    bytes_.seekg(at_);
  }

  [[noreturn]] void cut_short() const { wrong("is cut short"); }

  std::int32_t in_range(std::int32_t least, std::int32_t most, std::string_view what) {
    const auto value = take<std::int32_t>();
    if (value < least || value > most) wrong(fmt::format("is damaged: it has {} {}", value, what));
    return value;
  }

  void take_header() {
    in_range(1, kMaxTokens, "tokens");
    in_range(1, kMaxContext, "frames of context");
    const auto audio_width = in_range(1, kWidest, "channels");
    in_range(1, kMaxHeads, "heads");
    in_range(1, kMaxLayers, "layers");
    in_range(1, kMaxContext, "tokens of context");
    const auto text_width = in_range(1, kWidest, "channels");
    in_range(1, kMaxHeads, "heads");
    in_range(1, kMaxLayers, "layers");
    in_range(1, kMaxMels, "mel bands");
    take<std::int32_t>();  // the type of the weights: each says its own as well
    if (audio_width != text_width) wrong("is damaged: its two halves do not fit");
  }

  /// False where the length of its data is not known here.
  bool skip_tensor() {
    const auto dimensions = take<std::int32_t>();
    const auto name = take<std::int32_t>();
    const auto type = take<std::int32_t>();
    if (dimensions < 0 || dimensions > kMaxDimensions || name < 1 || name > kMaxNameBytes)
      wrong("is damaged: its weights make no sense");
    std::int64_t elements = 1;
    for (std::int32_t i = 0; i < dimensions; ++i) {
      const auto extent = take<std::int32_t>();
      if (extent < 1 || extent > kMaxElements / elements) wrong("is damaged: its weights make no sense");
      elements *= extent;
    }
    skip(name);
    for (const Storage& storage : kStorage) {
      if (storage.type != type) continue;
      if (elements % storage.block != 0) wrong("is damaged: its weights make no sense");
      skip(elements / storage.block * storage.bytes);
      return true;
    }
    return false;
  }

  std::istream& bytes_;
  const std::filesystem::path& name_;
  std::int64_t size_ = 0;
  std::int64_t at_ = 0;
};

}  // namespace

void check_whisper_model(std::istream& bytes, const std::filesystem::path& name) {
  Traversal(bytes, name).run();
}

void check_whisper_model(const std::filesystem::path& model) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(model, error);  // opening a pipe would wait for its writer
  std::ifstream bytes;
  if (is_file) bytes.open(model, std::ios::binary);
  if (!is_file || !bytes) {
    throw RecorderError(Errc::model_missing, fmt::format("there is no model file {}", utf8::repaired(model.string())));
  }
  check_whisper_model(bytes, model);
}

}  // namespace dictum::workers
