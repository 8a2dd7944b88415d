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

}  // namespace

std::u32string sound_of(std::string_view word) {
  std::u32string letters;
  for (std::size_t at = 0; at < word.size();) {
    const auto point = utf8::decode(word, at);
    letters += static_cast<char32_t>(point.value);
    at = point.next;
  }
  const std::size_t count = letters.size();
  const auto letter = [&](std::size_t i) { return i < count ? letters[i] : U'\0'; };

  std::u32string sounds;
  const auto add = [&](char32_t sound) {
    const bool glides = !sounds.empty() && is_vowel(sounds.back()) && is_vowel(sound);  // "ou", "ea": one sound
    if (sounds.empty() || (sounds.back() != sound && !glides)) sounds += sound;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const char32_t c = letters[i];
    const char32_t next = letter(i + 1);
    const bool soft = next == U'e' || next == U'i' || next == U'y';
    const bool behind_vowel = !sounds.empty() && is_vowel(sounds.back());
    switch (c) {
      case U'c':
        if (next == U'h') {
          add(U'S');
          ++i;
        } else {
          add(soft ? U's' : U'k');
        }
        break;
      case U's':
        if (next == U'h') {
          add(U'S');
          ++i;
        } else {
          add(U's');
        }
        break;
      case U't':
        if (next == U'h') {
          add(U'T');
          ++i;
        } else {
          add(U't');
        }
        break;
      case U'p':
        if (next == U'h') {
          add(U'f');
          ++i;
        } else {
          add(U'p');
        }
        break;
      case U'g':
        if (next == U'h') {
          if (i == 0) add(U'g');  // "ghost"; silent in "night"
          ++i;
        } else if (letter(i - 1) != U'n' || i + 1 != count) {  // "recording" ends in one sound
          add(next == U'e' ? U'J' : U'g');
        }
        break;
      case U'k':
        if (i != 0 || next != U'n') add(U'k');
        break;
      case U'w':
        if (i == 0 && next == U'r') break;
        if (!behind_vowel) add(U'w');
        break;
      case U'h':
        if (sounds.empty()) add(U'h');
        break;
      case U'y':
        add(sounds.empty() ? U'j' : U'i');
        break;
      case U'j':
        add(U'J');
        break;
      case U'q':
        add(U'k');
        break;
      case U'x':
        add(U'k');
        add(U's');
        break;
      case U'e':
        // Silent at the end of "note", but not of "the".
        if (i + 1 != count || behind_vowel || std::none_of(sounds.begin(), sounds.end(), is_vowel)) add(U'e');
        break;
      default:
        add(c);
    }
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
