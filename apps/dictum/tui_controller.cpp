#include "tui_controller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <ctime>
#include <exception>
#include <utility>
#include <variant>

#include "dictum/error.hpp"
#include "dictum/sessions.hpp"
#include "dictum/text.hpp"
#include "dictum/transcribers.hpp"
#include "tui_library.hpp"

namespace dictum::program {

using namespace std::chrono_literals;
using boost::system::error_code;
using tui::Weight;

namespace {

// The screen may be drawn 30 times a second; the recorder's events take half of that, keys the rest.
constexpr auto kPublishPause = 65ms;
constexpr auto kTick = 1s;
constexpr std::size_t kMaxMessage = 400;

int utc_offset() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return static_cast<int>(local.tm_gmtoff);
}

void report(tui::Model& model, std::string sentence) {
  model = tui::notify(std::move(model), Weight::information, std::move(sentence));
}

double wall_clock() {
  return timestamp_of(std::chrono::system_clock::now());
}

}  // namespace

TUIController::TUIController(boost::asio::any_io_executor executor, const RecorderConfig& config, Callbacks callbacks)
    : executor_(std::move(executor)),
      config_(config),
      callbacks_(std::move(callbacks)),
      publishing_(executor_),
      ticking_(executor_) {
  model_.utc_offset_sec = utc_offset();
  model_.now = wall_clock();
  model_.mode = config.vad.mode;
  model_.min_silence_ms =
      config.vad.mode == VADMode::normal ? config.vad.min_silence_ms : config.vad.long_note_silence_ms;
  model_.device = config.capture.input.empty() ? config.capture.device : config.capture.input.filename().string();
  model_.privacy = where_speech_goes(config);
  model_.transcriber = transcriber_for_tui(config);
  model_.spoken = spoken_commands_for_tui(config);
  backend_.emplace(executor_, config_, [this](const Event& event) { receive(event); });
  publish_soon();
}

TUIController::~TUIController() {
  shut_down();
}

void TUIController::shut_down() {
  playing_.request_stop();
  transcribing_.request_stop();
  for (auto* pool : {&player_, &transcriber_, &library_}) {
    pool->stop();
    pool->join();
  }
  backend_.reset();
  messages_.reset();
  publishing_.cancel();
  ticking_.cancel();
}

void TUIController::receive(const Event& event) {
  model_ = tui::reduce(std::move(model_), event);
  publish_soon();
  tick_while_waiting();
}

// --- What the screen shows -------------------------------------------------------------------------------------------

template <class Change>
void TUIController::update(Change change) {
  model_.now = std::max(model_.now, wall_clock());
  change(model_);
  publish_now();
}

void TUIController::publish_soon() {
  if (std::exchange(will_publish_, true)) return;
  publishing_.expires_at(published_ + kPublishPause);
  publishing_.async_wait([this](const error_code& error) {
    if (!error) publish_now();
  });
}

void TUIController::publish_now() {
  publishing_.cancel();
  will_publish_ = false;
  published_ = std::chrono::steady_clock::now();
  callbacks_.publish(std::make_shared<const tui::Model>(model_));
}

/// Without a recording no event reports that time passes, which the display of a pending text needs.
void TUIController::tick_while_waiting() {
  if (ticks_ || model_.state == RecordingState::recording || model_.waiting() == 0) return;
  ticks_ = true;
  ticking_.expires_after(kTick);
  ticking_.async_wait([this](const error_code& error) {
    ticks_ = false;
    if (error) return;
    model_ = tui::tick(std::move(model_), wall_clock());
    publish_soon();
    tick_while_waiting();
  });
}

void TUIController::failed(const std::string& sentence) {
  update([&](tui::Model& model) { model = tui::notify(std::move(model), Weight::failure, sentence); });
}

// --- The recorder ----------------------------------------------------------------------------------------------------

auto TUIController::report_failure() {
  return [this](const error_code& error) {
    if (error) failed(backend_->last_error().empty() ? error.message() : backend_->last_error());
  };
}

