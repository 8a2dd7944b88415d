#include "http/transfer.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <memory>

#include "base/shared_library.hpp"

namespace dictum::http {
namespace {

using Kind = TransferError::Kind;

/// The functions of libcurl that are used, under their own names.
struct LibCurl {
  SharedLibrary library{"libcurl.so.4", "libcurl (Debian: libcurl4)", Errc::internal};

  decltype(::curl_easy_cleanup)* curl_easy_cleanup = library.function("curl_easy_cleanup");
  decltype(::curl_easy_getinfo)* curl_easy_getinfo = library.function("curl_easy_getinfo");
  decltype(::curl_easy_init)* curl_easy_init = library.function("curl_easy_init");
  decltype(::curl_easy_setopt)* curl_easy_setopt = library.function("curl_easy_setopt");
  decltype(::curl_easy_strerror)* curl_easy_strerror = library.function("curl_easy_strerror");
  decltype(::curl_mime_addpart)* curl_mime_addpart = library.function("curl_mime_addpart");
  decltype(::curl_mime_data)* curl_mime_data = library.function("curl_mime_data");
  decltype(::curl_mime_filename)* curl_mime_filename = library.function("curl_mime_filename");
  decltype(::curl_mime_free)* curl_mime_free = library.function("curl_mime_free");
  decltype(::curl_mime_init)* curl_mime_init = library.function("curl_mime_init");
  decltype(::curl_mime_name)* curl_mime_name = library.function("curl_mime_name");
  decltype(::curl_mime_type)* curl_mime_type = library.function("curl_mime_type");
  decltype(::curl_multi_add_handle)* curl_multi_add_handle = library.function("curl_multi_add_handle");
  decltype(::curl_multi_cleanup)* curl_multi_cleanup = library.function("curl_multi_cleanup");
  decltype(::curl_multi_info_read)* curl_multi_info_read = library.function("curl_multi_info_read");
  decltype(::curl_multi_init)* curl_multi_init = library.function("curl_multi_init");
  decltype(::curl_multi_perform)* curl_multi_perform = library.function("curl_multi_perform");
  decltype(::curl_multi_poll)* curl_multi_poll = library.function("curl_multi_poll");
  decltype(::curl_multi_remove_handle)* curl_multi_remove_handle = library.function("curl_multi_remove_handle");
  decltype(::curl_multi_wakeup)* curl_multi_wakeup = library.function("curl_multi_wakeup");
  decltype(::curl_slist_append)* curl_slist_append = library.function("curl_slist_append");
  decltype(::curl_slist_free_all)* curl_slist_free_all = library.function("curl_slist_free_all");
};

/// Loads the library at the first call. Throws RecorderError(internal) where it cannot; the next call tries again.
/// Thread safety: any thread.
const LibCurl& libcurl() {
  static const LibCurl functions;
  return functions;
}

template <auto free>
struct Deleter {
  template <class T>
  void operator()(T* resource) const {
    (libcurl().*free)(resource);
  }
};
using Easy = std::unique_ptr<CURL, Deleter<&LibCurl::curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Deleter<&LibCurl::curl_multi_cleanup>>;
using HeaderList = std::unique_ptr<curl_slist, Deleter<&LibCurl::curl_slist_free_all>>;
using Form = std::unique_ptr<curl_mime, Deleter<&LibCurl::curl_mime_free>>;

constexpr int kPollLimit = 60'000;  // milliseconds; libcurl wakes earlier for its own timers

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); }, [](unsigned char c) { return std::tolower(c); });
}

Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::timed_out;
    case CURLE_WRITE_ERROR:
      return Kind::refused;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Kind::unreachable;
    default:
      return Kind::broken;
  }
}

