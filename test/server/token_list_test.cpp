#include "server/token_list.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::server {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::Not;
using testing::Optional;

class TokenFile : public testing::Test {
 protected:
  std::string content() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  Errc error_of_adding() const {
    try {
      TokenList().add_file(file);
    } catch (const RecorderError& error) {
      return static_cast<Errc>(error.code().value());
    }
    return {};
  }
  test::TemporaryDirectory folder;
  std::filesystem::path file = folder / "tokens";
};

TEST_F(TokenFile, ATokenThatWasMadeIsKnownWithItsScopes) {
  const std::string all = make_token(file, Scopes::all());
  const std::string some = make_token(file, Scopes().with(Scope::listen));
  TokenList list;
  list.add_file(file);
  EXPECT_THAT(list.scopes_of(all), Optional(Eq(Scopes::all())));
  EXPECT_THAT(list.scopes_of(some), Optional(Eq(Scopes().with(Scope::listen))));
  EXPECT_FALSE(list.scopes_of(all + "x"));
  EXPECT_NE(all, some);
}

TEST_F(TokenFile, HasHashesOnlyAndIsForItsUserAlone) {
  const std::string token = make_token(file, Scopes::all());
  EXPECT_THAT(content(), Not(HasSubstr(token)));
  EXPECT_THAT(content(), Not(HasSubstr(token.substr(token.find('_') + 1))));
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(TokenFile, OneThatOthersCanChangeIsRefused) {
  make_token(file, Scopes::all());
  ::chmod(file.c_str(), 0620);
  EXPECT_EQ(error_of_adding(), Errc::config_invalid);
}

TEST_F(TokenFile, WhatIsNoFileIsRefused) {
  EXPECT_EQ(error_of_adding(), Errc::input_not_found);
  file = folder.path();
  EXPECT_EQ(error_of_adding(), Errc::config_invalid);
}

TEST(TokenList, CommentsAndEmptyLinesArePassedOver) {
  TokenList list;
  list.add("# a comment\n\n\r\n");
  EXPECT_TRUE(list.is_empty());
}

TEST(TokenList, ALineThatIsSomethingElseIsNamed) {
  const std::string hash = "sha256:" + std::string(64, 'a');
  for (const std::string& line : {std::string("secret"), hash, hash + " ", hash + " all", hash + " listen,",
                                  hash + " none", hash + "a listen", "sha256:" + std::string(64, 'A') + " listen"}) {
    try {
      TokenList().add("# first\n" + line + "\n");
      ADD_FAILURE() << line;
    } catch (const RecorderError& error) {
      EXPECT_EQ(error.code(), Errc::config_invalid);
      EXPECT_THAT(error.what(), HasSubstr("Line 2"));
    }
  }
}

}  // namespace
}  // namespace dictum::server
