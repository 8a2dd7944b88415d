#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dictum {

/// The word that takes the fewest edits (Levenshtein distance) to become `wanted`; the first of several; empty where
/// there are no words. For messages that name what somebody probably meant.
std::string nearest(std::string_view wanted, const std::vector<std::string>& words);

/// The same, but empty where so much differs that somebody hardly meant it: more than a third of the letters, and more
/// than two.
std::string near(std::string_view wanted, const std::vector<std::string>& words);

}  // namespace dictum
