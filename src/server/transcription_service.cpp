#include "server/transcription_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <system_error>
#include <utility>

#include "audio/decoder_process.hpp"
#include "capture/file_source.hpp"
#include "config/vocabulary.hpp"
#include "dictum/error.hpp"
#include "dictum/transcribers.hpp"
#include "server/on_pool.hpp"
#include "server/problem.hpp"

namespace dictum::server {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

/// What clients ask for that were written for OpenAI's own service.
constexpr std::array<const char*, 4> kAliases = {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe",
                                                 "gpt-transcribe"};

/// A recorder for files: as the server's own, but for where the audio comes from and where it goes.
RecorderConfig config_of(const StreamServices& services, const Limits& limits, const UploadRecorder& recorder) {
  RecorderConfig config = services.config;
  const std::string channel = config.capture.channel;
  config.capture = {};
  config.capture.channel = channel;
  config.capture.duration_sec = static_cast<double>(std::chrono::seconds(limits.upload_audio).count());
  config.source = [next = recorder.next] {
    return std::make_unique<capture::FileSource>(std::move(next->file), next->name);
  };
  config.session = {};
  config.session.root = recorder.folder->path();
  config.session.durability = "crash";
  config.retention = {};
  config.events = {};
  config.notes = notes_without_commands();
  config.transcription.drain_sec = -1;
  if (!recorder.language.empty()) config.transcription.language = recorder.language;
  auto& vocabulary = config.transcription.vocabulary;
  vocabulary.insert(vocabulary.begin(), recorder.vocabulary.begin(), recorder.vocabulary.end());
  return config;
}

/// A file that cannot be read is the client's fault.
Response problem_of(const std::error_code& code, std::string_view sentence) {
  if (code == Errc::input_unreadable || code == Errc::input_not_found) {
    return problem(400, to_string(Errc::input_unreadable), sentence);
  }
  return problem(code, sentence);
}

Response problem_of(const EventError& why) {
  for (const Errc code : {Errc::input_unreadable, Errc::input_not_found}) {
    if (why.code == to_string(code)) return problem_of(code, why.message);
  }
  return problem(500, why.code, why.message);
}

void remove_session(const fs::path& session) {
  std::error_code ignored;
  if (!session.empty()) fs::remove_all(session, ignored);
}

}  // namespace

RecorderConfig::Notes notes_without_commands() {
  return {.start = {"qzxv wvkj"},
          .title = {"xqvz kwjj"},
          .end = {"vvqx zjkw"},
          .cancel = {"jjzq xvwk"},
          .scratch = {"kxqj vzzw"},
          .stop = {"wqvk jxxz"},
          .prefix = {"zvxq"}};
}

std::vector<std::string> model_names(const RecorderConfig& config) {
  if (!transcribes(config)) return {};
  std::string own = config.custom_transcriber ? "custom" : config.transcription.transcriber;
  if (own == "auto") own = auto_transcriber();
  std::vector<std::string> names = {std::move(own)};
  names.insert(names.end(), kAliases.begin(), kAliases.end());
  return names;
}

// --- Transcription ---------------------------------------------------------------------------------------------------

/// What the events of its session have said so far.
struct Transcription::Progress {
  explicit Progress(const asio::any_io_executor& loop) : changed(loop, asio::steady_timer::time_point::max()) {}

  void take(const Event& event) {
    if (const auto* const queued = std::get_if<TranscriptionQueued>(&event.body)) {
      texts.try_emplace(queued->segment_index);
    } else if (const auto* const complete = std::get_if<TranscriptionComplete>(&event.body)) {
      if (!complete->language.empty()) language = complete->language;
      if (complete->revision == 0) texts[complete->segment_index] = complete->text;
    } else if (const auto* const fault = std::get_if<RecorderFault>(&event.body)) {
      faults.push_back({fault->code, fault->message});
    } else if (const auto* const state = std::get_if<RecordingStateChanged>(&event.body);
               state && !state->is_recording) {
      is_recorded = true;
      has_failed = state->state == RecordingState::failed;
    }
    changed.cancel();
  }

  asio::steady_timer changed;                                 // never expires; cancelled with each event
  std::map<std::uint32_t, std::optional<std::string>> texts;  // that were not given away; empty: to come
  std::string language;
  std::vector<EventError> faults;
  bool is_recorded = false;  // the end of the file was reached
  bool has_failed = false;
  bool is_over = false;  // and there are all texts
};

Transcription::Transcription(TranscriptionService& service, TranscriptionRequest request,
                             std::shared_ptr<Places::Place> place, std::unique_ptr<UploadRecorder> recorder)
    : service_(service),
      request_(std::move(request)),
      place_(std::move(place)),
      recorder_(std::move(recorder)),
      progress_(std::make_shared<Progress>(service.services_.loop)) {
  ++service_.count_;
}

