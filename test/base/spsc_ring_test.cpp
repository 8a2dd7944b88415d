#include "base/spsc_ring.hpp"

#include <gmock/gmock.h>

#include <array>
#include <numeric>
#include <thread>
#include <vector>

namespace dictum {
namespace {

using ::testing::ElementsAre;

std::vector<int> pop_all(SPSCRing<int>& ring) {
  std::vector<int> values(ring.size());
  EXPECT_EQ(ring.pop(values), values.size());
  return values;
}

TEST(SPSCRing, HandsOutWhatWasPushedInOrder) {
  SPSCRing<int> ring(8);
  ring.push(std::array{1, 2, 3});
  ring.push(std::array{4});
  EXPECT_THAT(pop_all(ring), ElementsAre(1, 2, 3, 4));
}

TEST(SPSCRing, TakesTheFirstOfWhatDoesNotFit) {
  SPSCRing<int> ring(3);
  EXPECT_EQ(ring.push(std::array{1, 2}), 2U);
  EXPECT_EQ(ring.push(std::array{3, 4, 5}), 1U);
  EXPECT_EQ(ring.push(std::array{6}), 0U);
  EXPECT_THAT(pop_all(ring), ElementsAre(1, 2, 3));
}

TEST(SPSCRing, GoesRoundAtEveryOffset) {
  SPSCRing<int> ring(5);
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(ring.push(std::array{round, round + 1, round + 2}), 3U);
    ASSERT_THAT(pop_all(ring), ElementsAre(round, round + 1, round + 2));
  }
}

TEST(SPSCRing, PopsNoMoreThanAskedFor) {
  SPSCRing<int> ring(4);
  ring.push(std::array{1, 2, 3});
  std::array<int, 2> some{};
  EXPECT_EQ(ring.pop(some), 2U);
  EXPECT_THAT(some, ElementsAre(1, 2));
  EXPECT_EQ(ring.size(), 1U);
}

TEST(SPSCRing, OfNoCapacityTakesNothing) {
  SPSCRing<int> ring(0);
  EXPECT_EQ(ring.push(std::array{1}), 0U);
}

TEST(SPSCRing, CarriesEveryValueFromOneThreadToAnother) {
  constexpr int kValues = 300'000;
  SPSCRing<int> ring(257);
  std::thread producer([&] {
    std::array<int, 31> block{};
    for (int next = 0; next < kValues;) {
      const int count = std::min<int>(block.size(), kValues - next);
      std::iota(block.begin(), block.end(), next);
      const auto taken = ring.push(std::span(block).first(static_cast<std::size_t>(count)));
      next += static_cast<int>(taken);
      if (taken == 0) std::this_thread::yield();
    }
  });
  int expected = 0;
  bool in_order = true;
  std::array<int, 53> block{};
  while (expected < kValues) {
    const std::size_t count = ring.pop(block);
    for (std::size_t i = 0; i < count; ++i) in_order = in_order && block[i] == expected++;
    if (count == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace dictum
