#include "processor_load.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dictum::workers {
namespace {

TEST(ProcessorLoad, CountsTheThreadsThatRunBesideTheOneThatAsks) {
  EXPECT_EQ(other_running_threads("0.42 0.37 0.30 3/512 12345\n"), 2);
  EXPECT_EQ(other_running_threads("0.42 0.37 0.30 1/512 12345"), 0);
  for (const char* nothing : {"", "0.42", "a b c d/e f", "0.42 0.37 0.30 0/512 1"}) {
    EXPECT_EQ(other_running_threads(nothing), 0) << nothing;
  }
}

struct Counted {
  int lasting;
  std::size_t pauses;
};

/// The last of `counts` goes on for ever.
Counted lasting(const std::vector<int>& counts) {
  std::size_t next = 0;
  std::size_t pauses = 0;
  const int least = lasting_threads([&] { return counts[std::min(next++, counts.size() - 1)]; }, [&] { ++pauses; });
  return {least, pauses};
}

TEST(ProcessorLoad, DoesNotCountAThreadThatRunsForAMoment) {
  EXPECT_EQ(lasting({2, 1, 0}).lasting, 0) << "the recorder, which has just sent the job";
  EXPECT_EQ(lasting({3, 1, 2}).lasting, 1) << "and something that goes on";
  EXPECT_EQ(lasting({1}).lasting, 1);
}

TEST(ProcessorLoad, IsCountedAtOnceOnAnIdleMachineAndSoonOnABusyOne) {
  EXPECT_EQ(lasting({0}).pauses, 0U);
  EXPECT_EQ(lasting({1, 1, 0}).pauses, 2U);
  EXPECT_EQ(lasting({1}).pauses, 4U);
}

TEST(ProcessorLoad, LeavesBusyCoresToOthers) {
  EXPECT_EQ(threads_for(8, 0, 4), 4);
  EXPECT_EQ(threads_for(4, 1, 4), 3);
  EXPECT_EQ(threads_for(2, 0, 4), 2);
  EXPECT_EQ(threads_for(2, 9, 4), 1);
  EXPECT_EQ(threads_for(1, 0, 4), 1);
  EXPECT_GE(physical_cores(), 1);
}

}  // namespace
}  // namespace dictum::workers
