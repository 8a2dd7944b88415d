#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "base/json.hpp"
#include "client.hpp"
#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "json_text.hpp"
#include "recorder/recordings.hpp"
#include "server/control_client.hpp"
#include "server/control_socket.hpp"
#include "server/hook_runner.hpp"
#include "server/server.hpp"
#include "server/service_manager.hpp"
#include "server/stream_sender.hpp"
#include "server/tls.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// The sentence and the code that `call` throws.
std::string error_of(const auto& call) {
  try {
    call();
  } catch (const RecorderError& error) {
    return to_string(static_cast<Errc>(error.code().value())) + ": " + error.what();
  }
  return "nothing was thrown";
}

// Control

class Control : public testing::Test {
 protected:
  void serve() {
    RecorderConfig config = test::scripted(folder / "sessions");
    config.session.durability = "crash";
    ServerSettings settings;
    make_token(folder / "tokens", Scopes::all());
    settings.tokens.add_file(folder / "tokens");
    settings.control = path;
    server.emplace(std::move(config), std::move(settings));
  }

  test::TemporaryDirectory folder;
  const fs::path path = folder / "run" / "control.sock";
  std::optional<Server> server;
};

TEST_F(Control, TheSocketIsForItsUserAloneAndGoesWithTheServer) {
  {
    ControlSocket control(path);
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(control.take());
  }
  EXPECT_FALSE(fs::exists(fs::symlink_status(path)));
}

