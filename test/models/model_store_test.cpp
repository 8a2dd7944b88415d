#include "models/model_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "base/unique_fd.hpp"
#include "dictum/error.hpp"
#include "digest/sha256.hpp"
#include "support/loopback_server.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::models {
namespace {

using test::LoopbackServer;
using test::TemporaryDirectory;
using Connection = LoopbackServer::Connection;
using Request = LoopbackServer::Request;

std::string sha256_of(std::string_view bytes) {
  digest::SHA256 sum;
  sum.add(bytes);
  return sum.hex();
}

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

/// The publisher's file of these tests, 300 kB without a pattern that repeats.
const std::string& weights() {
  static const std::string bytes = [] {
    std::string made(300'000, '\0');
    std::uint32_t state = 1;
    for (char& byte : made) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    return made;
  }();
  return bytes;
}

const std::array<Model, 1>& one_model() {
  static const std::string sum = sha256_of(weights());
  static const std::array<Model, 1> models{Model{"small", weights().size(), sum}};
  return models;
}

/// A store in a fresh folder that pulls from a server of the test's making.
class Pull : public testing::Test {
 protected:
  ModelStore store(const LoopbackServer& server) const { return store(server.address()); }
  ModelStore store(const std::string& address) const {
    const Patience patience{.connect = std::chrono::seconds(5), .stall = std::chrono::seconds(1), .attempts = 2};
    return {folder_ / "models", address, one_model(), patience};
  }

  std::filesystem::path file() const { return folder_ / "models/ggml-small.bin"; }
  std::filesystem::path part() const { return folder_ / "models/ggml-small.bin.part"; }

  void leave_part(std::string_view bytes) const {
    std::filesystem::create_directories(folder_ / "models");
    std::ofstream(part(), std::ios::binary) << bytes;
  }

  struct Failure {
    Errc code{};
    std::string sentence;
  };
  static Failure failure_of(const ModelStore& store, std::stop_token cancelled = {}) {
    try {
      store.pull("small", {}, std::move(cancelled));
      return {};
    } catch (const RecorderError& error) {
      return {static_cast<Errc>(error.code().value()), error.what()};
    }
  }

  const TemporaryDirectory folder_;
};

/// Serves the file as a good server does, ranges included.
void serve_well(const Request& request, int, Connection& connection) {
  const std::string range = request.header("Range");
  if (range.empty()) return connection.respond(200, weights());
  const auto start = std::stoul(range.substr(std::string("bytes=").size()));
  if (start >= weights().size()) return connection.respond(416, "");
  connection.respond(206, std::string_view(weights()).substr(start),
                     "Content-Range: bytes " + std::to_string(start) + "-" + std::to_string(weights().size() - 1) +
                         "/" + std::to_string(weights().size()) + "\r\n");
}

std::string head(std::size_t length) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

TEST_F(Pull, PutsTheCheckedFileInItsPlace) {
  const LoopbackServer server(serve_well);
  EXPECT_EQ(store(server).pull("small"), file());
  EXPECT_EQ(content_of(file()), weights());
  EXPECT_FALSE(std::filesystem::exists(part()));
  EXPECT_TRUE(server.requests()[0].head.starts_with("GET /ggml-small.bin HTTP/1.1\r\n"));
}

TEST_F(Pull, TellsItsProgressUpToTheEnd) {
  const LoopbackServer server(serve_well);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> reported;
  store(server).pull("small", [&](std::uint64_t done, std::uint64_t all) { reported.emplace_back(done, all); });
  ASSERT_FALSE(reported.empty());
  EXPECT_TRUE(std::ranges::is_sorted(reported));
  EXPECT_EQ(reported.back(), std::pair(weights().size(), weights().size()));
}

TEST_F(Pull, AsksNobodyWhereTheModelIsInstalled) {
  const LoopbackServer server(serve_well);
  store(server).pull("small");
  store(server).pull("small");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Pull, GoesOnWhereAnEarlierOneStopped) {
  const LoopbackServer server(serve_well);
  leave_part(weights().substr(0, 100'000));
  store(server).pull("small");
  EXPECT_EQ(server.requests()[0].header("Range"), "bytes=100000-");
  EXPECT_EQ(content_of(file()), weights());
}

TEST_F(Pull, TakesAPartThatIsAlreadyWhole) {
  const LoopbackServer server(serve_well);
  leave_part(weights());
  store(server).pull("small");
  EXPECT_EQ(content_of(file()), weights());
}

TEST_F(Pull, BeginsAnewWhereTheServerKnowsNoRanges) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(200, weights()); });
  leave_part("what is this");
  store(server).pull("small");
  EXPECT_EQ(content_of(file()), weights());
}

TEST_F(Pull, BeginsAnewWhereThePartIsLongerThanTheFile) {
  const LoopbackServer server(serve_well);
  leave_part(std::string(400'000, 'x'));
  store(server).pull("small");
  EXPECT_EQ(content_of(file()), weights());
}

TEST_F(Pull, FollowsTheServerToItsStore) {
  const LoopbackServer server([](const Request& request, int number, Connection& c) {
    if (number == 0) return c.respond(302, "elsewhere", "Location: /store/1\r\n");
    serve_well(request, number, c);
  });
  store(server).pull("small");
  EXPECT_EQ(content_of(file()), weights());
}

TEST_F(Pull, DoesNotFollowForEver) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(302, "", "Location: /again\r\n"); });
  EXPECT_EQ(failure_of(store(server)).code, Errc::model_missing);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Pull, GoesOnAfterAConnectionThatBrokeOff) {
  const LoopbackServer server([](const Request& request, int number, Connection& c) {
    if (number > 0) return serve_well(request, number, c);
    c.send(head(weights().size()));
    c.send(std::string_view(weights()).substr(0, 50'000));
  });
  store(server).pull("small");
  EXPECT_EQ(server.requests()[1].header("Range"), "bytes=50000-");
  EXPECT_EQ(content_of(file()), weights());
}

TEST_F(Pull, KeepsWhatCameFromAServerThatTruncates) {
  const LoopbackServer server([](const Request& request, int, Connection& c) {
    if (!request.header("Range").empty()) return;  // nothing more, ever
    c.send(head(weights().size()));
    c.send(std::string_view(weights()).substr(0, 50'000));
  });
  const auto failure = failure_of(store(server));
  EXPECT_EQ(failure.code, Errc::model_missing);
  EXPECT_NE(failure.sentence.find("broke off"), std::string::npos) << failure.sentence;
  EXPECT_EQ(content_of(part()), weights().substr(0, 50'000));
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Pull, GivesUpOnAServerThatStalls) {
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.send(head(weights().size()));
    c.stall();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto failure = failure_of(store(server));
  EXPECT_EQ(failure.code, Errc::timed_out);
  EXPECT_NE(failure.sentence.find("stopped sending"), std::string::npos) << failure.sentence;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(Pull, RefusesALengthThatIsALie) {
  for (const std::size_t length : {std::size_t{1} << 40, weights().size() * 2}) {
    const LoopbackServer server([length](const Request&, int, Connection& c) {
      c.send(head(length));
      c.send(weights());
    });
    EXPECT_EQ(failure_of(store(server)).code, Errc::model_missing) << length;
    EXPECT_FALSE(std::filesystem::exists(file()));
  }
}

TEST_F(Pull, ThrowsAwayAFileThatIsShorterThanTheModel) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(200, weights().substr(0, 1000)); });
  EXPECT_EQ(failure_of(store(server)).code, Errc::model_missing);
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(Pull, RefusesABodyWithoutEnd) {
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 100; ++i) c.send(weights());
  });
  EXPECT_EQ(failure_of(store(server)).code, Errc::model_missing);
  EXPECT_LT(std::filesystem::file_size(part()), weights().size() * 2);
}

TEST_F(Pull, ThrowsAwayWrongBytes) {
  const LoopbackServer server(
      [](const Request&, int, Connection& c) { c.respond(200, std::string(weights().size(), 'x')); });
  const auto failure = failure_of(store(server));
  EXPECT_EQ(failure.code, Errc::model_missing);
  EXPECT_NE(failure.sentence.find("not the publisher's file"), std::string::npos) << failure.sentence;
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(Pull, RefusesAnotherRangeThanItAskedFor) {
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.respond(206, weights().substr(7), "Content-Range: bytes 7-299999/300000\r\n");
  });
  leave_part(weights().substr(0, 100));
  EXPECT_EQ(failure_of(store(server)).code, Errc::model_missing);
  EXPECT_EQ(content_of(part()), weights().substr(0, 100));
}

TEST_F(Pull, TellsTheStatusOfAServerThatHasNoSuchFile) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.respond(404, "<html>nothing here</html>"); });
  const auto failure = failure_of(store(server));
  EXPECT_EQ(failure.code, Errc::model_missing);
  EXPECT_NE(failure.sentence.find("404"), std::string::npos) << failure.sentence;
}