Transcription::~Transcription() {
  if (recorder_) service_.discard(std::move(recorder_), std::move(place_));
  if (--service_.count_ == 0) service_.none_left_.cancel();
}

asio::awaitable<std::optional<Response>> Transcription::start() {
  const auto take = [progress = progress_](const Event& event) { progress->take(event); };
  subscription_ = recorder_->backend->subscribe(
      EventFilter::only<TranscriptionQueued, TranscriptionComplete, RecorderFault, RecordingStateChanged>(), take);
  auto [error] = co_await recorder_->backend->start_recording(kAwait);
  if (error) {
    const std::string sentence = recorder_->backend->last_error();
    co_return problem_of(std::error_code(error), sentence.empty() ? error.message() : sentence);
  }
  co_return std::nullopt;
}

asio::awaitable<std::optional<std::string>> Transcription::next_text() {
  for (bool is_stopping = false;;) {
    while (!progress_->texts.empty() && progress_->texts.begin()->second) {
      std::string text = std::move(*progress_->texts.begin()->second);
      progress_->texts.erase(progress_->texts.begin());
      if (!text.empty()) co_return text;
    }
    if (progress_->is_over) co_return std::nullopt;
    if (progress_->is_recorded && !std::exchange(is_stopping, true)) {
      // A stop that came before the end of the file would cut it off.
      recorder_->backend->stop_recording([progress = progress_](const boost::system::error_code&) {
        progress->is_over = true;
        progress->changed.cancel();
      });
    }
    co_await progress_->changed.async_wait(kAwait);
  }
}

asio::awaitable<std::variant<Response, TranscriptionResult>> Transcription::finish() {
  using Outcome = std::variant<Response, TranscriptionResult>;
  while (co_await next_text()) {
  }
  auto read = [this, session = recorder_->backend->get_session_path()]() -> Outcome {
    try {
      TranscriptionResult result{open_session(session), {}, progress_->language, {}};
      for (const EventError& fault : progress_->faults) result.warnings.push_back(fault.message);
      using Format = TranscriptionRequest::Format;
      if (request_.format == Format::srt) result.subtitles = export_text(session, ExportFormat::srt);
      if (request_.format == Format::vtt) result.subtitles = export_text(session, ExportFormat::vtt);
      remove_session(session);
      return result;
    } catch (const std::exception&) {
      remove_session(session);
      return problem_of_current_exception();
    }
  };
  // What the events have said is not changed meanwhile: there are no more.
  subscription_ = {};
  Outcome outcome = co_await on_pool(service_.services_.files.get_executor(), std::move(read));
  auto* const result = std::get_if<TranscriptionResult>(&outcome);
  // The client may take its time for the answer.
  if (result == nullptr || progress_->has_failed) {
    service_.discard(std::move(recorder_), std::move(place_));
  } else {
    service_.give_back(std::move(recorder_));
    place_.reset();
  }
  if (result == nullptr) co_return outcome;
  if (progress_->has_failed) {
    const EventError why = progress_->faults.empty() ? EventError{to_string(Errc::internal), "The recording failed."}
                                                     : progress_->faults.back();
    co_return problem_of(why);
  }
  const SessionTranscript& transcript = result->transcript;
  const auto limit = std::chrono::seconds(service_.limits_.upload_audio).count();
  if (transcript.seconds(transcript.end_frame) >= static_cast<double>(limit)) {
    co_return problem(413, "audio_too_long",
                      fmt::format("The file has more than {} hours of audio: send it in parts.", limit / 3600));
  }
  for (const TranscriptSegment& segment : transcript.segments) {
    if (segment.state == SegmentState::done) continue;
    const EventError why = segment.error.value_or(EventError{to_string(Errc::transcription_failed), "It has no text."});
    co_return problem(500, why.code,
                      fmt::format("The sound from {:.1f} s on could not be transcribed: {}",
                                  transcript.seconds(segment.start_frame), why.message));
  }
  co_return outcome;
}

// --- TranscriptionService --------------------------------------------------------------------------------------------

TranscriptionService::TranscriptionService(StreamServices services, const Limits& limits)
    : services_(std::move(services)),
      limits_(limits),
      uploads_(limits.uploads),
      running_(limits.transcriptions),
      freed_(services_.loop, asio::steady_timer::time_point::max()),
      none_left_(services_.loop, asio::steady_timer::time_point::max()) {
  running_.set_on_free([this] { freed_.cancel(); });
}

