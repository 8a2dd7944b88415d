#include "base/shared_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace dictum {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string sentence_of(const auto& call) {
  try {
    call();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::input_not_found);
    return error.what();
  }
  return {};
}

TEST(SharedLibrary, GivesTheFunctionsOfALibrary) {
  const SharedLibrary library("libm.so.6", "the C library", Errc::input_not_found);
  double (*const square_root)(double) = library.function("sqrt");
  EXPECT_EQ(square_root(16), 4);
}

TEST(SharedLibrary, ThatIsNotInstalledIsAnErrorThatNamesItAndWhatToInstall) {
  EXPECT_THAT(sentence_of([] { SharedLibrary("libdictum-no-such.so.0", "package-x", Errc::input_not_found); }),
              AllOf(HasSubstr("libdictum-no-such.so.0"), HasSubstr("Install package-x.")));
}

TEST(SharedLibrary, ThatIsTooOldIsAnErrorThatNamesTheFunction) {
  const SharedLibrary library("libm.so.6", "package-x", Errc::input_not_found);
  EXPECT_THAT(sentence_of([&] { static_cast<void>(library.function("no_such_function")); }),
              AllOf(HasSubstr("libm.so.6"), HasSubstr("no_such_function"), HasSubstr("Install a newer package-x.")));
  EXPECT_EQ(library.find_if_present("no_such_function"), nullptr);
}

}  // namespace
}  // namespace dictum
