#pragma once

#include <string>
#include <string_view>

namespace dictum::recorder {

/// The one language that a session is transcribed in: as configured, or decided from its first texts. Multilingual
/// recognisers guess a language for each segment, and guess wrong where it is short.
///
/// Two texts in a row that agree decide. Texts are counted in the order of their segments, so that the decision does
/// not depend on which of them came first. A value; no threads; never fails.
class SessionLanguage {
 public:
  /// `configured`: BCP 47; "auto" or empty: to be decided.
  explicit SessionLanguage(std::string_view configured) {
    if (configured != "auto") language_ = configured;
    is_automatic_ = language_.empty();
  }

  /// Empty while it is undecided.
  const std::string& language() const { return language_; }

  bool is_automatic() const { return is_automatic_; }
  bool is_undecided() const { return language_.empty(); }

  /// Takes the language of the next text that has words and can be trusted. True where it decided.
  bool add(std::string_view language) {
    if (!is_undecided() || language.empty()) return false;
    if (previous_ == language) language_ = language;
    previous_ = language;
    return !is_undecided();
  }

  /// It was decided before, as a journal says.
  void decide(std::string_view language) {
    if (is_automatic_) language_ = language;
  }

 private:
  std::string language_;
  std::string previous_;
  bool is_automatic_{};
};

}  // namespace dictum::recorder
