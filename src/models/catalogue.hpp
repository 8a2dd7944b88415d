#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The speech models that Dictum can fetch: whisper.cpp's, from their publisher's own address.
namespace dictum::models {

struct Model {
  std::string_view name;     ///< as people write it, for example "base.en-q8_0"
  std::uint64_t size;        ///< bytes, as rounded by the publisher
  std::string_view sha256;   ///< of the file, in lower-case hexadecimal
  int quality{};             ///< a higher one makes fewer errors and takes longer
  std::string_view speed{};  ///< a word for people

  bool english_only() const { return name.find(".en") != std::string_view::npos; }
  bool quantised() const { return name.find("-q") != std::string_view::npos; }
  std::string_view languages() const { return english_only() ? "English" : "99 languages"; }
  std::string file_name() const { return "ggml-" + std::string(name) + ".bin"; }
};

/// Every model, small ones first. Safe from any thread.
std::span<const Model> catalogue();

/// The model that set-up gets and that messages suggest.
inline constexpr std::string_view kDefaultModel = "base-q8_0";

/// Where the files of the catalogue lie.
inline constexpr std::string_view kPublisher = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main";

}  // namespace dictum::models
