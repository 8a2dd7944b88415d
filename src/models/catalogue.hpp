#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The speech models that Dictum can fetch: whisper.cpp's, from their publisher's own address.
namespace dictum::models {

struct Model {
  std::string_view name;  ///< as people write it, for example "base.en"
  std::uint64_t size;     ///< bytes, as rounded by the publisher
  std::string_view sha1;  ///< of the file, in lower-case hexadecimal, as the publisher lists it

  bool english_only() const { return name.find(".en") != std::string_view::npos; }
  std::string file_name() const { return "ggml-" + std::string(name) + ".bin"; }
};

/// Every model, in its publisher's order. Safe from any thread.
std::span<const Model> catalogue();

/// Where the files of the catalogue lie.
inline constexpr std::string_view kPublisher = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main";

}  // namespace dictum::models