/// One request under way. Lives on the calling thread's stack, in one place: libcurl holds pointers to it.
class Exchange {
 public:
  Exchange(const Request& request, const OnBody& on_body)
      : on_body_(on_body), easy_(libcurl().curl_easy_init()), multi_(libcurl().curl_multi_init()) {
    if (!easy_ || !multi_) throw std::bad_alloc();
    for (const std::string& header : request.headers) {
      curl_slist* longer = libcurl().curl_slist_append(headers_.get(), header.c_str());
      if (longer == nullptr) throw std::bad_alloc();
      static_cast<void>(headers_.release());
      headers_.reset(longer);
    }
    const bool secure = request.url.starts_with("https:");
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    set(CURLOPT_FOLLOWLOCATION, request.redirects > 0 ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(request.redirects));
    // As the curl program does: a server of one's own has a certificate of one's own.
    if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr && *authorities != '\0') {
      set(CURLOPT_CAINFO, authorities);
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, "dictum");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, reason_.data());
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
    if (request.stall_timeout.count() > 0) {
      set(CURLOPT_LOW_SPEED_LIMIT, 1L);
      set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::max<std::int64_t>(1, request.stall_timeout.count() / 1000)));
    }
    // Not as libcurl's own resumption, which fails where a server sends the whole instead.
    if (request.resume_from > 0) set(CURLOPT_RANGE, fmt::format("{}-", request.resume_from).c_str());
    set(CURLOPT_HEADERFUNCTION, &Exchange::take_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Exchange::take_body);
    set(CURLOPT_WRITEDATA, this);
    if (!request.form.empty()) fill_form(request.form);
  }

  Response run(const std::stop_token& cancelled) {
    if (libcurl().curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) throw std::bad_alloc();
    const std::stop_callback wake(cancelled, [this] { libcurl().curl_multi_wakeup(multi_.get()); });
    int running = 1;
    while (running > 0) {
      if (cancelled.stop_requested()) throw TransferError(Kind::cancelled, "cancelled");
      if (libcurl().curl_multi_perform(multi_.get(), &running) != CURLM_OK)
        throw TransferError(Kind::broken, "libcurl gave up");
      if (running > 0) libcurl().curl_multi_poll(multi_.get(), nullptr, 0, kPollLimit, nullptr);
    }
    if (thrown_) std::rethrow_exception(thrown_);
    int left = 0;
    const CURLMsg* message = libcurl().curl_multi_info_read(multi_.get(), &left);
    if (message == nullptr) throw TransferError(Kind::broken, "libcurl reported no result");
    if (const CURLcode code = message->data.result; code != CURLE_OK) {
      throw TransferError(kind_of(code), reason_[0] != '\0' ? reason_.data() : libcurl().curl_easy_strerror(code));
    }
    libcurl().curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &response_.status);
    return response_;
  }

  ~Exchange() { libcurl().curl_multi_remove_handle(multi_.get(), easy_.get()); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

 private:
  template <class T>
  void set(CURLoption option, T value) {
    if (const CURLcode code = libcurl().curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK) {
      throw TransferError(kind_of(code), libcurl().curl_easy_strerror(code));
    }
  }

  void fill_form(const std::vector<Field>& fields) {
    form_.reset(libcurl().curl_mime_init(easy_.get()));
    for (const Field& field : fields) {
      curl_mimepart* part = libcurl().curl_mime_addpart(form_.get());
      libcurl().curl_mime_name(part, field.name.c_str());
      libcurl().curl_mime_data(part, field.content.data(), field.content.size());
      if (!field.file_name.empty()) libcurl().curl_mime_filename(part, field.file_name.c_str());
      if (!field.content_type.empty()) libcurl().curl_mime_type(part, field.content_type.c_str());
    }
    set(CURLOPT_MIMEPOST, form_.get());
  }

  static std::size_t take_header(char* data, std::size_t, std::size_t size, void* self) {
    static_cast<Exchange*>(self)->on_header({data, size});
    return size;
  }

  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<Exchange*>(self)->on_body({data, size}) ? size : CURL_WRITEFUNC_ERROR;
  }

  void on_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // of the next response: a redirect or an interim one came before
      response_ = {};
      return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same(name, "Content-Length")) {
      response_.length = number(value);
    } else if (same(name, "Content-Range") && value.starts_with("bytes ")) {
      response_.range_start = number(value.substr(6, value.find('-') - 6));
    } else if (same(name, "Retry-After")) {
      // Capped far above what anybody waits for, so that it fits its type.
      if (const auto seconds = number(value))
        response_.retry_after = std::chrono::seconds(std::min<std::uint64_t>(*seconds, 86'400));
    }
  }

  // libcurl is C: what the caller's function throws is carried around it.
  bool on_body(std::string_view piece) {
    try {
      libcurl().curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &response_.status);
      return on_body_(response_, piece);
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  const OnBody& on_body_;
  const Easy easy_;
  const Multi multi_;
  HeaderList headers_;
  Form form_;
  Response response_;
  std::array<char, CURL_ERROR_SIZE> reason_{};
  std::exception_ptr thrown_;
};

}  // namespace

Response transfer(const Request& request, const OnBody& on_body, std::stop_token cancelled) {
  return Exchange(request, on_body).run(cancelled);
}

}  // namespace dictum::http
