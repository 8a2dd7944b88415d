#include "server/realtime_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "dictum/error.hpp"
#include "dictum/transcribers.hpp"
#include "server/connection.hpp"
#include "server/on_pool.hpp"
#include "server/problem.hpp"
#include "server/realtime_items.hpp"
#include "server/realtime_protocol.hpp"
#include "server/stream_list.hpp"
#include "server/token_list.hpp"
#include "server/transcription_answer.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxOutbox = std::size_t{4} << 20;  // bytes; who takes nothing for so long is gone, or hostile
constexpr double kMarginSec = 1;                          // beyond the pre-roll, for what the detector still holds
constexpr double kReserveSec = 0.5;                       // of the silence behind a commit, for the pace of reports

bool is_beta(const Request& request) {
  const std::string* const header = request.header("OpenAI-Beta");
  return (header != nullptr && header->find("realtime=v1") != std::string::npos) ||
         offers_protocol(request, kRealtimeBetaProtocol);
}

/// One client and its session. The reader and the writer share it.
class RealtimeConnection : public std::enable_shared_from_this<RealtimeConnection> {
 public:
  RealtimeConnection(std::shared_ptr<WebSocket> websocket, const ConnectionServices& services, bool is_beta,
                     std::string model, const asio::any_io_executor& executor)
      : websocket_(std::move(websocket)),
        services_(services),
        is_beta_(is_beta),
        model_(std::move(model)),
        id_("sess_" + random_token().substr(0, 16)),
        wake_(executor) {}

  asio::awaitable<void> run() {
    settings_ = default_realtime_settings(config());
    auto names = [this] { return model_names(config()); };
    models_ = co_await on_pool(services_.pool.get_executor(), std::move(names));
    const bool is_known = model_.empty() || is_model(model_);
    if (is_known && !model_.empty()) settings_.model = model_;
    if (is_known || models_.empty()) {
      say({{"type", is_beta_ ? "transcription_session.created" : "session.created"},
           {"session", session_json(settings_, id_, is_beta_)}});
    } else {
      refuse(
          problem(404, "model_not_found",
                  fmt::format("There is no model \"{}\" here: GET /v1/models lists what there is.", excerpt(model_))),
          "");
      is_over_ = true;
    }
    if (models_.empty()) {
      refuse(problem(Errc::transcriber_missing,
                     "This server transcribes nothing: start it with another --transcriber than none."),
             "");
      is_over_ = true;
    }
    // Without audio there is no stream that ends when the server stops.
    const EventFeed::Watch stopping(services_.feed, [this] {
      if (!services_.feed.is_closed() || stream_) return;
      is_over_ = true;
      wake_.cancel();
    });
    asio::co_spawn(
        co_await asio::this_coro::executor, [self = shared_from_this()] { return self->read(); }, asio::detached);
    try {
      co_await write();
    } catch (...) {  // it was cancelled
      leave();
      throw;
    }
    leave();
  }

 private:
  const RecorderConfig& config() const { return services_.router.config(); }
  bool is_model(std::string_view name) const { return std::ranges::find(models_, name) != models_.end(); }

  // Out

  void say(boost::json::object message) {
    message["event_id"] = fmt::format("event_{}_{}", id_, ++said_);
    std::string text = json::to_line(message);
    outbox_bytes_ += text.size();
    outbox_.push_back(std::move(text));
    wake_.cancel();
  }

  void say_all(RealtimeItems::Messages messages) {
    for (auto& message : messages) say(std::move(message));
  }

  void refuse(const Response& problem, std::string_view event_id) { say(realtime_error(problem, event_id)); }

  /// Sends what there is to say, until the client is gone or the session is over.
  asio::awaitable<void> write() {
    for (;;) {
      while (!outbox_.empty()) {
        const std::string text = std::move(outbox_.front());
        outbox_.pop_front();
        outbox_bytes_ -= text.size();
        if (!co_await websocket_->write_text(text)) co_return;
      }
      if (is_gone_) co_return;
      if (stream_ && stream_->is_over() && !std::exchange(is_over_, true)) {
        say_all(items_->end());
        continue;
      }
      if (is_over_) {
        const bool is_stopping = services_.is_stopping();
        co_await websocket_->close(is_stopping ? CloseCode::going_away : CloseCode::policy,
                                   is_stopping ? "The server is stopping." : "The session has ended.");
        co_return;
      }
      wake_.expires_after(services_.limits.heartbeat);
      auto [woken] = co_await wake_.async_wait(kAwait);
      if (!woken && outbox_.empty() && !co_await websocket_->ping()) co_return;
    }
  }