TEST_F(Control, ASocketThatNobodyListensOnIsReplacedAndALivingOneIsNot) {
  fs::create_directory(path.parent_path());
  {
    const UniqueFD left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  const ControlSocket first(path);
  EXPECT_THAT(error_of([&] { const ControlSocket second(path); }),
              AllOf(StartsWith("device_busy"), HasSubstr("another server"), HasSubstr("--control")));
  EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(Control, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(folder / "file") << "kept";
  EXPECT_THAT(error_of([&] { const ControlSocket control(folder / "file"); }), HasSubstr("no socket"));
  EXPECT_EQ(test::contents(folder / "file"), "kept");
  EXPECT_THAT(error_of([&] { const ControlSocket control(folder / std::string(200, 'x')); }),
              StartsWith("invalid_argument"));
}

TEST_F(Control, WhoeverCanOpenTheSocketNeedsNoToken) {
  serve();
  EXPECT_EQ(test::get(server->url(), "/api/v1/status").status, 401);
  const auto status = ask_control(path, "GET", "/api/v1/status");
  EXPECT_EQ(status.status, 200);
  EXPECT_EQ(test::parse(status.body).at("is_recording"), false);
  EXPECT_EQ(ask_control(path, "POST", "/api/v1/commands/start_recording", "{}").status, 200);
  EXPECT_EQ(ask_control(path, "POST", "/api/v1/commands/wait_until_idle").status, 200);
  EXPECT_EQ(ask_control(path, "POST", "/api/v1/commands/set_muted", "[]").status, 400);
  EXPECT_EQ(list_sessions(folder / "sessions").size(), 1U);
}

TEST_F(Control, WhereNothingListensTheErrorSaysWhatToDo) {
  EXPECT_THAT(error_of([&] { ask_control(path, "GET", "/api/v1/status"); }),
              AllOf(StartsWith("input_not_found"), HasSubstr(path.string()), HasSubstr("dictum serve")));
  serve();
  server->stop();
  server.reset();
  EXPECT_THAT(error_of([&] { ask_control(path, "GET", "/api/v1/status"); }), StartsWith("input_not_found"));
}

TEST_F(Control, ATakenSocketIsAnErrorUnlessItIsOptional) {
  const ControlSocket taken(path);
  EXPECT_THAT(error_of([&] { serve(); }), StartsWith("device_busy"));
  ServerSettings settings;
  settings.control = path;
  settings.is_control_optional = true;
  server.emplace(test::scripted(folder / "sessions"), std::move(settings));
  EXPECT_THAT(server->control_problem(), HasSubstr("another server"));
  EXPECT_EQ(test::get(server->url(), "/healthz").status, 200);
}

// Hooks

class Hooks : public testing::Test {
 protected:
  static Event text_event(std::uint32_t segment, const std::string& text, int revision = 0) {
    TranscriptionComplete complete;
    complete.segment_index = segment;
    complete.text = text;
    complete.success = !text.empty();
    complete.revision = revision;
    return {.session = "20261122_154501", .sequence = 7, .timestamp = 0, .frame = 0, .body = complete};
  }

  /// What went wrong with events, one after the other; `patience` is for all of them.
  std::vector<std::string> run(std::vector<std::string> command, const std::vector<Event>& events,
                               std::chrono::milliseconds time_limit = std::chrono::seconds(20),
                               std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    std::vector<std::string> failures;
    HookRunner hooks(
        {.on_text = std::move(command), .on_note = {}},
        [&](const std::string& session, const std::string& sentence) {
          EXPECT_EQ(session, "20261122_154501");
          failures.push_back(sentence);
        },
        time_limit);
    for (const Event& event : events) hooks.take(event);
    hooks.finish(patience);
    return failures;
  }

  /// Begins a program that opens `fifo` and writes a byte; the other end, once it has.
  UniqueFD start(std::vector<std::string> command) {
    EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    running.emplace(
        HookSettings{.on_text = std::move(command), .on_note = {}},
        [this](const std::string&, const std::string& sentence) { reported.push_back(sentence); }, kLong);
    running->take(text_event(0, "a"));
    UniqueFD life(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
    char byte = 0;
    EXPECT_EQ(::read(life.get(), &byte, 1), 1);
    return life;
  }

  /// Whether nobody can write any more, within ten seconds.
  static bool ends(const UniqueFD& life) {
    pollfd end{life.get(), POLLIN, 0};
    return ::poll(&end, 1, 10'000) == 1 && (end.revents & POLLHUP) != 0;
  }

  static constexpr std::chrono::seconds kLong{100};

  test::TemporaryDirectory folder;
  const fs::path fifo = folder / "fifo";
  std::vector<std::string> reported;  // of `running`
  std::optional<HookRunner> running;
};

TEST_F(Hooks, EachFirstTextIsGivenToTheProgramAsOneLineOfJSON) {
  const fs::path out = folder / "out";
  // The name of a file as an argument of its own: there is no shell that would take it apart.
  EXPECT_THAT(run({"tee", "-a", out}, {text_event(0, ""), text_event(0, "first", 1), text_event(0, "revised", 2),
                                       text_event(1, "line\nof \"two\"")}),
              IsEmpty());
  std::ifstream lines(out);
  std::vector<std::string> texts;
  for (std::string line; std::getline(lines, line);) texts.push_back(test::text_of(test::parse(line).at("text")));
  EXPECT_THAT(texts, testing::ElementsAre("first", "line\nof \"two\""));
}

TEST_F(Hooks, AFailureSaysWhichProgramAndWhy) {
  EXPECT_THAT(run({"sh", "-c", "echo early >&2; echo no window >&2; exit 3"}, {text_event(0, "a")}),
              testing::ElementsAre(AllOf(HasSubstr("on_text (sh)"), HasSubstr("exit code 3: no window"))));
  EXPECT_THAT(run({folder / "missing"}, {text_event(0, "a")}), testing::ElementsAre(HasSubstr("could not be started")));
  EXPECT_THAT(run({"sh", "-c", "kill -9 $$"}, {text_event(0, "a")}), testing::ElementsAre(HasSubstr("signal 9")));
}

TEST_F(Hooks, AProgramThatTakesTooLongIsKilled) {
  EXPECT_THAT(run({"sleep", "1000"}, {text_event(0, "a")}, std::chrono::milliseconds(50)),
              testing::ElementsAre(HasSubstr("took more than 0.05 s")));
  EXPECT_THAT(run({"sleep", "1000"}, {text_event(0, "a")}, kLong, std::chrono::milliseconds(50)),
              testing::ElementsAre(HasSubstr("killed at the end")));
}

TEST_F(Hooks, AProgramIsKilledWithItsChildren) {
  const UniqueFD life = start({"sh", "-c", "(echo; exec sleep 1000) > " + fifo.string() + " & wait"});
  running->finish(std::chrono::milliseconds(0));
  EXPECT_TRUE(ends(life)) << "the child lives on";
}

TEST_F(Hooks, AProgramThatLeavesItsGroupIsKilledToo) {
  const UniqueFD life = start({"perl", "-e",
                               "setpgrp(0, getpgrp(getppid())) or die; open(F, '>', $ARGV[0]); syswrite(F, \"\\n\"); "
                               "sleep(1000)",
                               fifo});
  running->finish(std::chrono::milliseconds(0));
  EXPECT_TRUE(ends(life)) << "the program lives on";
}

TEST_F(Hooks, TheEndCanBeShortenedAndSaysWhatWasNotRun) {
  const UniqueFD life = start({"sh", "-c", "(echo; exec sleep 1000) > " + fifo.string()});
  running->take(text_event(1, "b"));
  running->take(text_event(2, "c"));
  std::thread patient([this] { running->finish(kLong); });
  running->finish(std::chrono::milliseconds(0));
  patient.join();
  EXPECT_THAT(reported, testing::ElementsAre(HasSubstr("killed at the end"), HasSubstr("left out 2 times")));
}

TEST_F(Hooks, AProgramHasNoneOfOurDescriptors) {
  const UniqueFD socket(::socket(AF_INET, SOCK_STREAM, 0));
  const UniqueFD leaking(::fcntl(socket.get(), F_DUPFD, 50));  // without O_CLOEXEC, as Asio's
  EXPECT_THAT(run({"sh", "-c", "for fd in /proc/$$/fd/*; do echo $fd; done > " + (folder / "out").string()},
                  {text_event(0, "a")}),
              IsEmpty());
  std::ifstream lines(folder / "out");
  std::vector<std::string> descriptors;
  for (std::string line; std::getline(lines, line);) descriptors.push_back(line.substr(line.rfind('/') + 1));
  EXPECT_THAT(descriptors, testing::IsSupersetOf({"0", "1", "2"}));
  EXPECT_THAT(descriptors, testing::Not(testing::Contains(std::to_string(leaking.get()))));
}

TEST_F(Hooks, AreRunWhereTheStandardStreamsAreClosed) {
  std::array<UniqueFD, 3> kept;
  for (int fd = 0; fd < 3; ++fd) {
    kept.at(static_cast<std::size_t>(fd)) = UniqueFD(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
    ::close(fd);
  }
  const auto failed = run({"sh", "-c", "cat > \"$0\"; echo said >&2; exit 1", folder / "out"}, {text_event(0, "text")});
  for (int fd = 0; fd < 3; ++fd) ::dup2(kept.at(static_cast<std::size_t>(fd)).get(), fd);
  EXPECT_THAT(failed, testing::ElementsAre(HasSubstr("exit code 1: said")));
  EXPECT_THAT(test::contents(folder / "out"), HasSubstr("text"));
}

TEST_F(Hooks, TheCurrentFolderIsNotSearchedForAProgram) {
  std::ofstream(folder / "typist") << "#!/bin/sh\necho run > " << (folder / "out").string() << "\n";
  fs::permissions(folder / "typist", fs::perms::owner_all);
  const std::string path = std::getenv("PATH");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  for (const char* hostile : {":/bin", ".:/bin", "/bin:"}) {
    ::setenv("PATH", hostile, 1);
    EXPECT_THAT(run({"typist"}, {text_event(0, "a")}), testing::ElementsAre(HasSubstr("could not be started")));
  }
  ::setenv("PATH", folder.path().c_str(), 1);
  EXPECT_THAT(run({"typist"}, {text_event(0, "a")}), IsEmpty());
  EXPECT_TRUE(fs::exists(folder / "out"));
  ::setenv("PATH", path.c_str(), 1);
  fs::current_path(before);
}

TEST_F(Hooks, AProgramThatReadsNothingIsNoFailure) {
  EXPECT_THAT(run({"true"}, {text_event(0, std::string(1 << 20, 'x')), text_event(1, "b")}), IsEmpty());
}

TEST_F(Hooks, NoMoreThanSoManyWaitAndWhatIsLeftOutIsSaid) {
  const fs::path go = folder / "go";
  ASSERT_EQ(::mkfifo(go.c_str(), 0600), 0);
  std::vector<std::string> failures;
  HookRunner hooks({.on_text = {"head", "-c1", go}, .on_note = {}},
                   [&](const std::string&, const std::string& sentence) { failures.push_back(sentence); });
  hooks.take(text_event(0, "a"));
  // It is opened once the first program runs: from then on so many wait, and one more is left out.
  std::ofstream opened(go);
  for (std::uint32_t i = 0; i <= HookRunner::kMaxWaiting; ++i) hooks.take(text_event(i + 1, "a"));
  opened << std::string(HookRunner::kMaxWaiting + 1, 'x') << std::flush;
  hooks.finish(std::chrono::seconds(30));
  EXPECT_THAT(failures, testing::ElementsAre(HasSubstr("left out 1 time")));
}

TEST_F(Hooks, TheConfigurationSaysWhatTheyAre) {
  const auto read = [&](const std::string& text) {
    std::ofstream(folder / "config.toml") << text;
    return read_hooks(folder / "config.toml");
  };
  const HookSettings hooks = read("[hooks]\non_text = [\"tee\", \"-a\", \"x y\"]\n");
  EXPECT_THAT(hooks.on_text, testing::ElementsAre("tee", "-a", "x y"));
  EXPECT_THAT(hooks.on_note, IsEmpty());
  EXPECT_TRUE(read("").is_empty());
  for (const char* wrong : {"[hooks]\non_text = \"tee\"", "[hooks]\non_txt = [\"tee\"]", "[hooks]\non_note = []",
                            "[hooks]\non_text = [1]"}) {
    EXPECT_THAT(error_of([&] { read(wrong); }), AllOf(StartsWith("config_invalid"), HasSubstr("hooks"))) << wrong;
  }
}

TEST_F(Hooks, AServersFailingHookIsAFaultAmongItsEvents) {
  ServerSettings settings;
  settings.hooks.on_text = {"false"};
  std::promise<std::string> noticed;
  settings.on_notice = [&, first = true](const std::string& sentence) mutable {
    if (std::exchange(first, false)) noticed.set_value(sentence);
  };
  Server server(test::scripted(folder.path()), std::move(settings));
  test::Client client(server.url());
  client.request("GET", "/api/v1/events?types=RecorderFault");
  client.head();
  EXPECT_EQ(test::post(server.url(), "/api/v1/commands/start_recording").status, 200);
  EXPECT_THAT(noticed.get_future().get(), HasSubstr("on_text (false) ended with exit code 1"));
  const auto event = client.event();
  ASSERT_TRUE(event);
  EXPECT_THAT(event->data, HasSubstr("\"hook_failed\""));
}

// The service manager

class ServiceManager : public testing::Test {
 protected:
  ~ServiceManager() override {
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);
    }
  }

  static void pass(int count, const std::string& pid = std::to_string(::getpid())) {
    ::setenv("LISTEN_PID", pid.c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(count).c_str(), 1);
  }

  /// A socket on loopback that listens.
  static UniqueFD listener() {
    UniqueFD made(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::listen(made.get(), 8), 0);  // which binds it to a free port of every address
    return made;
  }

  test::TemporaryDirectory folder;
};

TEST_F(ServiceManager, ASocketThatItHasOpenedIsServed) {
  boost::asio::io_context context;
  asio::ip::tcp::acceptor opened(context, {asio::ip::address_v4::loopback(), 0});
  const auto port = opened.local_endpoint().port();
  const int fd = opened.release();
  pass(1);
  PassedSockets passed = take_passed_sockets(fd);
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
  EXPECT_EQ(passed.tcp.get(), fd);
  const Server server(test::scripted(folder.path()), {}, std::move(passed));
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(test::get(server.url(), "/healthz").status, 200);
}

TEST_F(ServiceManager, AnAddressThatOthersReachNeedsATokenThenToo) {
  const int fd = listener().release();
  pass(1);
  EXPECT_THAT(error_of([&] { const Server server(test::scripted(folder.path()), {}, take_passed_sockets(fd)); }),
              HasSubstr("--token-file"));
}

TEST_F(ServiceManager, WhatIsNotForThisProcessOrNoListenerIsNotTaken) {
  pass(1, "1");
  EXPECT_FALSE(take_passed_sockets(-1).tcp);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pass(1);
  EXPECT_THAT(error_of([&] { take_passed_sockets(fd); }),
              AllOf(StartsWith("config_invalid"), HasSubstr("ListenStream")));
  pass(1000);
  EXPECT_THAT(error_of([&] { take_passed_sockets(fd); }), HasSubstr("1000"));
}

TEST_F(ServiceManager, IsToldTheStateAndFedTheWatchdog) {
  EXPECT_FALSE(notify_service_manager("READY=1"));
  const fs::path path = folder / "notify";
  const UniqueFD socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto received = [&] {
    char bytes[100];
    const ssize_t size = ::recv(socket.get(), bytes, sizeof bytes, 0);
    return std::string(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  EXPECT_TRUE(notify_service_manager("READY=1"));
  EXPECT_EQ(received(), "READY=1");
  EXPECT_FALSE(watchdog_interval());
  ::setenv("WATCHDOG_USEC", "20000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(watchdog_interval());
  ::unsetenv("WATCHDOG_PID");
  const Server server(test::scripted(folder / "sessions"), {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(received(), "WATCHDOG=1");
}

// TLS

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

void write_key(const fs::path& file, EVP_PKEY* key, const char* password = nullptr) {
  const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "w"), &std::fclose);
  PEM_write_PrivateKey(out.get(), key, password == nullptr ? nullptr : EVP_aes_128_cbc(), nullptr, 0, nullptr,
                       const_cast<char*>(password));
}

/// Writes a certificate of its own authority, for the address 127.0.0.1.
Key write_certificate(const fs::path& file) {
  Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "w"), &std::fclose);
  PEM_write_X509(out.get(), certificate.get());
  return key;
}

class TLS : public testing::Test {
 protected:
  static constexpr TLSPatience kPatience{.agree = std::chrono::seconds(10), .send = std::chrono::seconds(10)};

  TLS() { write_key(key, write_certificate(certificate).get()); }

  void serve(Limits limits = {}) {
    RecorderConfig config = test::scripted(folder / "sessions");
    config.session.durability = "crash";
    ServerSettings settings;
    settings.tls_certificate = certificate;
    settings.tls_key = key;
    settings.control = control;
    settings.limits = limits;
    server.emplace(std::move(config), std::move(settings));
  }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(server->url().substr(server->url().rfind(':') + 1)));
  }

  /// What comes for a request, to the end of the connection; or why there is none.
  std::string exchange(const std::string& request, const fs::path& authorities, const std::string& host) {
    asio::io_context context;
    std::string text;
    const auto tls = make_tls_client(authorities);
    auto talk = [&]() -> asio::awaitable<void> {
      asio::ip::tcp::socket socket(context);
      co_await socket.async_connect({asio::ip::address_v4::loopback(), port()}, asio::use_awaitable);
      auto agreed = co_await connect_tls(std::move(socket), tls, host, kPatience);
      if (auto* const failed = std::get_if<TLSFailure>(&agreed)) {
        text = (failed->is_untrusted ? "untrusted: " : "failed: ") + failed->sentence;
        co_return;
      }
      auto& plain = std::get<Socket>(agreed);
      co_await asio::async_write(plain, asio::buffer(request), asio::use_awaitable);
      boost::system::error_code ended;
      co_await asio::async_read(plain, asio::dynamic_buffer(text), asio::redirect_error(asio::use_awaitable, ended));
    };
    asio::co_spawn(context, talk, [](const std::exception_ptr& error) { EXPECT_FALSE(error); });
    context.run_for(std::chrono::seconds(20));
    EXPECT_TRUE(context.stopped()) << "the connection did not end";
    return text;
  }
  std::string get(const std::string& target) {
    return exchange("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", certificate,
                    "127.0.0.1");
  }

  test::TemporaryDirectory folder;
  const fs::path certificate = folder / "server.pem";
  const fs::path key = folder / "server.key";
  const fs::path control = folder / "control.sock";
  std::optional<Server> server;
};

TEST_F(TLS, AServerIsReadByAClientThatTrustsItsAuthority) {
  serve();
  EXPECT_THAT(server->url(), StartsWith("https://127.0.0.1:"));
  EXPECT_THAT(get("/healthz"), AllOf(StartsWith("HTTP/1.1 200 OK"), HasSubstr(R"({"status":"ok"})")));
  EXPECT_THAT(get("/openapi.json"), HasSubstr("securitySchemes"));
}

TEST_F(TLS, ACertificateThatIsNotTrustedOrAnothersEndsTheConnection) {
  serve();
  EXPECT_THAT(exchange("", {}, "127.0.0.1"), AllOf(StartsWith("untrusted: "), HasSubstr("--tls-ca")));
  EXPECT_THAT(exchange("", certificate, "127.0.0.2"), StartsWith("untrusted: "));
  EXPECT_THAT(exchange("", certificate, "example.org"), StartsWith("untrusted: "));
}

TEST_F(TLS, AClientThatSpeaksNoTLSGetsNothingAndOthersAreServed) {
  Limits limits;
  limits.request = std::chrono::milliseconds(200);
  serve(limits);
  test::Client silent("http://127.0.0.1:" + std::to_string(port()));
  test::Client plain("http://127.0.0.1:" + std::to_string(port()));
  plain.request("GET", "/healthz");
  EXPECT_THAT(plain.rest(), testing::Not(HasSubstr("HTTP")));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(silent.rest(), IsEmpty());  // after its time
}

TEST_F(TLS, AClientThatDoesNotReadLosesItsPlace) {
  Limits limits;
  limits.connections = 1;
  limits.send = std::chrono::milliseconds(200);
  serve(limits);
  asio::io_context context;
  std::promise<Socket> made;
  auto ask = [&]() -> asio::awaitable<void> {
    asio::ip::tcp::socket socket(context, asio::ip::tcp::v4());
    socket.set_option(asio::socket_base::receive_buffer_size(4096));
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port()}, asio::use_awaitable);
    auto agreed = co_await connect_tls(std::move(socket), make_tls_client(certificate), "127.0.0.1", kPatience);
    auto& plain = std::get<Socket>(agreed);
    std::string requests;  // for more than the system takes for a client
    for (int i = 0; i < 1000; ++i) requests += "GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    co_await asio::async_write(plain, asio::buffer(requests), asio::use_awaitable);
    made.set_value(std::move(plain));
  };
  asio::co_spawn(context, ask, [&](const std::exception_ptr& error) {
    if (error) made.set_exception(error);
  });
  std::thread running([&] { context.run(); });
  {
    const Socket unread = made.get_future().get();
    std::string text;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!text.starts_with("HTTP/1.1 200") && std::chrono::steady_clock::now() < end) text = get("/healthz");
    EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK"));
  }
  context.stop();
  running.join();
}

