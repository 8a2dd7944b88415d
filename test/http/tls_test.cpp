#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/unique_fd.hpp"
#include "http/transfer.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::http {
namespace {

using test::TemporaryDirectory;

// Python's TLS, so that both ends are not the same code. It prints its port and serves until it is killed.
constexpr const char* kServer = R"(
import http.server, ssl, sys
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "5"); self.end_headers(); self.wfile.write(b"hello")
    def log_message(self, *_): pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
)";

/// A server with a certificate for "localhost" that no authority signed.
class TLSServer : public testing::Test {
 protected:
  void SetUp() override {
    const std::string command =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
        "-keyout " +
        key_.string() + " -out " + certificate_.string() +
        " >/dev/null 2>&1 && python3 -c 'import ssl' >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0) GTEST_SKIP() << "openssl and python3 are needed for a server with TLS";
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    output_ = UniqueFD(ends[0]);
    UniqueFD write(ends[1]);
    std::string arguments[] = {"python3", "-c", kServer, certificate_.string(), key_.string()};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(),
                    arguments[3].data(), arguments[4].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ASSERT_EQ(::posix_spawnp(&server_, "python3", &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    write.reset();
    std::string port;
    for (char byte = 0; byte != '\n'; port += byte)
      ASSERT_EQ(::read(output_.get(), &byte, 1), 1) << "the server did not start";
    port_ = std::stoi(port);
  }

  void TearDown() override {
    ::unsetenv("SSL_CERT_FILE");
    if (server_ <= 0) return;
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
  }

  std::string get(const std::string& host) const {
    Request request;
    request.url = "https://" + host + ":" + std::to_string(port_) + "/";
    std::string body;
    transfer(request, [&](const Response&, std::string_view piece) {
      body += piece;
      return true;
    });
    return body;
  }

  TransferError::Kind refusal(const std::string& host) const {
    try {
      get(host);
    } catch (const TransferError& error) {
      return error.kind();
    }
    ADD_FAILURE() << "it was trusted";
    return {};
  }

  const TemporaryDirectory folder_;
  const std::filesystem::path key_ = folder_ / "key.pem";
  const std::filesystem::path certificate_ = folder_ / "certificate.pem";
  UniqueFD output_;  // kept open: it may write its line in several pieces
  pid_t server_ = -1;
  int port_ = 0;
};

TEST_F(TLSServer, IsNotTrustedWithoutAnAuthority) {
  EXPECT_EQ(refusal("localhost"), TransferError::Kind::unreachable);
}

TEST_F(TLSServer, IsTrustedWhereTheUserSaysSo) {
  ::setenv("SSL_CERT_FILE", certificate_.c_str(), 1);
  EXPECT_EQ(get("localhost"), "hello");
}

TEST_F(TLSServer, IsNotTrustedUnderAnotherName) {
  ::setenv("SSL_CERT_FILE", certificate_.c_str(), 1);
  EXPECT_EQ(refusal("127.0.0.1"), TransferError::Kind::unreachable);
}

}  // namespace
}  // namespace dictum::http