  // In

  asio::awaitable<void> read() {
    try {
      co_await read_messages();
    } catch (...) {  // there is no memory, say
      websocket_->cancel();
    }
    leave();
  }

  asio::awaitable<void> read_messages() {
    while (auto message = co_await websocket_->read()) {
      if (is_over_ || is_gone_) continue;  // until it closes
      if (outbox_bytes_ > kMaxOutbox) websocket_->cancel();
      std::string event_id;
      std::optional<Response> refused;
      try {
        if (!message->is_text) throw FieldError("", "Audio is sent as text, in input_audio_buffer.append.");
        RealtimeCommand command = co_await parse(std::move(message->bytes), message->place.has_value(), &event_id);
        if (auto* const append = std::get_if<RealtimeAppend>(&command)) {
          refused = co_await take_audio(std::move(append->audio));
          if (is_gone_) continue;
        } else {
          refused = carry_out(command, event_id);
        }
      } catch (const FieldError& wrong) {
        refused = problem_of_field(wrong.field(), wrong.what());
      } catch (const RecorderError&) {
        refused = problem_of_current_exception();
      }
      if (refused) refuse(*refused, event_id);
      if (const auto stream = stream_) co_await stream->wait_for_room();
    }
  }

  /// Reads a message, and gives its memory back. A long one is read where that delays nobody. Throws FieldError;
  /// `event_id` is set as far as it was read.
  asio::awaitable<RealtimeCommand> parse(std::string bytes, bool is_long, std::string* event_id) {
    auto work = [&bytes, event_id] { return parse_realtime_message(bytes, *event_id); };
    if (!is_long) co_return work();
    co_return co_await on_pool(services_.pool.get_executor(), std::move(work));
  }

  /// Gives audio to the recorder, as fast as it takes it. The problem where the session cannot be begun. Throws
  /// FieldError.
  asio::awaitable<std::optional<Response>> take_audio(std::string audio) {
    constexpr std::size_t kPiece = std::size_t{64} << 10;  // whole samples
    const std::string_view all = audio;
    const std::size_t last = all.size() / kPiece * kPiece;
    decode_realtime_audio(settings_.format, all.substr(last));  // before anything is taken
    for (std::size_t at = 0; at < all.size(); at += kPiece) {
      const std::vector<float> samples = decode_realtime_audio(settings_.format, all.substr(at, kPiece));
      if (!stream_) {
        if (auto refused = co_await begin()) co_return refused;
      }
      if (is_gone_ || is_over_) co_return std::nullopt;
      const auto stream = stream_;
      stream->audio().write(stream->audio().received(), samples);
      co_await stream->wait_for_room();
    }
    co_return std::nullopt;
  }

  /// The problem where it is not possible now. Throws FieldError.
  std::optional<Response> carry_out(const RealtimeCommand& command, std::string_view event_id) {
    if (const auto* const update = std::get_if<RealtimeUpdate>(&command)) {
      RealtimeSettings changed = settings_;
      update_settings(changed, *update, [this](std::string_view name) { return is_model(name); });
      if (stream_ && changed != settings_) {
        throw FieldError("session", "The session cannot be changed once audio was sent: connect again.");
      }
      settings_ = std::move(changed);
      say({{"type", update->is_beta ? "transcription_session.updated" : "session.updated"},
           {"session", session_json(settings_, id_, update->is_beta)}});
    } else if (std::holds_alternative<RealtimeCommit>(command)) {
      const Frame received = stream_ ? stream_->audio().received() : 0;
      Response nothing = problem(400, "input_audio_buffer_commit_empty",
                                 "There is no audio to commit: append some that was not committed.");
      if (!stream_ || items_->is_empty(received)) return nothing;
      say_all(items_->commit(received, realtime_error(nothing, event_id)));
      end_segment();
    } else {
      if (stream_ && !items_->is_empty(stream_->audio().received())) {
        items_->clear(stream_->audio().received());
        end_segment();
      }
      say({{"type", "input_audio_buffer.cleared"}});
    }
    return std::nullopt;
  }