void TUIController::carry_out(const tui::Command& command) {
  std::visit(
      [this]<class What>(const What& what) {
        if constexpr (std::is_same_v<What, tui::Perform>) {
          perform(what.action);
        } else if constexpr (std::is_same_v<What, tui::ListDevices>) {
          ask<std::vector<tui::Device>>([backend = config_.capture.backend] { return list_devices_for_tui(backend); },
                                        [](tui::Model& model, auto all) { model.devices = std::move(all); });
        } else if constexpr (std::is_same_v<What, tui::ChooseDevice>) {
          update([&](tui::Model& model) { model.device = what.id; });
          backend_->set_device(what.id, report_failure());
        } else if constexpr (std::is_same_v<What, tui::ListSessions>) {
          ask<std::vector<tui::SessionEntry>>([root = session_root(config_)] { return list_sessions_for_tui(root); },
                                              [](tui::Model& model, auto all) { model.sessions = std::move(all); });
        } else if constexpr (std::is_same_v<What, tui::ListNotes>) {
          ask<std::vector<tui::StoredNote>>([root = session_root(config_)] { return list_notes_for_tui(root); },
                                            [](tui::Model& model, auto all) { model.stored_notes = std::move(all); });
        } else if constexpr (std::is_same_v<What, tui::Copy>) {
          copy(what.text);
        } else if constexpr (std::is_same_v<What, tui::CopySession>) {
          ask<std::string>([path = what.session] { return text_of_session_for_tui(path); },
                           [this](tui::Model&, std::string text) { copy(std::move(text)); });
        } else if constexpr (std::is_same_v<What, tui::ReadSession>) {
          ask<tui::OpenSession>([path = what.session] { return read_session_for_tui(path); },
                                [](tui::Model& model, auto open) { model.open_session = std::move(open); });
        } else if constexpr (std::is_same_v<What, tui::Search>) {
          search(what.query);
        } else if constexpr (std::is_same_v<What, tui::Play>) {
          play(what);
        } else if constexpr (std::is_same_v<What, tui::StopPlaying>) {
          playing_.request_stop();
        } else if constexpr (std::is_same_v<What, tui::Export>) {
          ask<std::filesystem::path>(
              [path = what.session, format = what.format] { return export_for_tui(path, format); },
              [](tui::Model& model, const auto& file) { report(model, fmt::format("wrote {}", file.string())); });
        } else if constexpr (std::is_same_v<What, tui::EditText>) {
          ask<std::monostate>(
              [what] {
                edit_session(what.session, what.segment, what.text);
                return std::monostate();
              },
              [this, what](tui::Model& model, std::monostate) {
                report(model, fmt::format("segment {} is corrected", what.segment));
                show_again(what.session);
              });
        } else if constexpr (std::is_same_v<What, tui::DeleteSession>) {
          ask<std::monostate>(
              [what] {
                delete_session(what.session);
                return std::monostate();
              },
              [what](tui::Model& model, std::monostate) {
                model = tui::forget(std::move(model), what.session);
                report(model, fmt::format("deleted {}", what.session.filename().string()));
              });
        } else if constexpr (std::is_same_v<What, tui::TranscribeAgain>) {
          transcribe(what);
        } else if constexpr (std::is_same_v<What, tui::Leave>) {
          leave(what.at_once);
        } else if constexpr (std::is_same_v<What, tui::Stay>) {
          leaving_ = false;
        }
      },
      command);
}

void TUIController::perform(tui::Action action) {
  using tui::Action;
  switch (action) {
    case Action::record:
      toggle_recording();
      return;
    case Action::pause:
      if (model_.state == RecordingState::paused) {
        backend_->resume_recording(report_failure());
      } else {
        backend_->pause_recording(report_failure());
      }
      return;
    case Action::long_note:
      backend_->set_vad_mode(model_.mode == VADMode::normal ? VADMode::long_note : VADMode::normal, report_failure());
      return;
    case Action::end_note:
      backend_->complete_note(report_failure());
      return;
    case Action::mute:
      backend_->set_muted(!model_.muted, report_failure());
      return;
    case Action::retry:
      backend_->retry_failed(report_failure());
      return;
    case Action::clear:
      update([](tui::Model& model) { model.notices.clear(); });
      return;
    default:
      return;
  }
}

void TUIController::toggle_recording() {
  if (model_.is_recording()) {                        // what the person saw
    backend_->stop_recording(-1s, report_failure());  // pending transcriptions continue in the background
    return;
  }
  update([](tui::Model& model) {
    if (!model.is_recording()) model.state = RecordingState::starting;
  });
  backend_->start_recording([this](const error_code& error) {
    if (!error) return;
    update([](tui::Model& model) {
      if (model.state == RecordingState::starting) model.state = RecordingState::idle;
    });
    if (error != make_error_code(Errc::cancelled)) report_failure()(error);
  });
}

void TUIController::leave(bool at_once) {
  leaving_ = true;
  const auto when_stopped = [this](const error_code&) {
    if (leaving_) finished();
  };
  if (at_once) {
    backend_->stop_recording(0s, when_stopped);
    return;
  }
  tick_while_waiting();
  backend_->stop_recording(-1s, [this, when_stopped](const error_code&) { backend_->wait_until_idle(when_stopped); });
}

void TUIController::end() {
  leaving_ = true;
  const auto when_stopped = [this](const error_code&) { finished(); };
  if (++ends_ == 1) {
    backend_->stop_recording(when_stopped);
  } else {
    backend_->stop_recording(0s, when_stopped);
  }
}

void TUIController::finished() {
  if (const auto done = std::exchange(callbacks_.done, nullptr)) done();
}

