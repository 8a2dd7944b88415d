#include "processor_load.hpp"

#include <gtest/gtest.h>

namespace dictum::workers {
namespace {

TEST(ProcessorLoad, CountsTheThreadsThatRunBesideTheOneThatAsks) {
  EXPECT_EQ(other_running_threads("0.42 0.37 0.30 3/512 12345\n"), 2);
  EXPECT_EQ(other_running_threads("0.42 0.37 0.30 1/512 12345"), 0);
  for (const char* nothing : {"", "0.42", "a b c d/e f", "0.42 0.37 0.30 0/512 1"}) {
    EXPECT_EQ(other_running_threads(nothing), 0) << nothing;
  }
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
