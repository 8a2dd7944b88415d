#include "cluster/nats_connection.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "base/xdg.hpp"
#include "transcription/find_transcriber.hpp"

namespace dictum::cluster {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr int kNoResponders = 503;

struct FreeOptions {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }
};
struct FreeMessage {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
};
using Options = std::unique_ptr<natsOptions, FreeOptions>;
using Message = std::unique_ptr<natsMsg, FreeMessage>;

void throw_unless_ok(natsStatus status, const std::string& what) {
  if (status != NATS_OK) throw ClusterError(Trouble::other, fmt::format("{}: {}.", what, natsStatus_GetText(status)));
}

/// What cnats reports, without the line of its source that may stand before it: "(conn.c:2088): ".
std::string plain(std::string_view reported) {
  const auto end = reported.find("): ");
  if (reported.starts_with('(') && end != std::string_view::npos) reported.remove_prefix(end + 3);
  return utf8::on_one_line(reported);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// The lines of a file, without white space around them and without empty ones.
std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) {
    throw ClusterError(Trouble::refused, fmt::format("The NATS credentials {} cannot be read. Name a file that can.",
                                                     utf8::on_one_line(file.string())));
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line) && lines.size() < 100;) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first != std::string::npos) lines.push_back(line.substr(first, line.find_last_not_of(" \t\r") + 1 - first));
  }
  return lines;
}

/// Which of four kinds a file is, by what is in it.
void use_credentials(natsOptions* options, const std::filesystem::path& file) {
  const auto lines = lines_of(file);
  const auto line_of = [&](std::string_view prefix) -> std::string {
    for (const std::string& line : lines) {
      if (line.starts_with(prefix) && line.size() > 50) return line;
    }
    return {};
  };
  const std::string what = fmt::format("The NATS credentials {} cannot be used", utf8::on_one_line(file.string()));
  if (lines.empty()) throw ClusterError(Trouble::refused, what + ": the file is empty.");
  if (lines.front().starts_with("-----BEGIN NATS USER JWT")) {
    return throw_unless_ok(natsOptions_SetUserCredentialsFromFiles(options, file.c_str(), nullptr), what);
  }
  if (!line_of("SU").empty()) {
    const std::string key = line_of("U");
    if (key.empty()) {
      throw ClusterError(Trouble::refused,
                         what +
                             ": an nkey seed needs its public key on a line of its own, as `nk -gen user -pubout` "
                             "writes them.");
    }
    return throw_unless_ok(natsOptions_SetNKeyFromSeed(options, key.c_str(), file.c_str()), what);
  }
  const std::string& line = lines.front();
  if (const auto colon = line.find(':'); colon != std::string::npos) {
    return throw_unless_ok(
        natsOptions_SetUserInfo(options, line.substr(0, colon).c_str(), line.substr(colon + 1).c_str()), what);
  }
  throw_unless_ok(natsOptions_SetToken(options, line.c_str()), what);
}

NATSMessage taken(natsMsg* message) {
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  const char* status = nullptr;
  if (natsMsgHeader_Get(message, "Status", &status) != NATS_OK) status = nullptr;
  return {.subject = text(natsMsg_GetSubject(message)),
          .reply = text(natsMsg_GetReply(message)),
          .status = text(status),
          .data = std::string(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)))};
}

Message made(const std::string& subject, std::string_view data, const std::string& reply, const NATSHeaders& headers) {
  natsMsg* raw = nullptr;
  throw_unless_ok(natsMsg_Create(&raw, subject.c_str(), reply.empty() ? nullptr : reply.c_str(), data.data(),
                                 static_cast<int>(data.size())),
                  "A message for NATS cannot be made");
  Message message(raw);
  for (const auto& [key, value] : headers) {
    throw_unless_ok(natsMsgHeader_Set(raw, key.c_str(), value.c_str()), "A message for NATS cannot be made");
  }
  return message;
}

}  // namespace

