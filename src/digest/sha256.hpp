#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace dictum::digest {

/// A running SHA-256. One thread at a time.
class SHA256 {
 public:
  SHA256();
  void add(std::string_view bytes);

  /// The sum of all that was added, in lower-case hexadecimal; nothing can be added after it.
  std::string hex();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace dictum::digest
