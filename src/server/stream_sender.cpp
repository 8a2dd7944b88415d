#include "server/stream_sender.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/overloaded.hpp"
#include "base/utf8.hpp"
#include "capture/make_source.hpp"
#include "dictum/clock.hpp"
#include "dictum/error.hpp"
#include "journal/session_directory.hpp"
#include "server/audio_spool.hpp"
#include "server/stream_protocol.hpp"
#include "server/websocket.hpp"
#include "wire/event_json.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr const char* kTarget = "/api/v1/stream";
constexpr auto kConnectPatience = 10s;
constexpr auto kWelcomePatience = 30s;  // a recorder is started meanwhile
constexpr std::size_t kMaxDevice = 150;
constexpr WebSocket::Limits kLimits{.message_bytes = std::size_t{1} << 20, .write = 30s, .close = 1s};
constexpr auto kHeartbeat = 15s;
constexpr std::chrono::milliseconds kFirstRetry = 200ms;
constexpr std::chrono::milliseconds kLastRetry = 5s;
constexpr Frame kFileAhead = 30;                 // seconds of a file that are read before they are sent
constexpr std::size_t kBlockBytes = 256 * 1024;  // at most in one message

}  // namespace

class StreamSender::Implementation {
 public:
  Implementation(const RecorderConfig& config, StreamSenderSettings settings, Callbacks callbacks)
      : address_(parse_websocket_url(settings.url)), settings_(std::move(settings)), callbacks_(std::move(callbacks)) {
    if (address_.target.empty() || address_.target == "/") address_.target = kTarget;
    if (address_.is_encrypted) tls_ = make_tls_client(settings_.authorities);
    config.validate();
    const auto clock = config.clock ? config.clock : std::make_shared<const SystemClock>();
    source_ = capture::make_source(config, clock);
    const AudioFormat format = source_->open();
    if (format.sample_rate > kMaxStreamRate || format.channels > kMaxStreamChannels) {
      source_->close();
      throw RecorderError(
          Errc::invalid_argument,
          fmt::format("A server takes at most {} frames a second of {} channels, and {} has {} of {}.", kMaxStreamRate,
                      kMaxStreamChannels, source_->description(), format.sample_rate, format.channels));
    }
    const bool is_file = !config.source && !config.capture.input.empty() && config.capture.input != "-";
    const std::string name = is_file ? config.capture.input.filename().string() : source_->description();
    device_ = utf8::on_one_line(name.substr(0, kMaxDevice));
    started_ = clock->now();
    const auto file = settings_.spool_folder / fmt::format("unsent_{}.wav", journal::session_name(started_));
    spool_.emplace(file, format, [this] { asio::post(context_, [this] { changed_.cancel(); }); });
    duration_ = static_cast<Frame>(config.capture.duration_sec * format.sample_rate);
    asio::co_spawn(context_, run(), [this](const std::exception_ptr& error) { ended_by(error); });
    sending_ = std::thread([this] {
      context_.run();
      finish_result();
    });
    capturing_ = std::thread([this] { capture(); });
  }

  ~Implementation() {
    cancel();
    result();
    capturing_.join();
    sending_.join();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    condition_.notify_all();
  }

  void cancel() {
    stop();
    asio::post(context_, [this] {
      is_cancelled_ = true;
      if (websocket_) websocket_->cancel();
      changed_.cancel();
      retry_.cancel();
    });
  }

