#include "openai_response.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>
#include <cmath>

#include "base/utf8.hpp"
#include "dictum/error.hpp"
#include "plain_text.hpp"

namespace dictum::workers {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxWords = 100'000;
constexpr std::size_t kMaxSentenceBytes = 300;

std::optional<double> number(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double found = value->to_number<double>();
  return std::isfinite(found) ? std::optional(found) : std::nullopt;
}

std::optional<std::string_view> string(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

const json::array* array(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

/// What the answer says of a stretch of it.
struct Stretch {
  double start{};
  double end{};
  std::optional<double> log_probability;
  std::optional<double> no_speech;
};

std::vector<Stretch> stretches(const json::object& answer) {
  std::vector<Stretch> all;
  const json::array* segments = array(answer, "segments");
  if (segments == nullptr) return all;
  for (const json::value& item : *segments) {
    const json::object* segment = item.if_object();
    if (segment == nullptr || all.size() == kMaxWords) continue;
    const auto start = number(*segment, "start").value_or(0);
    all.push_back({start, number(*segment, "end").value_or(start), number(*segment, "avg_logprob"),
                   number(*segment, "no_speech_prob")});
  }
  return all;
}

std::optional<double> mean(const std::vector<Stretch>& all, std::optional<double> Stretch::* figure) {
  double sum = 0;
  double weights = 0;
  for (const Stretch& stretch : all) {
    if (!(stretch.*figure)) continue;
    const double weight = std::clamp(stretch.end - stretch.start, 0.01, 7200.0);
    sum += *(stretch.*figure) * weight;
    weights += weight;
  }
  return weights > 0 ? std::optional(sum / weights) : std::nullopt;
}

double confidence_at(const std::vector<Stretch>& all, double second) {
  for (const Stretch& stretch : all) {
    if (second >= stretch.start && second <= stretch.end && stretch.log_probability) {
      return std::clamp(std::exp(*stretch.log_probability), 0.0, 1.0);
    }
  }
  return 1;
}

}  // namespace

OpenAIResponse OpenAIResponse::parse(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::object* answer = error ? nullptr : value.if_object();
  const auto text = answer == nullptr ? std::nullopt : string(*answer, "text");
  if (!text) throw RecorderError(Errc::transcription_failed, "the server's answer is no transcription");

  OpenAIResponse response;
  response.text = plain_text(*text);
  const auto all = stretches(*answer);
  response.mean_log_probability = mean(all, &Stretch::log_probability);
  response.no_speech_probability = mean(all, &Stretch::no_speech);
  if (response.no_speech_probability)
    response.no_speech_probability = std::clamp(*response.no_speech_probability, 0.0, 1.0);

  const json::array* words = array(*answer, "words");
  if (words == nullptr) return response;
  for (const json::value& item : *words) {
    const json::object* word = item.if_object();
    if (word == nullptr || response.words.size() == kMaxWords) continue;
    const auto spelt = string(*word, "word");
    const auto start = number(*word, "start");
    const auto end = number(*word, "end");
    if (!spelt || !start || !end || *start < 0 || *end < *start) continue;
    const double confidence = number(*word, "probability").value_or(confidence_at(all, (*start + *end) / 2));
    response.words.push_back({plain_text(*spelt), *start, *end, std::clamp(confidence, 0.0, 1.0)});
  }
  return response;
}

std::string error_sentence(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  std::string_view found = body;
  if (const json::object* object = error ? nullptr : value.if_object()) {
    const json::value* inner = object->if_contains("error");
    const json::object* named = inner == nullptr ? nullptr : inner->if_object();
    if (named != nullptr) {
      found = string(*named, "message").value_or(body);
    } else if (inner != nullptr && inner->is_string()) {
      found = std::string_view(inner->get_string());
    } else {
      found = string(*object, "detail").value_or(string(*object, "message").value_or(body));
    }
  }
  // Cut before it is repaired, so that a character that the cut divides is no longer there.
  std::string sentence = plain_text(found.substr(0, kMaxSentenceBytes));
  return sentence;
}

}  // namespace dictum::workers