TEST_F(Pull, RefusesWhatIsNoHTTP) {
  const LoopbackServer server([](const Request&, int, Connection& c) { c.send("\x16\x03\x01 good day"); });
  EXPECT_EQ(failure_of(store(server)).code, Errc::model_missing);
}

TEST_F(Pull, SaysInOneLineThatTheMachineIsOffline) {
  std::string address;
  {
    const LoopbackServer gone(serve_well);
    address = gone.address();
  }
  const auto failure = failure_of(store(address));
  EXPECT_EQ(failure.code, Errc::model_missing);
  EXPECT_NE(failure.sentence.find("is this machine online?"), std::string::npos) << failure.sentence;
  EXPECT_EQ(failure.sentence.find('\n'), std::string::npos);
}

TEST_F(Pull, EndsAtOnceWhenItIsCancelledAndKeepsWhatCame) {
  std::stop_source stop;
  const LoopbackServer server([](const Request&, int, Connection& c) {
    c.send(head(weights().size()));
    c.send(std::string_view(weights()).substr(0, 5000));
    c.stall();
  });
  const std::jthread canceller([&] {
    server.wait_for_requests(1);
    stop.request_stop();
  });
  EXPECT_EQ(failure_of(store(server), stop.get_token()).code, Errc::cancelled);
  EXPECT_TRUE(std::filesystem::exists(part()));
}

