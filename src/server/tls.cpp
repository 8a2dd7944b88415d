#include "server/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using asio::local::stream_protocol;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kPiece = std::size_t{16} << 10;        // a record of TLS
constexpr auto kFarewell = std::chrono::milliseconds(1000);  // for the other end to take what is left, and to agree

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
  throw RecorderError(Errc::config_invalid, fmt::format("'{}' {}", file.string(), why));
}

void demand_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    throw RecorderError(Errc::input_not_found, fmt::format("There is no file '{}'.", file.string()));
  }
}

ssl::context new_context(ssl::context::method method) {
  ssl::context context(method);
  ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

/// One connection: what comes from either side is written to the other, until both have ended.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(tcp::socket socket, std::shared_ptr<TLSContext> context, TLSPatience patience, std::function<void()> ended);
  ~Relay() {
    if (ended_) ended_();
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  asio::awaitable<std::variant<Socket, TLSFailure>> begin(ssl::stream_base::handshake_type as, std::string host);

 private:
  void limit(std::chrono::milliseconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
      const auto self = weak.lock();
      if (!cancelled && self) self->close();
    });
  }

  void close() {
    boost::system::error_code ignored;
    outer_.lowest_layer().close(ignored);
    inner_.close(ignored);
  }

  /// What was written inside goes out; then the end of the stream goes to the other side.
  static asio::awaitable<void> send(std::shared_ptr<Relay> self) {
    std::array<char, kPiece> piece{};
    for (;;) {
      auto [ended, size] = co_await self->inner_.async_read_some(asio::buffer(piece), kAwait);
      if (ended) break;
      self->limit(self->patience_.send);
      auto [gone, sent] = co_await asio::async_write(self->outer_, asio::buffer(piece.data(), size), kAwait);
      self->deadline_.cancel();
      if (gone) break;
    }
    self->has_sent_all_ = true;
    self->limit(kFarewell);
    co_await self->outer_.async_shutdown(kAwait);
    boost::system::error_code ignored;
    self->outer_.lowest_layer().shutdown(tcp::socket::shutdown_send, ignored);
    if (self->has_received_all_) self->close();
  }

  /// What comes is to be read inside. An end without TLS's own end is one all the same: whoever reads knows the length
  /// of a message.
  static asio::awaitable<void> receive(std::shared_ptr<Relay> self) {
    std::array<char, kPiece> piece{};
    for (;;) {
      auto [ended, size] = co_await self->outer_.async_read_some(asio::buffer(piece), kAwait);
      if (ended) break;
      auto [gone, sent] = co_await asio::async_write(self->inner_, asio::buffer(piece.data(), size), kAwait);
      if (gone) break;
    }
    boost::system::error_code ignored;
    self->inner_.shutdown(stream_protocol::socket::shutdown_send, ignored);
    self->has_received_all_ = true;
    if (self->has_sent_all_) self->close();
  }

  const std::shared_ptr<TLSContext> context_;
  const TLSPatience patience_;
  ssl::stream<tcp::socket> outer_;
  stream_protocol::socket inner_;
  asio::steady_timer deadline_;
  const std::function<void()> ended_;
  bool has_sent_all_ = false;
  bool has_received_all_ = false;
};

}  // namespace

struct TLSContext {
  ssl::context context;
  bool has_own_authorities = false;
};

