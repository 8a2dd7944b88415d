#include "server/access.hpp"

#include <gmock/gmock.h>

namespace dictum::server {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

constexpr const char* kTokenHash =  // of "secret"
    "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

Request request(std::vector<Request::Header> headers) {
  return {.method = "GET", .target = "/", .headers = std::move(headers), .body = {}};
}

/// 0 where the request is allowed.
int status(const AccessPolicy& policy, const Request& asked, Scope scope = Scope::none) {
  const auto refused = policy.refusal(asked, scope);
  return refused ? refused->status : 0;
}

TEST(Host, IsReadWithoutItsPort) {
  EXPECT_THAT(host_of("LocalHost:8080"), Optional(Eq("localhost")));
  EXPECT_THAT(host_of("127.0.0.1"), Optional(Eq("127.0.0.1")));
  EXPECT_THAT(host_of("[::1]:80"), Optional(Eq("::1")));
}

TEST(Host, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", ":80", "a b", "a:b", "a:", "a:99999", "a:1:2", "[::1", "[]", "[::1]x", "user@host", "a/b", "a,b", "\x80"}) {
    EXPECT_FALSE(host_of(text)) << text;
  }
}

TEST(Access, AnAddressInNumbersAndLocalhostAreMine) {
  const AccessPolicy policy({}, {});
  for (const char* host : {"127.0.0.1:8080", "localhost:8080", "[::1]:8080", "192.168.1.5"}) {
    EXPECT_EQ(status(policy, request({{"host", host}})), 0) << host;
  }
}

TEST(Access, ANameThatSomebodyElseMayOwnIsForeign) {
  const AccessPolicy policy({}, {"recorder.example"});
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "2130706433x"}) {
    EXPECT_EQ(status(policy, request({{"Host", host}})), 421) << host;
  }
  EXPECT_EQ(status(policy, request({{"Host", "Recorder.Example:80"}})), 0);
}

TEST(Access, ARequestHasExactlyOneHost) {
  const AccessPolicy policy({}, {});
  EXPECT_EQ(status(policy, request({})), 400);
  EXPECT_EQ(status(policy, request({{"Host", "localhost"}, {"Host", "localhost"}})), 400);
  EXPECT_EQ(status(policy, request({{"Host", "a b"}})), 400);
}

TEST(Access, PagesOfOtherSitesAreRefused) {
  const AccessPolicy policy({}, {});
  for (const char* origin :
       {"https://evil.example", "null", "", "http://localhost:8081", "http://localhost", "file://", "http://"}) {
    EXPECT_EQ(status(policy, request({{"Host", "localhost:8080"}, {"Origin", origin}})), 403) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "what"}) {
    EXPECT_EQ(status(policy, request({{"Host", "localhost:8080"}, {"Sec-Fetch-Site", site}})), 403) << site;
  }
  EXPECT_EQ(status(policy, request({{"Host", "localhost:8080"},
                                    {"Origin", "http://localhost:8080"},
                                    {"Sec-Fetch-Site", "same-origin"}})),
            0);
}

class Tokens : public testing::Test {
 protected:
  Tokens() { list.add(std::string(kTokenHash) + " listen,library\n"); }

  int status(const std::string& authorization, Scope scope) const {
    return server::status(AccessPolicy(list, {}), request({{"Host", "localhost"}, {"Authorization", authorization}}),
                          scope);
  }
  TokenList list;
};

TEST_F(Tokens, OpenWhatTheyAreFor) {
  EXPECT_EQ(status("Bearer secret", Scope::listen), 0);
  EXPECT_EQ(status("bearer secret", Scope::library), 0);
  EXPECT_EQ(status("Bearer secret", Scope::control), 403);
}

TEST_F(Tokens, AWrongOneOpensNothing) {
  for (const char* authorization :
       {"", "Bearer ", "Bearer Secret", "Bearer secret ", "Basic secret", "secret", "Bearersecret"}) {
    EXPECT_EQ(status(authorization, Scope::listen), 401) << authorization;
  }
  EXPECT_EQ(status("Bearer wrong", Scope::none), 0);
}

TEST_F(Tokens, ARefusalSaysWhatToDo) {
  const auto refused = AccessPolicy(list, {}).refusal(request({{"Host", "localhost"}}), Scope::listen);
  ASSERT_TRUE(refused);
  EXPECT_THAT(std::get<std::string>(refused->body), HasSubstr("Authorization: Bearer TOKEN"));
  EXPECT_EQ(refused->headers.front().name, "WWW-Authenticate");
}

}  // namespace
}  // namespace dictum::server