TranscriptionService::~TranscriptionService() {
  running_.set_on_free(nullptr);
}

fs::path TranscriptionService::folder() {
  const std::lock_guard lock(making_folder_);
  if (!folder_) folder_ = std::make_shared<ScratchFolder>(session_root(services_.config));
  return folder_->path();
}

bool TranscriptionService::has_model(std::string_view name) const {
  const auto names = model_names(services_.config);
  return std::ranges::find(names, name) != names.end();
}

asio::awaitable<std::variant<Response, std::unique_ptr<Transcription>>> TranscriptionService::begin(
    TranscriptionRequest request, UniqueFD file) {
  using Begun = std::variant<Response, std::unique_ptr<Transcription>>;
  if (!transcribes(services_.config)) {
    co_return Begun(problem(Errc::transcriber_missing,
                            "This server transcribes nothing: start it with another --transcriber than none."));
  }
  if (!audio::find_decoder()) {
    co_return Begun(problem(Errc::internal,
                            "The program dictum-decoder is not installed, so files that clients send cannot be "
                            "decoded safely: install Dictum as a whole."));
  }
  while (running_.left() == 0 && !is_stopping_) co_await freed_.async_wait(kAwait);
  if (is_stopping_) co_return Begun(stopping_problem());
  const auto place = std::make_shared<Places::Place>(*running_.take());
  std::unique_ptr<UploadRecorder> recorder = take_fitting(request);
  while (!recorder && idle_.size() > running_.left()) {  // in all as many as may run
    auto work = [superfluous = std::move(idle_.front())]() mutable {
      superfluous.reset();
      return true;
    };
    idle_.erase(idle_.begin());
    co_await on_pool(discards().get_executor(), std::move(work));
  }
  if (is_stopping_) {
    if (recorder) discard(std::move(recorder), place);
    co_return Begun(stopping_problem());
  }
  try {
    if (!recorder) recorder = make_recorder(request);
  } catch (const RecorderError&) {  // by its configuration, with what the client adds
    co_return Begun(problem_of_current_exception());
  }
  *recorder->next = {std::move(file), request.file_name};
  std::unique_ptr<Transcription> made(new Transcription(*this, std::move(request), place, std::move(recorder)));
  auto refused = co_await made->start();
  if (refused) co_return Begun(std::move(*refused));
  co_return Begun(std::move(made));
}

/// Null where there is none.
std::unique_ptr<UploadRecorder> TranscriptionService::take_fitting(const TranscriptionRequest& request) {
  const auto fitting = std::ranges::find_if(idle_, [&](const auto& each) {
    return each->language == request.language && each->vocabulary == request.vocabulary;
  });
  if (fitting == idle_.end()) return nullptr;
  auto recorder = std::move(*fitting);
  idle_.erase(fitting);
  return recorder;
}

std::unique_ptr<UploadRecorder> TranscriptionService::make_recorder(const TranscriptionRequest& request) {
  auto recorder = std::make_unique<UploadRecorder>();
  recorder->language = request.language;
  recorder->vocabulary = request.vocabulary;
  recorder->folder = folder_;
  recorder->next = std::make_shared<UploadRecorder::NextFile>();
  recorder->backend = std::make_unique<AsyncRecorderBackend>(services_.loop, config_of(services_, limits_, *recorder),
                                                             services_.recorders());
  return recorder;
}

void TranscriptionService::give_back(std::unique_ptr<UploadRecorder> recorder) {
  if (is_stopping_) return discard(std::move(recorder), nullptr);
  idle_.push_back(std::move(recorder));
}

/// Its place is free once it has ended: its worker may be busy until then.
void TranscriptionService::discard(std::unique_ptr<UploadRecorder> recorder, std::shared_ptr<Places::Place> place) {
  asio::post(discards(), [recorder = std::shared_ptr<UploadRecorder>(std::move(recorder)), place = std::move(place),
                          loop = services_.loop]() mutable {
    const fs::path session = recorder->backend->get_session_path();
    recorder->backend.reset();
    remove_session(session);
    recorder.reset();
    asio::post(loop, [given_back = std::move(place)] {});
  });
}

asio::thread_pool& TranscriptionService::discards() {
  if (!discards_) discards_.emplace(limits_.transcriptions);
  return *discards_;
}

void TranscriptionService::stop() {
  is_stopping_ = true;
  freed_.cancel();
  for (auto& each : idle_) discard(std::move(each), nullptr);
  idle_.clear();
}

asio::awaitable<void> TranscriptionService::stopped() {
  while (count_ > 0) co_await none_left_.async_wait(kAwait);
}

void TranscriptionService::join() {
  if (discards_) discards_->join();
}

}  // namespace dictum::server