NATSSettings NATSSettings::from_environment() {
  NATSSettings settings;
  settings.url = environment("DICTUM_NATS_URL");
  transcription::require_cluster(settings.url);
  settings.credentials = environment("DICTUM_NATS_CREDENTIALS");
  settings.tls_ca = environment("DICTUM_NATS_TLS_CA");
  settings.tls_cert = environment("DICTUM_NATS_TLS_CERT");
  settings.tls_key = environment("DICTUM_NATS_TLS_KEY");
  return settings;
}

std::string NATSSettings::servers() const {
  std::string names;
  for (std::string address : split(url, ',')) {
    if (const auto scheme = address.find("://"); scheme != std::string::npos) address.erase(0, scheme + 3);
    if (const auto user = address.rfind('@'); user != std::string::npos) address.erase(0, user + 1);
    names += (names.empty() ? "" : ", ") + utf8::on_one_line(address);
  }
  return names;
}

class NATSConnection::State {
 public:
  explicit State(NATSSettings settings) : settings_(std::move(settings)), servers_(settings_.servers()) {
    natsOptions* raw = nullptr;
    throw_unless_ok(natsOptions_Create(&raw), "cnats cannot be used");
    const Options options(raw);
    const auto urls = split(settings_.url, ',');
    std::vector<const char*> pointers;
    bool is_secure = !settings_.tls_ca.empty() || !settings_.tls_cert.empty();
    for (const std::string& url : urls) {
      pointers.push_back(url.c_str());
      is_secure = is_secure || url.starts_with("tls://");
    }
    const std::string bad_url = fmt::format("\"{}\" is no address of NATS servers (write nats://host:4222)", servers_);
    throw_unless_ok(natsOptions_SetServers(raw, pointers.data(), static_cast<int>(pointers.size())), bad_url);
    if (is_secure) throw_unless_ok(natsOptions_SetSecure(raw, true), "TLS cannot be used");
    if (!settings_.tls_ca.empty()) {
      throw_unless_ok(natsOptions_LoadCATrustedCertificates(raw, settings_.tls_ca.c_str()),
                      fmt::format("The certificates in {} cannot be used", settings_.tls_ca.string()));
    }
    if (!settings_.tls_cert.empty()) {
      throw_unless_ok(natsOptions_LoadCertificatesChain(raw, settings_.tls_cert.c_str(), settings_.tls_key.c_str()),
                      fmt::format("The certificate {} with the key {} cannot be used", settings_.tls_cert.string(),
                                  settings_.tls_key.string()));
    }
    if (!settings_.credentials.empty()) use_credentials(raw, settings_.credentials);
    natsOptions_SetTimeout(raw, 3000);
    natsOptions_SetMaxReconnect(raw, -1);
    natsOptions_SetReconnectWait(raw, 250);
    natsOptions_SetPingInterval(raw, 5000);  // a network that is cut off is silent
    natsOptions_SetMaxPingsOut(raw, 2);
    natsOptions_SetSendAsap(raw, true);
    natsOptions_SetWriteDeadline(raw, 3000);
    natsOptions_SetFailRequestsOnDisconnect(raw, true);
    natsOptions_SetErrorHandler(raw, &State::on_error, this);
    natsOptions_SetDisconnectedCB(raw, &State::on_disconnected, this);
    natsOptions_SetReconnectedCB(raw, &State::on_reconnected, this);
    natsOptions_SetClosedCB(raw, &State::on_closed, this);
    const natsStatus status = natsConnection_Connect(&connection_, raw);
    if (status != NATS_OK) throw not_connected(status);
  }

  ~State() {
    natsConnection_Close(connection_);
    std::unique_lock lock(mutex_);  // the last callback refers to this
    closed_changed_.wait_for(lock, 2s, [&] { return closed_; });
    lock.unlock();
    natsConnection_Destroy(connection_);
  }

  natsConnection* connection() const { return connection_; }
  const std::string& servers() const { return servers_; }

