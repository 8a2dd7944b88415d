#include "cluster/server_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/private_folders.hpp"
#include "base/unique_fd.hpp"
#include "dictum/error.hpp"

namespace dictum::cluster {
namespace {

namespace fs = std::filesystem;

constexpr int kClusterPortStep = 2000;  // 6222 for 4222, as is usual

/// What each role may do; docs/cluster.md has the reasons. {0} is the password.
constexpr const char* kUsers = R"(
authorization {{
  users = [
    {{ user: recorder, password: "{0}", permissions: {{
      publish: ["dictum.jobs.>", "dictum.pieces.*.job.*",
        "$JS.API.STREAM.INFO.DICTUM_JOBS", "$JS.API.STREAM.INFO.DICTUM_PIECES",
        "$JS.API.STREAM.INFO.DICTUM_RESULTS", "$JS.API.STREAM.INFO.DICTUM_DEAD",
        "$JS.API.STREAM.MSG.GET.DICTUM_JOBS", "$JS.API.STREAM.MSG.GET.DICTUM_PIECES",
        "$JS.API.STREAM.MSG.GET.DICTUM_RESULTS", "$JS.API.STREAM.MSG.DELETE.DICTUM_JOBS",
        "$JS.API.STREAM.PURGE.DICTUM_PIECES", "$JS.API.CONSUMER.LIST.DICTUM_JOBS", "dictum.workers.ping"]
      subscribe: ["_INBOX.>", "dictum.results.*", "dictum.partials.*"] }} }},
    {{ user: worker, password: "{1}", permissions: {{
      publish: ["dictum.results.*", "dictum.partials.*", "dictum.dead.*", "dictum.pieces.>", "_INBOX.>",
        "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.MSG.GET.*",
        "$JS.API.STREAM.PURGE.DICTUM_PIECES", "$JS.API.CONSUMER.>", "$JS.ACK.DICTUM_JOBS.>"]
      subscribe: ["_INBOX.>", "dictum.workers.ping"] }} }},
    {{ user: admin, password: "{2}", permissions: {{
      publish: ["$JS.API.>", "dictum.workers.ping", "dictum.jobs.>", "dictum.pieces.>"]
      subscribe: ["_INBOX.>"] }} }}
  ]
}}
)";

std::string new_password() {
  constexpr char kLetters[] = "abcdefghijkmnpqrstuvwxyz23456789";  // 32: five bits each
  std::array<unsigned char, 26> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw RecorderError(Errc::internal, "The system gives no random numbers.");
  }
  std::string password;
  for (const unsigned char byte : random) password += kLetters[byte % 32];
  return password;
}

void write_new(const fs::path& path, const std::string& text) {
  const UniqueFD file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("Cannot write {}: {}. Choose a new folder; what is there is not replaced.",
                                    path.string(), std::strerror(errno)));
  }
}

/// Each server is a client of the others, too: it shows its certificate, and checks theirs.
std::string route_tls(const ServerPlan& plan) {
  if (plan.tls_cert.empty()) return {};
  std::string text = fmt::format("  tls {{\n    cert_file: \"{}\"\n    key_file: \"{}\"\n", plan.tls_cert.string(),
                                 plan.tls_key.string());
  if (!plan.tls_ca.empty()) text += fmt::format("    ca_file: \"{}\"\n", plan.tls_ca.string());
  return text + "    timeout: 5\n  }\n";
}

std::string server_text(const ServerPlan& plan, int number, const fs::path& store, const std::string& users,
                        const std::string& route_password) {
  const auto index = static_cast<std::size_t>(number);
  std::string text = fmt::format(
      "# nats-server -c server-{0}.conf\n"
      "server_name: dictum-{0}\n"
      "listen: \"0.0.0.0:{1}\"\n"
      "max_payload: 1MB        # about a minute of sound in one message; larger jobs travel in pieces\n"
      "jetstream {{\n"
      "  store_dir: \"{2}\"\n"
      "  max_memory_store: 64MB\n"
      "  max_file_store: 20GB  # the streams take at most 18 GiB\n"
      "}}\n",
      number + 1, plan.port, store.string());
  if (!plan.tls_cert.empty()) {
    text += fmt::format("tls {{\n  cert_file: \"{}\"\n  key_file: \"{}\"\n}}\n", plan.tls_cert.string(),
                        plan.tls_key.string());
  }
  if (plan.servers > 1) {
    text += fmt::format("cluster {{\n  name: dictum\n  listen: \"0.0.0.0:{}\"\n", plan.port + kClusterPortStep);
    text += route_tls(plan);
    text += fmt::format("  authorization {{ user: route, password: \"{}\" }}\n  routes: [\n", route_password);
    for (std::size_t other = 0; other < plan.hosts.size(); ++other) {
      if (other == index) continue;
      text += fmt::format("    \"nats://route:{}@{}:{}\"\n", route_password, plan.hosts[other],
                          plan.port + kClusterPortStep);
    }
    text += "  ]\n}\n";
  }
  return text + users;
}

}  // namespace

std::vector<fs::path> write_server_files(const fs::path& folder, const ServerPlan& plan) {
  if (plan.servers != 1 && plan.servers != 3) {
    throw RecorderError(Errc::invalid_argument, "A cluster has one server, or three, of which one may be lost.");
  }
  if (plan.servers > 1 && plan.hosts.size() != static_cast<std::size_t>(plan.servers)) {
    throw RecorderError(Errc::invalid_argument, "Three servers need three hosts: --host ONE --host TWO --host THREE.");
  }
  if (plan.tls_cert.empty() != plan.tls_key.empty()) {
    throw RecorderError(Errc::invalid_argument, "A certificate needs its key, and a key its certificate.");
  }
  if (!plan.tls_ca.empty() && plan.tls_cert.empty()) {
    throw RecorderError(Errc::invalid_argument,
                        "--tls-ca is of no use without the servers' certificate: add --tls-cert and --tls-key.");
  }
  const fs::path where = fs::absolute(folder);
  if (const auto error = make_private_folders(where)) {
    throw RecorderError(Errc::output_unwritable,
                        fmt::format("Cannot make the folder {}: {}.", where.string(), error.message()));
  }
  const std::array roles{"recorder", "worker", "admin"};
  std::array<std::string, 3> passwords;
  std::vector<fs::path> files;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    passwords[i] = new_password();
    files.push_back(where / fmt::format("{}.credentials", roles[i]));
    write_new(files.back(), fmt::format("{}:{}\n", roles[i], passwords[i]));
  }
  const std::string users = fmt::format(kUsers, passwords[0], passwords[1], passwords[2]);
  const std::string route_password = new_password();
  for (int number = 0; number < plan.servers; ++number) {
    const fs::path store = plan.store.empty() ? where / fmt::format("store-{}", number + 1) : plan.store;
    files.push_back(where / fmt::format("server-{}.conf", number + 1));
    write_new(files.back(), server_text(plan, number, store, users, route_password));
  }
  return files;
}

}  // namespace dictum::cluster
