#pragma once

#include <limits>
#include <string>
#include <string_view>

namespace dictum::notes {

/// Roughly how a normalised word, or several written together, is pronounced: one letter a sound. Spelling rules of
/// English; letters beyond ASCII stand for themselves. Safe from any thread.
std::u32string sound_of(std::string_view word);

/// How differently two words sound, as a share of the longer one's sounds: 0 alike, up to about 1.5. A weighted edit
/// distance: vowels differ little from each other, as do consonants of one place of articulation (t and d); the first
/// sound weighs more, since recognisers rarely get it wrong. Where the distance is more than `limit`, infinity may be
/// returned.
double sound_distance(std::u32string_view a, std::u32string_view b,
                      double limit = std::numeric_limits<double>::infinity());

}  // namespace dictum::notes
