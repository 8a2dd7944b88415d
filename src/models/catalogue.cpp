#include "models/catalogue.hpp"

#include <array>

namespace dictum::models {
namespace {

constexpr std::uint64_t mib(std::uint64_t count) {
  return count << 20;
}

// The publisher's sizes are rounded: 1.5 GiB is mib(1536).
constexpr std::array kModels{
    Model{"tiny", mib(75), "be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21", 1, "fastest"},
    Model{"tiny-q8_0", mib(42), "c2085835d3f50733e2ff6e4b41ae8a2b8d8110461e18821b09a15c40c42d1cca", 1, "fastest"},
    Model{"tiny.en", mib(75), "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f", 1, "fastest"},
    Model{"tiny.en-q8_0", mib(42), "5bc2b3860aa151a4c6e7bb095e1fcce7cf12c7b020ca08dcec0c6d018bb7dd94", 1, "fastest"},
    Model{"base", mib(142), "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe", 2, "fast"},
    Model{"base-q8_0", mib(78), "c577b9a86e7e048a0b7eada054f4dd79a56bbfa911fbdacf900ac5b567cbb7d9", 2, "fast"},
    Model{"base.en", mib(142), "a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002", 2, "fast"},
    Model{"base.en-q8_0", mib(78), "a4d4a0768075e13cfd7e19df3ae2dbc4a68d37d36a7dad45e8410c9a34f8c87e", 2, "fast"},
    Model{"small", mib(466), "1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b", 3, "moderate"},
    Model{"small-q8_0", mib(252), "49c8fb02b65e6049d5fa6c04f81f53b867b5ec9540406812c643f177317f779f", 3, "moderate"},
    Model{"small.en", mib(466), "c6138d6d58ecc8322097e0f987c32f1be8bb0a18532a3f88f734d1bbf9c41e5d", 3, "moderate"},
    Model{"small.en-q8_0", mib(252), "67a179f608ea6114bd3fdb9060e762b588a3fb3bd00c4387971be4d177958067", 3, "moderate"},
    Model{"medium", mib(1536), "6c14d5adee5f86394037b4e4e8b59f1673b6cee10e3cf0b11bbdbee79c156208", 4, "slow"},
    Model{"medium-q5_0", mib(514), "19fea4b380c3a618ec4723c3eef2eb785ffba0d0538cf43f8f235e7b3b34220f", 4, "slow"},
    Model{"medium-q8_0", mib(785), "42a1ffcbe4167d224232443396968db4d02d4e8e87e213d3ee2e03095dea6502", 4, "slow"},
    Model{"medium.en", mib(1536), "cc37e93478338ec7700281a7ac30a10128929eb8f427dda2e865faa8f6da4356", 4, "slow"},
    Model{"medium.en-q8_0", mib(785), "43fa2cd084de5a04399a896a9a7a786064e221365c01700cea4666005218f11c", 4, "slow"},
    Model{"large-v3-turbo", mib(1549), "1fc70f774d38eb169993ac391eea357ef47c88757ef72ee5943879b7e8e2bc69", 5, "slow"},
    Model{"large-v3-turbo-q5_0", mib(547), "394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2", 5,
          "slow"},
    Model{"large-v3-turbo-q8_0", mib(834), "317eb69c11673c9de1e1f0d459b253999804ec71ac4c23c17ecf5fbe24e259a1", 5,
          "slow"},
    Model{"large-v1", mib(2970), "7d99f41a10525d0206bddadd86760181fa920438b6b33237e3118ff6c83bb53d", 6, "very slow"},
    Model{"large-v2", mib(2970), "9a423fe4d40c82774b6af34115b8b935f34152246eb19e80e376071d3f999487", 7, "very slow"},
    Model{"large-v2-q5_0", mib(1126), "3a214837221e4530dbc1fe8d734f302af393eb30bd0ed046042ebf4baf70f6f2", 7,
          "very slow"},
    Model{"large-v3", mib(2970), "64d182b440b98d5203c4f9bd541544d84c605196c4f7b845dfa11fb23594d1e2", 8, "very slow"},
    Model{"large-v3-q5_0", mib(1126), "d75795ecff3f83b5faa89d1900604ad8c780abd5739fae406de19f23ecd98ad1", 8,
          "very slow"},
};

}  // namespace

std::span<const Model> catalogue() {
  return kModels;
}

}  // namespace dictum::models
