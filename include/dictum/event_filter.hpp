#pragma once

#include <bitset>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

#include "dictum/event.hpp"

namespace dictum {

namespace detail {
template <class Body, class Bodies>
inline constexpr bool kIsAlternative = false;
template <class Body, class... Alternatives>
inline constexpr bool kIsAlternative<Body, std::variant<Alternatives...>> = (std::is_same_v<Body, Alternatives> || ...);
}  // namespace detail

/// What an Event's body can be.
template <class Body>
concept EventType = detail::kIsAlternative<Body, EventBody>;

/// Which events a subscriber wants. A value; safe from any thread.
class EventFilter {
 public:
  /// Every event, the ephemeral ones too.
  static EventFilter all() {
    EventFilter filter;
    filter.wanted_.set();
    return filter;
  }

  /// Every event that is journaled: all but TranscriptionPartial, AudioLevel and QueueStatus.
  static EventFilter journaled() {
    EventFilter filter = only<TranscriptionPartial, AudioLevel, QueueStatus>();
    filter.wanted_.flip();
    return filter;
  }

  /// The named types, for example `EventFilter::only<SpeechDetected, SpeechEnded>()`.
  template <EventType... Bodies>
  static EventFilter only() {
    EventFilter filter;
    (filter.wanted_.set(index_of<Bodies>()), ...);
    return filter;
  }

  bool wants(const Event& event) const { return wanted_.test(event.body.index()); }

 private:
  template <class Body>
  static std::size_t index_of() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      std::size_t found = sizeof...(I);
      ((std::is_same_v<Body, std::variant_alternative_t<I, EventBody>> ? (found = I) : found), ...);
      return found;
    }(std::make_index_sequence<std::variant_size_v<EventBody>>());
  }

  std::bitset<std::variant_size_v<EventBody>> wanted_;
};

}  // namespace dictum