  std::chrono::milliseconds interrupted_for() const {
    const std::lock_guard lock(mutex_);
    if (!interrupted_) return 0ms;
    return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - *interrupted_) + 1ms;
  }

  std::uint64_t reconnects() const {
    const std::lock_guard lock(mutex_);
    return reconnects_;
  }

  bool is_closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  ClusterError failed_request(natsStatus status, const std::string& subject, std::chrono::milliseconds timeout,
                              SteadyClock::time_point began) const {
    if (const std::string reported = last_error(began); reported.find("ermissions") != std::string::npos) {
      return {Trouble::refused,
              fmt::format("The NATS server at {} does not allow this user what it needs: {}. Give the user the "
                          "permissions of docs/cluster.md.",
                          servers_, reported)};
    }
    if (status == NATS_NO_RESPONDERS) {
      return {Trouble::no_jetstream,
              fmt::format(
                  "The NATS server {} has nothing that answers \"{}\": JetStream is disabled or has no leader. Start "
                  "the server with -js, or with a jetstream block in its configuration.",
                  servers_, subject)};
    }
    if (status == NATS_TIMEOUT) {
      return {Trouble::unreachable, fmt::format("The NATS server at {} did not answer \"{}\" within {} ms.", servers_,
                                                subject, timeout.count())};
    }
    return {Trouble::unreachable,
            fmt::format("The NATS server at {} cannot be asked: {}.", servers_, natsStatus_GetText(status))};
  }

 private:
  /// What the server reported last, where that was after `began`.
  std::string last_error(SteadyClock::time_point began) const {
    const std::lock_guard lock(mutex_);
    return last_error_at_ >= began ? last_error_ : "";
  }

  ClusterError not_connected(natsStatus status) const {
    const char* last = nats_GetLastError(nullptr);
    const std::string reported = plain(last == nullptr || *last == '\0' ? natsStatus_GetText(status) : last);
    const bool refused = status == NATS_CONNECTION_AUTH_FAILED || reported.find("uthorization") != std::string::npos;
    if (refused) {
      return {Trouble::refused,
              fmt::format("The NATS server at {} refuses this user ({}). Check the address's user and "
                          "password, or the file of transcription.nats.credentials.",
                          servers_, reported)};
    }
    return {
        Trouble::unreachable,
        fmt::format("The cluster at {} cannot be reached: {}. Check transcription.nats.url and that nats-server runs "
                    "there.",
                    servers_, reported)};
  }

  static State& of(void* self) { return *static_cast<State*>(self); }

  static void on_error(natsConnection* connection, natsSubscription* /*subscription*/, natsStatus status, void* self) {
    const char* last = nullptr;
    natsConnection_GetLastError(connection, &last);
    const std::lock_guard lock(of(self).mutex_);
    of(self).last_error_ = plain(last != nullptr && *last != '\0' ? last : natsStatus_GetText(status));
    of(self).last_error_at_ = SteadyClock::now();
  }
  static void on_disconnected(natsConnection* /*connection*/, void* self) {
    const std::lock_guard lock(of(self).mutex_);
    if (!of(self).interrupted_) of(self).interrupted_ = SteadyClock::now();
  }
  static void on_reconnected(natsConnection* /*connection*/, void* self) {
    const std::lock_guard lock(of(self).mutex_);
    of(self).interrupted_.reset();
    ++of(self).reconnects_;
  }
  static void on_closed(natsConnection* /*connection*/, void* self) {
    const std::lock_guard lock(of(self).mutex_);
    of(self).closed_ = true;
    of(self).closed_changed_.notify_all();
  }

  const NATSSettings settings_;
  const std::string servers_;
  natsConnection* connection_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable closed_changed_;
  bool closed_ = false;
  std::optional<SteadyClock::time_point> interrupted_;
  std::uint64_t reconnects_ = 0;
  std::string last_error_;
  SteadyClock::time_point last_error_at_{};
};