  /// Begins the session, with the first audio. The problem where that fails.
  asio::awaitable<std::optional<Response>> begin() {
    StreamHello hello;
    hello.device = "OpenAI Realtime";
    hello.encoding = StreamFormat::s16;
    hello.format = {.sample_rate = settings_.sample_rate(), .channels = 1};
    auto change = [settings = settings_](RecorderConfig& of_stream) {
      adapt(of_stream, settings);
      of_stream.notes = notes_without_commands();
    };
    auto opened = co_await services_.streams.open(std::move(hello), std::move(change));
    if (auto* const refused = std::get_if<Response>(&opened)) co_return std::move(*refused);
    const auto stream = std::get<std::shared_ptr<RemoteStream>>(opened);
    if (is_gone_) {
      services_.streams.finish(stream);
      co_return std::nullopt;
    }
    stream_ = stream;
    RecorderConfig::VAD vad = config().vad;
    if (settings_.turn_detection) {
      vad.pre_roll_ms = settings_.turn_detection->prefix_padding_ms;
      vad.min_silence_ms = settings_.turn_detection->silence_duration_ms;
    }
    const double margin_sec = vad.pre_roll_ms / 1000.0 + kMarginSec;
    silence_ = frames_of(margin_sec + vad.min_silence_ms / 1000.0 + kReserveSec);
    items_.emplace(RealtimeItems::Settings{.session = stream_->session(),
                                           .sample_rate = settings_.sample_rate(),
                                           .is_manual = !settings_.turn_detection,
                                           .margin = frames_of(margin_sec),
                                           .is_beta = is_beta_});
    stream_->attach(websocket_, nullptr);
    stream_->observe([weak = weak_from_this()](const Event& event) {
      if (const auto self = weak.lock()) self->say_all(self->items_->take(event));
    });
    ended_.emplace(stream_->feed(), [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && self->stream_->is_over()) self->wake_.cancel();
    });
    co_return std::nullopt;
  }

  Frame frames_of(double seconds) const { return std::llround(seconds * settings_.sample_rate()); }

  /// Silence ends the segment that is being spoken.
  void end_segment() {
    const Frame at = stream_->audio().received();
    items_->skip(at, silence_);
    stream_->audio().write(at, std::vector<float>(static_cast<std::size_t>(silence_)));
  }

  /// The client is gone, and cannot come back: its session ends behind what it has sent. Called again it does nothing.
  void leave() {
    is_gone_ = true;
    wake_.cancel();
    if (!stream_ || std::exchange(has_left_, true)) return;
    ended_.reset();
    stream_->observe(nullptr);
    stream_->detach(websocket_);
    services_.streams.finish(stream_);
  }

  const std::shared_ptr<WebSocket> websocket_;
  const ConnectionServices& services_;
  const bool is_beta_;
  const std::string model_;  // that the address names; may be empty
  const std::string id_;
  asio::steady_timer wake_;  // of the writer
  std::vector<std::string> models_;
  RealtimeSettings settings_;
  std::shared_ptr<RemoteStream> stream_;  // once there is audio
  std::optional<RealtimeItems> items_;    // the same
  std::optional<EventFeed::Watch> ended_;
  std::deque<std::string> outbox_;
  std::size_t outbox_bytes_ = 0;
  std::uint64_t said_ = 0;
  Frame silence_ = 0;      // behind a commit
  bool is_gone_ = false;   // the client
  bool has_left_ = false;  // its session
  bool is_over_ = false;   // the session: what was said is sent, then the connection is closed
};

}  // namespace

asio::awaitable<void> serve_realtime(std::shared_ptr<WebSocket> websocket, const ConnectionServices* services,
                                     const Request* request, std::string model) {
  const auto connection = std::make_shared<RealtimeConnection>(std::move(websocket), *services, is_beta(*request),
                                                               std::move(model), co_await asio::this_coro::executor);
  co_await connection->run();
}

}  // namespace dictum::server