namespace {

Relay::Relay(tcp::socket socket, std::shared_ptr<TLSContext> context, TLSPatience patience, std::function<void()> ended)
    : context_(std::move(context)),
      patience_(patience),
      outer_(std::move(socket), context_->context),
      inner_(outer_.get_executor()),
      deadline_(outer_.get_executor()),
      ended_(std::move(ended)) {}

asio::awaitable<std::variant<Socket, TLSFailure>> Relay::begin(ssl::stream_base::handshake_type as, std::string host) {
  using Result = std::variant<Socket, TLSFailure>;
  const auto self = shared_from_this();
  if (!host.empty()) {
    boost::system::error_code is_name;
    asio::ip::make_address(host, is_name);
    if (is_name) ::SSL_set_tlsext_host_name(outer_.native_handle(), host.c_str());
    outer_.set_verify_callback(ssl::host_name_verification(host));
  }
  limit(patience_.agree);
  auto [failed] = co_await outer_.async_handshake(as, kAwait);
  deadline_.cancel();
  if (failed) {
    const long verified = ::SSL_get_verify_result(outer_.native_handle());
    close();
    const bool is_untrusted = as == ssl::stream_base::client && verified != X509_V_OK;
    if (!is_untrusted) co_return Result(TLSFailure{fmt::format("TLS fails: {}", failed.message())});
    co_return Result(TLSFailure{
        fmt::format("its certificate is not trusted ({}): {}", ::X509_verify_cert_error_string(verified),
                    context_->has_own_authorities ? "--tls-ca has to name the certificate of its authority"
                                                  : "give the certificate of its authority with --tls-ca FILE"),
        true});
  }
  stream_protocol::socket given(outer_.get_executor());
  boost::system::error_code error;
  asio::local::connect_pair(given, inner_, error);
  if (error) {
    close();
    co_return Result(TLSFailure{fmt::format("there is no socket left: {}", error.message())});
  }
  asio::co_spawn(outer_.get_executor(), send(self), asio::detached);
  asio::co_spawn(outer_.get_executor(), receive(self), asio::detached);
  co_return Result(Socket(std::move(given)));
}

}  // namespace

std::shared_ptr<TLSContext> make_tls_server(const std::filesystem::path& certificate,
                                            const std::filesystem::path& key) {
  demand_file(certificate);
  demand_file(key);
  const auto made = std::make_shared<TLSContext>(TLSContext{new_context(ssl::context::tls_server)});
  boost::system::error_code error;
  made->context.use_certificate_chain_file(certificate.string(), error);
  if (error)
    refuse(certificate, "has no certificate in PEM: give the server's, and behind it those that vouch for it.");
  bool needs_password = false;
  made->context.set_password_callback([&](std::size_t, ssl::context::password_purpose) {
    needs_password = true;
    return std::string();
  });
  made->context.use_private_key_file(key.string(), ssl::context::pem, error);
  ::SSL_CTX_set_default_passwd_cb(made->context.native_handle(), nullptr);
  if (needs_password) {
    refuse(key,
           fmt::format("is protected by a password: decrypt it with `openssl pkey -in {} -out FILE`.", key.string()));
  }
  if (error && ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH) {
    refuse(key, fmt::format("is the key of another certificate than '{}'.", certificate.string()));
  }
  if (error) refuse(key, "has no private key in PEM, or it cannot be read.");
  if (::SSL_CTX_check_private_key(made->context.native_handle()) != 1) {
    refuse(key, fmt::format("is the key of another certificate than '{}'.", certificate.string()));
  }
  return made;
}

std::shared_ptr<TLSContext> make_tls_client(const std::filesystem::path& authorities) {
  const auto made =
      std::make_shared<TLSContext>(TLSContext{new_context(ssl::context::tls_client), !authorities.empty()});
  made->context.set_verify_mode(ssl::verify_peer);
  boost::system::error_code error;
  if (authorities.empty()) {
    made->context.set_default_verify_paths(error);
  } else {
    demand_file(authorities);
    made->context.load_verify_file(authorities.string(), error);
    if (error) refuse(authorities, "has no certificates in PEM.");
  }
  return made;
}

asio::awaitable<std::variant<Socket, TLSFailure>> accept_tls(tcp::socket socket, std::shared_ptr<TLSContext> context,
                                                             TLSPatience patience, std::function<void()> ended) {
  const auto relay = std::make_shared<Relay>(std::move(socket), std::move(context), patience, std::move(ended));
  co_return co_await relay->begin(ssl::stream_base::server, {});
}

asio::awaitable<std::variant<Socket, TLSFailure>> connect_tls(tcp::socket socket, std::shared_ptr<TLSContext> context,
                                                              std::string host, TLSPatience patience) {
  const auto relay = std::make_shared<Relay>(std::move(socket), std::move(context), patience, std::function<void()>());
  co_return co_await relay->begin(ssl::stream_base::client, std::move(host));
}

}  // namespace dictum::server