namespace {

class CallbackSubscription final : public NATSConnection::Subscription {
 public:
  CallbackSubscription(natsConnection* connection, const std::string& subject,
                       std::function<void(NATSMessage)> on_message)
      : on_message_(std::move(on_message)) {
    throw_unless_ok(
        natsConnection_Subscribe(&subscription_, connection, subject.c_str(), &CallbackSubscription::on_message, this),
        fmt::format("Cannot subscribe to {}", subject));
    natsSubscription_SetPendingLimits(subscription_, -1, -1);
    natsSubscription_SetOnCompleteCB(subscription_, &CallbackSubscription::on_complete, this);
  }
  ~CallbackSubscription() override {
    natsSubscription_Unsubscribe(subscription_);
    std::unique_lock lock(mutex_);
    completed_.wait_for(lock, 2s, [&] { return complete_; });
    lock.unlock();
    natsSubscription_Destroy(subscription_);
  }

 private:
  static void on_message(natsConnection* /*connection*/, natsSubscription* /*subscription*/, natsMsg* raw, void* self) {
    const Message message(raw);
    static_cast<CallbackSubscription*>(self)->on_message_(taken(raw));
  }
  static void on_complete(void* self) {
    auto& own = *static_cast<CallbackSubscription*>(self);
    const std::lock_guard lock(own.mutex_);
    own.complete_ = true;
    own.completed_.notify_all();
  }

  const std::function<void(NATSMessage)> on_message_;
  natsSubscription* subscription_ = nullptr;
  std::mutex mutex_;
  std::condition_variable completed_;
  bool complete_ = false;
};

}  // namespace

NATSConnection::NATSConnection(NATSSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}

NATSConnection::~NATSConnection() = default;

void NATSConnection::publish(const std::string& subject, std::string_view data, const std::string& reply,
                             const NATSHeaders& headers) {
  const auto began = SteadyClock::now();
  const Message message = made(subject, data, reply, headers);
  const natsStatus status = natsConnection_PublishMsg(state_->connection(), message.get());
  if (status != NATS_OK) throw state_->failed_request(status, subject, 0ms, began);
}

NATSMessage NATSConnection::request(const std::string& subject, std::string_view data, const NATSHeaders& headers,
                                    std::chrono::milliseconds timeout) {
  const auto began = SteadyClock::now();
  const Message message = made(subject, data, {}, headers);
  natsMsg* raw = nullptr;
  const natsStatus status = natsConnection_RequestMsg(&raw, state_->connection(), message.get(), timeout.count());
  const Message answer(raw);
  if (status != NATS_OK) throw state_->failed_request(status, subject, timeout, began);
  NATSMessage taken_answer = taken(raw);
  if (taken_answer.status == std::to_string(kNoResponders)) {
    throw state_->failed_request(NATS_NO_RESPONDERS, subject, timeout, began);
  }
  return taken_answer;
}

std::unique_ptr<NATSConnection::Subscription> NATSConnection::subscribe(const std::string& subject,
                                                                        std::function<void(NATSMessage)> on_message) {
  return std::make_unique<CallbackSubscription>(state_->connection(), subject, std::move(on_message));
}

std::string NATSConnection::new_inbox() {
  natsInbox* inbox = nullptr;
  throw_unless_ok(natsInbox_Create(&inbox), "cnats cannot be used");
  std::string name = inbox;
  natsInbox_Destroy(inbox);
  return name;
}

void NATSConnection::flush() {
  natsConnection_FlushTimeout(state_->connection(), 2000);
}

std::chrono::milliseconds NATSConnection::interrupted_for() const {
  return state_->interrupted_for();
}

std::uint64_t NATSConnection::reconnects() const {
  return state_->reconnects();
}

bool NATSConnection::is_closed() const {
  return state_->is_closed();
}

std::size_t NATSConnection::max_payload() const {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, natsConnection_GetMaxPayload(state_->connection())));
}

const std::string& NATSConnection::servers() const {
  return state_->servers();
}

}  // namespace dictum::cluster
