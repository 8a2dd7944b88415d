#include "digest/sha256.hpp"

#include <fmt/format.h>

#include <array>

#include "dictum/error.hpp"

namespace dictum::digest {

SHA256::SHA256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
    throw RecorderError(Errc::internal, "this machine's OpenSSL offers no SHA-256");
  }
}

void SHA256::add(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string SHA256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_.get(), sum.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", sum[i]);
  return text;
}

}  // namespace dictum::digest
