#include "models/catalogue.hpp"

#include <array>

namespace dictum::models {
namespace {

constexpr std::uint64_t mib(std::uint64_t count) {
  return count << 20;
}

// From the table in whisper.cpp's models/README.md, whose sizes are rounded: 1.5 GiB is mib(1536).
constexpr std::array kModels{
    Model{"tiny", mib(75), "bd577a113a864445d4c299885e0cb97d4ba92b5f"},
    Model{"tiny.en", mib(75), "c78c86eb1a8faa21b369bcd33207cc90d64ae9df"},
    Model{"base", mib(142), "465707469ff3a37a2b9b8d8f89f2f99de7299dac"},
    Model{"base.en", mib(142), "137c40403d78fd54d454da0f9bd998f78703390c"},
    Model{"small", mib(466), "55356645c2b361a969dfd0ef2c5a50d530afd8d5"},
    Model{"small.en", mib(466), "db8a495a91d927739e50b3fc1cc4c6b8f6c2d022"},
    Model{"medium", mib(1536), "fd9727b6e1217c2f614f9b698455c4ffd82463b4"},
    Model{"medium.en", mib(1536), "8c30f0e44ce9560643ebd10bbe50cd20eafd3723"},
    Model{"large-v1", mib(2970), "b1caaf735c4cc1429223d5a74f0f4d0b9b59a299"},
    Model{"large-v2", mib(2970), "0f4c8e34f21cf1a914c59d8b3ce882345ad349d6"},
    Model{"large-v2-q5_0", mib(1126), "00e39f2196344e901b3a2bd5814807a769bd1630"},
    Model{"large-v3", mib(2970), "ad82bf6a9043ceed055076d0fd39f5f186ff8062"},
    Model{"large-v3-q5_0", mib(1126), "e6e2ed78495d403bef4b7cff42ef4aaadcfea8de"},
    Model{"large-v3-turbo", mib(1536), "4af2b29d7ec73d781377bfd1758ca957a807e941"},
    Model{"large-v3-turbo-q5_0", mib(547), "e050f7970618a659205450ad97eb95a18d69c9ee"},
};

}  // namespace

std::span<const Model> catalogue() {
  return kModels;
}

}  // namespace dictum::models
