#include "notes/sound.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "base/utf8.hpp"

namespace dictum::notes {

namespace {

constexpr std::u32string_view kVowels = U"aeiou";

// Consonants of one place of articulation, which recognisers confuse. S stands for sh and ch, T for th, j for the sound
// in "you", J for the one in "job".
constexpr std::array<std::u32string_view, 8> kPlaces = {U"tdT", U"sz", U"SJs", U"fvT", U"kg", U"pb", U"mn", U"rlw"};

constexpr std::array<std::u32string_view, 5> kVoicingPairs = {U"td", U"sz", U"fv", U"kg", U"pb"};

constexpr unsigned kVowel = 1;  // in a mask of kinds; the places follow

constexpr auto kKinds = [] {
  std::array<unsigned, 128> kinds{};
  for (const char32_t vowel : kVowels) kinds[vowel] = kVowel;
  for (std::size_t place = 0; place < kPlaces.size(); ++place) {
    for (const char32_t consonant : kPlaces[place]) kinds[consonant] |= 2u << place;
  }
  return kinds;
}();

unsigned kinds_of(char32_t sound) {
  return sound < kKinds.size() ? kKinds[sound] : 0;
}
bool is_vowel(char32_t sound) {
  return kinds_of(sound) == kVowel;
}
bool is_faint(char32_t sound) {
  return is_vowel(sound) || sound == U'j' || sound == U'w' || sound == U'h';
}

/// Whether the two differ in voice only: "node" and "note".
bool is_voicing_pair(char32_t a, char32_t b) {
  return std::ranges::any_of(kVoicingPairs, [&](std::u32string_view pair) {
    return (pair[0] == a && pair[1] == b) || (pair[0] == b && pair[1] == a);
  });
}

double substitution(char32_t a, char32_t b) {
  if (a == b) return 0;
  if (is_voicing_pair(a, b)) return 0.3;
  if (const unsigned shared = kinds_of(a) & kinds_of(b)) return shared == kVowel ? 0.3 : 0.4;
  return is_vowel(a) == is_vowel(b) ? 1 : 1.2;
}

double omission(char32_t sound) {
  return is_faint(sound) ? 0.5 : 1;
}

constexpr double kFirstSoundWeight = 1.5;

/// Where in a word a spelling sounds like this.
enum class Where {
  anywhere,
  first,         // the first letter
  initial,       // before the first sound
  behind_vowel,  // the sound before it is a vowel
  ng_end,        // the last letter, behind an n: "recording" ends in one sound
  silent_end,    // the last letter, behind a consonant, in a word with a vowel: "note", but not "the"
};

/// What a letter, before certain others, sounds like.
struct Spelling {
  char32_t letter{};
  std::u32string_view next{};  // one of these follows; empty: anything or nothing
  Where where{};
  std::u32string_view sounds{};
  std::size_t letters = 1;  // that it takes

  bool applies(std::u32string_view word, std::size_t at, std::u32string_view before) const {
    if (word[at] != letter) return false;
    if (!next.empty() && (at + 1 == word.size() || next.find(word[at + 1]) == std::u32string_view::npos)) return false;
    const bool is_last = at + 1 == word.size();
    const bool is_behind_vowel = !before.empty() && is_vowel(before.back());
    switch (where) {
      case Where::anywhere:
        return true;
      case Where::first:
        return at == 0;
      case Where::initial:
        return before.empty();
      case Where::behind_vowel:
        return is_behind_vowel;
      case Where::ng_end:
        return is_last && at > 0 && word[at - 1] == U'n';
      case Where::silent_end:
        return is_last && !is_behind_vowel && std::ranges::any_of(before, is_vowel);
    }
    return false;
  }
};

// Of each letter the first that applies; a letter without one is its own sound.
constexpr std::array kSpellings = {
    Spelling{U'c', U"h", Where::anywhere, U"S", 2}, Spelling{U'c', U"eiy", Where::anywhere, U"s"},
    Spelling{U'c', U"", Where::anywhere, U"k"},     Spelling{U's', U"h", Where::anywhere, U"S", 2},
    Spelling{U't', U"h", Where::anywhere, U"T", 2}, Spelling{U'p', U"h", Where::anywhere, U"f", 2},
    Spelling{U'g', U"h", Where::first, U"g", 2},    // "ghost"
    Spelling{U'g', U"h", Where::anywhere, U"", 2},  // "night"
    Spelling{U'g', U"", Where::ng_end, U""},        Spelling{U'g', U"e", Where::anywhere, U"J"},
    Spelling{U'k', U"n", Where::first, U""},  // "know"
    Spelling{U'w', U"r", Where::first, U""},  // "write"
    Spelling{U'w', U"", Where::behind_vowel, U""},  Spelling{U'h', U"", Where::initial, U"h"},
    Spelling{U'h', U"", Where::anywhere, U""},      Spelling{U'y', U"", Where::initial, U"j"},
    Spelling{U'y', U"", Where::anywhere, U"i"},     Spelling{U'j', U"", Where::anywhere, U"J"},
    Spelling{U'q', U"", Where::anywhere, U"k"},     Spelling{U'x', U"", Where::anywhere, U"ks"},
    Spelling{U'e', U"", Where::silent_end, U""},
};

}  // namespace

std::u32string sound_of(std::string_view word) {
  std::u32string letters;
  for (std::size_t at = 0; at < word.size();) {
    const auto point = utf8::decode(word, at);
    letters += static_cast<char32_t>(point.value);
    at = point.next;
  }

  std::u32string sounds;
  for (std::size_t i = 0; i < letters.size();) {
    const auto spelling =
        std::ranges::find_if(kSpellings, [&](const Spelling& each) { return each.applies(letters, i, sounds); });
    const bool is_listed = spelling != kSpellings.end();
    for (const char32_t sound : is_listed ? spelling->sounds : std::u32string_view(letters).substr(i, 1)) {
      const bool glides = !sounds.empty() && is_vowel(sounds.back()) && is_vowel(sound);  // "ou", "ea": one sound
      if (sounds.empty() || (sounds.back() != sound && !glides)) sounds += sound;
    }
    i += is_listed ? spelling->letters : 1;
  }
  return sounds;
}

double sound_distance(std::u32string_view a, std::u32string_view b, double limit) {
  const std::size_t longest = std::max(a.size(), b.size());
  if (longest == 0) return 0;
  const auto weight = [](std::size_t position) { return position == 1 ? kFirstSoundWeight : 1; };
  // Vowels at the beginning are as easily lost as elsewhere ("anew", "new").
  const auto drop = [&](char32_t sound, std::size_t position) {
    return omission(sound) * (is_faint(sound) ? 1 : weight(position));
  };
  std::vector<double> row(b.size() + 1);
  for (std::size_t j = 1; j <= b.size(); ++j) row[j] = row[j - 1] + drop(b[j - 1], j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    double diagonal = row[0];
    row[0] += drop(a[i - 1], i);
    double least = row[0];
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const double both = diagonal + substitution(a[i - 1], b[j - 1]) *
                                         (is_vowel(a[i - 1]) && is_vowel(b[j - 1]) ? 1 : weight(std::max(i, j)));
      diagonal = row[j];
      row[j] = std::min({both, row[j] + drop(a[i - 1], i), row[j - 1] + drop(b[j - 1], j)});
      least = std::min(least, row[j]);
    }
    if (least > limit * static_cast<double>(longest)) return std::numeric_limits<double>::infinity();
  }
  return row[b.size()] / static_cast<double>(longest);
}

}  // namespace dictum::notes