TEST_F(Pull, LeavesAFileThatAnotherProcessIsFillingAlone) {
  const LoopbackServer server(serve_well);
  leave_part("");
  const UniqueFD other(::open(part().c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  EXPECT_NE(failure_of(store(server)).sentence.find("another process"), std::string::npos);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Pull, SaysThatTheFolderCannotBeMade) {
  std::ofstream(folder_ / "models") << "a file in the way";
  EXPECT_EQ(failure_of(store("http://127.0.0.1:9")).code, Errc::output_unwritable);
}

TEST_F(Pull, FindsDamageThatCameLater) {
  const LoopbackServer server(serve_well);
  const auto models = store(server);
  models.pull("small");
  EXPECT_NO_THROW(models.verify("small"));
  std::fstream(file(), std::ios::in | std::ios::out | std::ios::binary).seekp(1234).put('!');
  EXPECT_THROW(models.verify("small"), RecorderError);
}

TEST_F(Pull, RemovesWhatIsThereAndSaysSo) {
  const LoopbackServer server(serve_well);
  const auto models = store(server);
  EXPECT_FALSE(models.remove("small"));
  models.pull("small");
  leave_part("rest");
  EXPECT_TRUE(models.remove("small"));
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(Pull, ListsWhatIsInstalledAndWhatIsUnfinished) {
  const auto models = store("http://127.0.0.1:9");
  leave_part("12345");
  ASSERT_EQ(models.list().size(), 1U);
  EXPECT_FALSE(models.list()[0].installed);
  EXPECT_EQ(models.list()[0].part, 5U);
}

TEST_F(Pull, ResolvesAFileOrAnInstalledName) {
  const auto models = store("http://127.0.0.1:9");
  leave_part("");
  std::ofstream(file()) << "weights";
  EXPECT_EQ(models.resolve("small"), file());
  EXPECT_EQ(models.resolve(file().string()), file());
  EXPECT_THROW(models.resolve("/nowhere/model.bin"), RecorderError);
  EXPECT_THROW(models.resolve("unknown-model"), RecorderError);
}

TEST(Catalogue, HasEveryModelOnceWithAWellFormedChecksum) {
  std::set<std::string_view> names;
  for (const Model& model : catalogue()) {
    EXPECT_TRUE(names.insert(model.name).second) << model.name;
    EXPECT_TRUE(std::regex_match(std::string(model.sha256), std::regex("[0-9a-f]{64}"))) << model.name;
    EXPECT_GT(model.size, std::uint64_t{40} << 20) << model.name;
  }
  EXPECT_TRUE(names.contains("base.en"));
  EXPECT_TRUE(names.contains(kDefaultModel));
}

TEST(SHA256, IsTheStandardOne) {
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace dictum::models
