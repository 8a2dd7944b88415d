#include "server/realtime_items.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "dictum/error.hpp"

namespace dictum::server {

RealtimeItems::Messages RealtimeItems::take(const Event& event) {
  Messages out;
  if (const auto* const detected = std::get_if<SpeechDetected>(&event.body)) {
    Segment& segment = segments_[detected->segment_index];
    segment.start = detected->start_frame;
    segment.item = fmt::format("item_{}_{}", settings_.session, detected->segment_index);
    if (!settings_.is_manual) {
      out.push_back({{"type", "input_audio_buffer.speech_started"},
                     {"audio_start_ms", milliseconds(detected->start_frame)},
                     {"item_id", segment.item}});
    }
  } else if (const auto* const ended = std::get_if<SpeechEnded>(&event.body)) {
    const auto found = segments_.find(ended->segment_index);
    if (found == segments_.end()) return out;
    Segment& segment = found->second;
    segment.is_over = true;
    segment.end = ended->end_frame;
    if (!settings_.is_manual) {
      out.push_back({{"type", "input_audio_buffer.speech_stopped"},
                     {"audio_end_ms", milliseconds(event.frame)},
                     {"item_id", segment.item}});
    }
    const bool is_item = ended->kept && (settings_.is_manual || segment.start >= dropped_until_);
    if (!is_item) {
      segments_.erase(found);
    } else if (!settings_.is_manual) {
      begin_ = std::max(begin_, segment.end);
      add_item(segment.item, out);
      std::erase_if(requests_, [&](const Request& each) { return segment.start < each.end; });
    }
  } else if (const auto* const complete_text = std::get_if<TranscriptionComplete>(&event.body)) {
    const auto found = segments_.find(complete_text->segment_index);
    if (found == segments_.end() || complete_text->revision > 0) return out;
    found->second.text = complete_text->text;
    if (!complete_text->success) {
      found->second.error = complete_text->error.value_or(
          EventError{to_string(Errc::transcription_failed), "The audio could not be transcribed."});
    }
    if (!settings_.is_manual) {
      complete(found->second.item, found->second, out);
      segments_.erase(found);
    }
  }
  clock_ = std::max(clock_, event.frame);
  if (settings_.is_manual) {
    complete_commits(out);
  } else {
    answer_requests(out);
  }
  return out;
}

RealtimeItems::Messages RealtimeItems::commit(Frame received, boost::json::object nothing) {
  Messages out;
  if (!settings_.is_manual) {
    requests_.push_back({.end = received, .nothing = std::move(nothing)});
    return out;
  }
  Commit commit{open_from_, received, fmt::format("item_{}_{}", settings_.session, count_++)};
  begin_ = open_from_ = received;
  add_item(commit.item, out);
  commits_.push_back(std::move(commit));
  return out;
}

void RealtimeItems::clear(Frame received) {
  begin_ = std::max(begin_, received);
  open_from_ = std::max(open_from_, received);
  dropped_until_ = begin_;
}

void RealtimeItems::skip(Frame at, Frame frames) {
  skipped_[at] = frames;
  begin_ = std::max(begin_, at + frames);
}

RealtimeItems::Messages RealtimeItems::end() {
  Messages out;
  const EventError why{to_string(Errc::cancelled), "The session has ended before there was a text."};
  for (auto& [index, segment] : segments_) {
    if (segment.text) continue;
    segment.text = "";
    segment.error = why;
    if (!settings_.is_manual && segment.is_over) complete(segment.item, segment, out);
    segment.is_over = true;
  }
  for (Request& each : requests_) out.push_back(std::move(each.nothing));
  requests_.clear();
  if (!commits_.empty()) clock_ = commits_.back().end + settings_.margin;
  complete_commits(out);
  segments_.clear();
  return out;
}

/// On the client's clock, which counts what it has sent.
std::int64_t RealtimeItems::milliseconds(Frame frame) const {
  Frame sent = frame;
  for (const auto& [at, frames] : skipped_) {
    if (at < frame) sent -= std::min(frames, frame - at);
  }
  return sent * 1000 / settings_.sample_rate;
}

void RealtimeItems::add_item(const std::string& item, Messages& out) {
  const boost::json::value previous = last_item_.empty() ? boost::json::value(nullptr) : boost::json::value(last_item_);
  last_item_ = item;
  out.push_back({{"type", "input_audio_buffer.committed"}, {"item_id", item}, {"previous_item_id", previous}});
  boost::json::array content{boost::json::object{{"type", "input_audio"}, {"transcript", nullptr}}};
  out.push_back({{"type", settings_.is_beta ? "conversation.item.created" : "conversation.item.added"},
                 {"previous_item_id", previous},
                 {"item",
                  {{"id", item},
                   {"object", "realtime.item"},
                   {"type", "message"},
                   {"role", "user"},
                   {"status", "completed"},
                   {"content", std::move(content)}}}});
  if (settings_.is_beta) return;
  boost::json::object done = out.back();
  done["type"] = "conversation.item.done";
  out.push_back(std::move(done));
}

void RealtimeItems::complete(const std::string& item, const Segment& whole, Messages& out) const {
  const std::string kind = "conversation.item.input_audio_transcription.";
  if (whole.error) {
    out.push_back({{"type", kind + "failed"},
                   {"item_id", item},
                   {"content_index", 0},
                   {"error",
                    {{"type", "transcription_error"},
                     {"code", whole.error->code},
                     {"message", whole.error->message},
                     {"param", nullptr}}}});
    return;
  }
  if (!whole.text->empty()) {
    out.push_back({{"type", kind + "delta"}, {"item_id", item}, {"content_index", 0}, {"delta", *whole.text}});
  }
  const double seconds = static_cast<double>(milliseconds(whole.end) - milliseconds(whole.start)) / 1000;
  out.push_back({{"type", kind + "completed"},
                 {"item_id", item},
                 {"content_index", 0},
                 {"transcript", *whole.text},
                 {"usage", {{"type", "duration"}, {"seconds", seconds}}}});
}

/// Completes the commits whose audio was segmented, and whose segments have texts.
void RealtimeItems::complete_commits(Messages& out) {
  while (!commits_.empty() && clock_ - settings_.margin >= commits_.front().end) {
    const Commit commit = commits_.front();
    Segment whole{.start = commit.begin, .end = commit.end, .is_over = true, .text = "", .error = {}, .item = {}};
    for (const auto& [index, segment] : segments_) {
      if (segment.start < commit.begin) continue;  // it was cleared
      if (segment.start >= commit.end) break;
      if (!segment.text) return;  // it is being spoken, or transcribed
      if (segment.error && !whole.error) whole.error = segment.error;
      if (!whole.text->empty() && !segment.text->empty()) *whole.text += ' ';
      *whole.text += *segment.text;
    }
    std::erase_if(segments_, [&](const auto& each) { return each.second.start < commit.end; });
    commits_.pop_front();
    complete(commit.item, whole, out);
  }
  if (!commits_.empty()) return;
  std::erase_if(segments_, [&](const auto& each) { return each.second.text && each.second.start < open_from_; });
}

/// Answers the requests whose audio was segmented, and in which nobody speaks.
void RealtimeItems::answer_requests(Messages& out) {
  while (!requests_.empty() && clock_ - settings_.margin >= requests_.front().end) {
    Request& request = requests_.front();
    const bool is_spoken = std::ranges::any_of(segments_, [&](const auto& each) {
      return !each.second.is_over && each.second.start < request.end && each.second.start >= dropped_until_;
    });
    if (is_spoken) return;
    out.push_back(std::move(request.nothing));
    requests_.pop_front();
  }
}

}  // namespace dictum::server