// --- The library of sessions -----------------------------------------------------------------------------------------

template <class Answer>
void TUIController::ask(std::function<Answer()> question, std::function<void(tui::Model&, Answer)> take) {
  boost::asio::post(library_, [this, question = std::move(question), take = std::move(take)] {
    try {
      boost::asio::post(executor_, [this, take, answer = question()]() mutable {
        update([&](tui::Model& model) { take(model, std::move(answer)); });
      });
    } catch (const std::exception& error) {
      boost::asio::post(executor_, [this, sentence = std::string(error.what())] { failed(sentence); });
    }
  });
}

/// While somebody types, only the newest search is worth its time.
void TUIController::search(const std::string& query) {
  const std::uint64_t number = ++newest_search_;
  ask<std::optional<std::vector<tui::Hit>>>(
      [this, query, number]() -> std::optional<std::vector<tui::Hit>> {
        if (number != newest_search_) return std::nullopt;
        if (!finder_) finder_.emplace(session_root(config_));
        return search_for_tui(*finder_, query);
      },
      [](tui::Model& model, auto hits) {
        if (hits) model.hits = std::move(hits);
      });
}

void TUIController::play(const tui::Play& what) {
  playing_.request_stop();
  playing_ = std::stop_source();
  boost::asio::post(player_, [this, what, number = ++played_, stop = playing_.get_token()] {
    const auto report = [this, number](std::optional<tui::Playing> playing) {
      boost::asio::post(executor_, [this, number, playing = std::move(playing)]() mutable {
        if (number == played_) update([&](tui::Model& model) { model.playing = std::move(playing); });
      });
    };
    try {
      play_for_tui(what.session, what.segment, report, stop);
    } catch (const std::exception& error) {
      boost::asio::post(executor_, [this, sentence = std::string(error.what())] { failed(sentence); });
    }
    report(std::nullopt);
  });
}

void TUIController::copy(std::string text) {
  callbacks_.copy(std::move(text));
  update([](tui::Model& model) { report(model, "copied to the clipboard of the terminal"); });
}

/// One session after the other, however long it takes; the program's end stops it.
void TUIController::transcribe(const tui::TranscribeAgain& what) {
  boost::asio::post(transcriber_, [this, what, stop = transcribing_.get_token()] {
    const auto name = what.session.filename().string();
    const auto show = [this](auto change) { boost::asio::post(executor_, [this, change] { update(change); }); };
    const auto on_event = [&show](const Event& event) {
      if (!std::holds_alternative<TranscriptionComplete>(event.body)) return;
      show([](tui::Model& model) {
        if (model.transcribing) ++model.transcribing->texts;
      });
    };
    show([path = what.session](tui::Model& model) { model.transcribing = tui::Transcribing{path, 0}; });
    try {
      transcribe_for_tui(config_, what, on_event, stop);
      show([name](tui::Model& model) { report(model, fmt::format("{} is transcribed", name)); });
    } catch (const std::exception& error) {
      boost::asio::post(executor_, [this, sentence = std::string(error.what())] { failed(sentence); });
    }
    show([](tui::Model& model) { model.transcribing.reset(); });
    boost::asio::post(executor_, [this, path = what.session] { show_again(path); });
  });
}

/// A session has changed on disk: what of it is on the screen is read again.
void TUIController::show_again(const std::filesystem::path& session) {
  if (model_.find_session(session) != nullptr) {
    ask<tui::SessionEntry>([session] { return session_entry_for_tui(session); },
                           [](tui::Model& model, tui::SessionEntry entry) {
                             if (!model.sessions) return;
                             std::ranges::replace_if(
                                 *model.sessions, [&](const auto& each) { return each.path == entry.path; }, entry);
                           });
  }
  if (model_.open_session && model_.open_session->path == session) {
    ask<tui::OpenSession>([session] { return read_session_for_tui(session); },
                          [](tui::Model& model, auto open) {
                            if (model.open_session && model.open_session->path == open.path)
                              model.open_session = std::move(open);
                          });
  }
}

// --- What libraries say ----------------------------------------------------------------------------------------------

void TUIController::read_messages(int descriptor) {
  messages_.emplace(executor_, descriptor);
  read_more_messages();
}

void TUIController::read_more_messages() {
  messages_->async_read_some(boost::asio::buffer(message_buffer_), [this](const error_code& error, std::size_t got) {
    if (error) return;
    for (const char c : std::string_view(message_buffer_.data(), got)) {
      if (c != '\n') {
        if (message_.size() < kMaxMessage) message_ += c;
      } else if (!message_.empty()) {
        model_ = tui::notify(std::move(model_), Weight::information, std::exchange(message_, {}));
        publish_soon();
      }
    }
    read_more_messages();
  });
}

}  // namespace dictum::program