  StreamSent result() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return result_.has_value(); });
    return *result_;
  }

 private:
  // The thread that captures

  void capture() {
    const auto channels = static_cast<std::size_t>(spool_->format().channels);
    std::vector<float> block(static_cast<std::size_t>(spool_->format().sample_rate) / 10 * channels);
    try {
      while (capture_block(block)) {
      }
      source_->finish();
      for (bool goes_on = source_->pace().count() > 0; goes_on;) {
        const Frame before = spool_->end();
        goes_on = take(source_->read(block), block) && spool_->end() > before;
      }
    } catch (const std::exception& error) {
      set_error(error.what());
    }
    source_->close();
    {
      const std::lock_guard lock(mutex_);
      spool_->finish();
    }
    condition_.notify_all();
  }

  /// False at the end.
  bool capture_block(std::vector<float>& block) {
    std::unique_lock lock(mutex_);
    const auto pace = source_->pace();
    // A file waits for the server; what is live cannot.
    condition_.wait(lock, [&] {
      return is_stopping_ || pace.count() > 0 ||
             spool_->end() - next_.load() < kFileAhead * spool_->format().sample_rate;
    });
    if (is_stopping_) return false;
    lock.unlock();
    const Frame before = spool_->end();
    if (!take(source_->read(block), block)) return false;
    if (duration_ > 0 && spool_->end() >= duration_) return false;
    if (spool_->end() > before) return true;
    lock.lock();
    condition_.wait_for(lock, pace, [this] { return is_stopping_; });
    return !is_stopping_;
  }

  bool take(const Reading& reading, std::span<const float> block) {
    const Frame left = duration_ > 0 ? duration_ - spool_->end() : std::numeric_limits<Frame>::max();
    const Frame frames = std::min(static_cast<Frame>(reading.frames), left);
    if (frames > 0) {
      try {
        spool_->append(block.first(static_cast<std::size_t>(frames * spool_->format().channels)));
        disk_is_full_ = false;
      } catch (const RecorderError& error) {  // it is missing now; the next may find space
        if (!std::exchange(disk_is_full_, true)) notify(error.what());
      }
    }
    return std::visit(Overloaded{[](std::monostate) { return true; }, [](const SourceEnd&) { return false; },
                                 [&](const SourceGap& gap) {
                                   spool_->skip(std::min(gap.frames, left - frames));
                                   return true;
                                 },
                                 [&](const SourceDevice& device) {
                                   notify(fmt::format("Now recording {}: {}.", device.device, device.reason));
                                   return true;
                                 },
                                 [&](const SourceFault& fault) {
                                   notify(fault.message);
                                   return true;
                                 }},
                      reading.then);
  }

  // The thread that sends

  asio::awaitable<void> run() {
    auto retry = kFirstRetry;
    while (!is_cancelled_ && !is_over_) {
      auto connected = co_await connect_websocket(address_, tls_, settings_.token, kLimits, kConnectPatience);
      if (auto* const failed = std::get_if<ConnectFailure>(&connected)) {
        if (failed->is_final) {
          end(failed->sentence);
        } else if (!std::exchange(is_away_, true)) {
          notify(fmt::format("{}. The audio waits in {} meanwhile.", failed->sentence, spool_->file().string()));
        }
      } else {
        websocket_ = std::get<std::shared_ptr<WebSocket>>(connected);
        if (is_cancelled_) websocket_->cancel();
        if (co_await say_hello()) {
          retry = kFirstRetry;
          co_await serve();
        }
        websocket_->cancel();
        websocket_.reset();
      }
      if (is_cancelled_ || is_over_) break;
      retry_.expires_after(retry);
      retry = std::min(2 * retry, kLastRetry);
      co_await retry_.async_wait(kAwait);
    }
  }

  /// False where there is no welcome.
  asio::awaitable<bool> say_hello() {
    StreamHello hello;
    if (token_.empty()) {
      base_ = spool_->released();
      hello.device = device_;
      hello.encoding = StreamFormat::f32;
      hello.format = spool_->format();
      const std::chrono::duration<double> begin = started_.time_since_epoch();
      hello.clock = begin.count() + static_cast<double>(base_) / hello.format.sample_rate;
    } else {
      hello.resume = token_;
      hello.after = last_event_;
    }
    if (!co_await websocket_->write_text(to_text(hello))) co_return false;
    asio::steady_timer deadline(context_, kWelcomePatience);
    deadline.async_wait([websocket = websocket_](const boost::system::error_code& cancelled) {
      if (!cancelled) websocket->cancel();
    });
    const auto answer = co_await websocket_->read();
    deadline.cancel();
    if (!answer || !take(*answer) || !is_welcome_) co_return false;
    is_welcome_ = false;
    if (std::exchange(is_away_, false)) notify("The server is there again.");
    co_return true;
  }

  /// Sends until the connection or the stream ends.
  asio::awaitable<void> serve() {
    is_connected_ = true;
    asio::co_spawn(context_, receive(websocket_), [this](const std::exception_ptr& error) {
      is_connected_ = false;
      changed_.cancel();
      ended_by(error);
    });
    for (bool has_stopped = false; is_connected_;) {
      const bool is_finished = spool_->is_finished();
      auto block = spool_->read(next_, block_frames());
      if (block) {
        continue_from(block->first + static_cast<Frame>(block->bytes.size() / frame_bytes()));
        if (!co_await websocket_->write_binary(stream_frame_number(block->first - base_) + block->bytes)) break;
        continue;
      }
      if (is_finished && !std::exchange(has_stopped, true)) {
        if (!co_await websocket_->write_text(kStreamStop)) break;
        continue;
      }
      changed_.expires_after(kHeartbeat);
      auto [woken] = co_await changed_.async_wait(kAwait);
      if (!woken && !co_await websocket_->ping()) break;
    }
    // What is received belongs to this connection.
    websocket_->cancel();
    while (is_connected_) {
      changed_.expires_at(asio::steady_timer::time_point::max());
      co_await changed_.async_wait(kAwait);
    }
  }

  asio::awaitable<void> receive(std::shared_ptr<WebSocket> websocket) {
    while (const auto message = co_await websocket->read()) {
      if (!take(*message)) break;
    }
  }

  /// False where the connection is of no further use.
  bool take(const WebSocketMessage& message) try {
    if (!message.is_text) return true;
    return std::visit(Overloaded{[&](const StreamWelcome& welcome) {
                                   token_ = welcome.token;
                                   continue_from(base_ + welcome.received);
                                   is_welcome_ = true;
                                   if (sessions_.empty() || sessions_.back() != welcome.session) {
                                     sessions_.push_back(welcome.session);
                                     last_event_.reset();
                                   }
                                   return true;
                                 },
                                 [&](const StreamAcknowledged& more) {
                                   acknowledge(base_ + more.frames);
                                   return true;
                                 },
                                 [&](const StreamEnded& ended) {
                                   acknowledge(base_ + ended.frames);
                                   end(spool_->released() < spool_->end() || !spool_->is_finished()
                                           ? "The server has ended the session."
                                           : "");
                                   return true;  // until it closes
                                 },
                                 [&](const StreamProblem& problem) {
                                   if (problem.code == "stream_unknown") {
                                     token_.clear();
                                   } else if (problem.code == "invalid_argument") {
                                     end(problem.detail);
                                   } else if (!std::exchange(is_away_, true)) {
                                     notify(problem.detail);
                                   }
                                   return false;
                                 },
                                 [&](const StreamEvent& event) {
                                   if (!event.id.empty()) last_event_ = parse_event_cursor(event.id);
                                   show(event.line);
                                   return true;
                                 }},
                      parse_stream_message(message.bytes));
  } catch (const RecorderError& error) {
    end(error.what());
    return false;
  }

  void show(const std::string& line) {
    try {
      const Event event = wire::parse_event(line);
      const std::lock_guard lock(callback_);
      if (callbacks_.on_event) callbacks_.on_event(event);
    } catch (const wire::UnknownEvent&) {  // of a newer server
    }
  }

  void acknowledge(Frame frames) { spool_->release(frames); }

  /// The frame to send next. What reads a file waits for it.
  void continue_from(Frame next) {
    {
      const std::lock_guard lock(mutex_);
      next_ = next;
    }
    condition_.notify_all();
  }

  /// Nothing is sent any more, and so nothing captured.
  void end(const std::string& error) {
    is_over_ = true;
    if (!error.empty()) set_error(error);
    stop();
  }

  /// Ends with what a coroutine of the sending thread threw; null where it threw nothing.
  void ended_by(const std::exception_ptr& thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      end(error.what());
    }
    if (websocket_) websocket_->cancel();
  }

  void finish_result() {
    {
      std::unique_lock lock(mutex_);
      is_stopping_ = true;
      condition_.notify_all();
      condition_.wait(lock, [this] { return spool_->is_finished(); });
      result_ = StreamSent{.sessions = sessions_,
                           .captured = spool_->end(),
                           .unsent = spool_->end() - spool_->released(),
                           .file = spool_->file(),
                           .sample_rate = spool_->format().sample_rate,
                           .error = error_};
    }
    condition_.notify_all();
    const std::lock_guard lock(callback_);
    if (callbacks_.on_end) callbacks_.on_end();
  }

  void notify(const std::string& sentence) {
    const std::lock_guard lock(callback_);
    if (callbacks_.on_notice) callbacks_.on_notice(sentence);
  }

  void set_error(const std::string& error) {
    const std::lock_guard lock(mutex_);
    if (error_.empty()) error_ = error;
  }

  std::size_t frame_bytes() const { return static_cast<std::size_t>(spool_->format().channels) * sizeof(float); }
  Frame block_frames() const { return static_cast<Frame>(kBlockBytes / frame_bytes()); }

  WebSocketAddress address_;
  std::shared_ptr<TLSContext> tls_;  // null where the address is not encrypted
  const StreamSenderSettings settings_;
  const Callbacks callbacks_;
  std::mutex callback_;  // around a callback

  std::unique_ptr<AudioSource> source_;
  std::string device_;
  std::chrono::system_clock::time_point started_;
  Frame duration_ = 0;
  bool disk_is_full_ = false;  // of the capturing thread

  asio::io_context context_{1};
  std::optional<AudioSpool> spool_;
  std::atomic<Frame> next_{0};  // to send; written by the thread that sends

  // Of the thread that sends.
  asio::steady_timer changed_{context_};
  asio::steady_timer retry_{context_};
  std::shared_ptr<WebSocket> websocket_;
  std::string token_;
  std::optional<EventCursor> last_event_;
  std::vector<std::string> sessions_;
  Frame base_ = 0;  // the frame of ours that is the stream's first
  bool is_welcome_ = false;
  bool is_connected_ = false;
  bool is_away_ = false;
  bool is_over_ = false;
  bool is_cancelled_ = false;

  std::mutex mutex_;  // around the following
  std::condition_variable condition_;
  bool is_stopping_ = false;
  std::string error_;
  std::optional<StreamSent> result_;

  std::thread sending_;
  std::thread capturing_;
};

StreamSender::StreamSender(const RecorderConfig& config, StreamSenderSettings settings, Callbacks callbacks)
    : implementation_(std::make_unique<Implementation>(config, std::move(settings), std::move(callbacks))) {}

StreamSender::~StreamSender() = default;

void StreamSender::stop() {
  implementation_->stop();
}

void StreamSender::cancel() {
  implementation_->cancel();
}

StreamSent StreamSender::result() {
  return implementation_->result();
}

}  // namespace dictum::server