TEST_F(TLS, AMicrophoneElsewhereIsRecordedOverIt) {
  serve();
  RecorderConfig local;
  local.capture.input = test::project_file("samples/voice_note.wav");
  local.capture.pace = "fast";
  const std::string url = "wss" + server->url().substr(std::string("https").size());
  StreamSender sender(local, {.url = url, .token = {}, .authorities = certificate, .spool_folder = folder / "spool"},
                      {});
  const StreamSent sent = sender.result();
  EXPECT_EQ(sent.error, "");
  EXPECT_EQ(sent.unsent, 0);
  EXPECT_EQ(sent.sessions.size(), 1U);
  StreamSender untrusting(local, {.url = url, .token = {}, .spool_folder = folder / "other"}, {});
  EXPECT_THAT(untrusting.result().error, HasSubstr("--tls-ca"));
}

TEST_F(TLS, TheEndOfTheServerEndsAStreamOfEvents) {
  serve();
  std::thread reading([this] { EXPECT_THAT(get("/api/v1/events"), HasSubstr("text/event-stream")); });
  std::string metrics;
  while (metrics.find("dictum_event_subscribers 1") == std::string::npos) {
    metrics = ask_control(control, "GET", "/metrics").body;
  }
  server->stop();
  reading.join();
}

TEST_F(TLS, WhatIsWrongWithItsFilesIsSaidAtTheStart) {
  const auto error = [&](const fs::path& chain, const fs::path& of) {
    return error_of([&] { make_tls_server(chain, of); });
  };
  EXPECT_THAT(error(folder / "missing", key), AllOf(StartsWith("input_not_found"), HasSubstr("missing")));
  EXPECT_THAT(error(certificate, folder / "missing"), StartsWith("input_not_found"));
  EXPECT_THAT(error(key, key), AllOf(StartsWith("config_invalid"), HasSubstr("no certificate")));
  EXPECT_THAT(error(certificate, certificate), HasSubstr("no private key"));
  const Key other = write_certificate(folder / "other.pem");
  write_key(folder / "other.key", other.get());
  EXPECT_THAT(error(certificate, folder / "other.key"), HasSubstr("the key of another certificate"));
  write_key(folder / "locked.key", other.get(), "secret");
  EXPECT_THAT(error(folder / "other.pem", folder / "locked.key"),
              AllOf(HasSubstr("password"), HasSubstr("openssl pkey")));
  EXPECT_THAT(error_of([&] { make_tls_client(key); }), HasSubstr("no certificates"));
}

}  // namespace
}  // namespace dictum::server
