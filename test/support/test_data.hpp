#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

namespace dictum::test {

/// The file `name` (for example "audio/jfk.wav") of the shared test data: in $DICTUM_TEST_DATA, else in ../shared
/// beside the checkout. Empty where neither has it: the test then skips itself and says so.
std::optional<std::filesystem::path> test_data(std::string_view name);

/// A file of the project itself, for example the bundled sample.
std::filesystem::path project_file(std::string_view name);

}  // namespace dictum::test

/// Binds `variable` to the path of a file of the shared test data, or skips the test with a visible reason.
#define DICTUM_TEST_DATA_OR_SKIP(variable, name)                                                         \
  const auto variable##_found = ::dictum::test::test_data(name);                                         \
  if (!variable##_found)                                                                                 \
    GTEST_SKIP() << "test data not found: " << (name) << " (looked in $DICTUM_TEST_DATA and ../shared)"; \
  const std::filesystem::path& variable = *variable##_found

/// Skips what is slow and seldom breaks, unless `make soak` runs it.
#define DICTUM_LONG_TEST_OR_SKIP() \
  if (std::getenv("DICTUM_LONG_TESTS") == nullptr) GTEST_SKIP() << "long: make soak runs it"
