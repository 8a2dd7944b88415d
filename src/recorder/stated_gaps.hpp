#pragma once

#include <iterator>
#include <map>
#include <vector>

#include "dictum/frame.hpp"

namespace dictum::recorder {

/// Which frames of the timeline are in a gap already, so that none is stated twice: what the disk lost of a segment may
/// hold a short gap of the device, which the segment bridged.
///
/// Threads: none of its own. Owner: the stage that states the gaps.
class StatedGaps {
 public:
  struct Piece {
    Frame start{};
    Frame frames{};
    bool operator==(const Piece&) const = default;
  };

  /// States a gap: returns the parts of it that were in none before, in their order.
  std::vector<Piece> add(Frame start, Frame frames) {
    std::vector<Piece> fresh;
    const Frame end = start + frames;
    Frame at = start;
    auto next = ends_.upper_bound(start);
    if (next != ends_.begin() && std::prev(next)->second > start) --next;
    for (; at < end && next != ends_.end() && next->first < end; ++next) {
      if (at < next->first) fresh.push_back({at, next->first - at});
      at = next->second > at ? next->second : at;
    }
    if (at < end) fresh.push_back({at, end - at});
    for (const Piece& piece : fresh) ends_.emplace(piece.start, piece.start + piece.frames);
    return fresh;
  }

  /// Nothing that begins before `frame` will be stated any more.
  void forget_before(Frame frame) {
    while (!ends_.empty() && ends_.begin()->second <= frame) ends_.erase(ends_.begin());
  }

 private:
  std::map<Frame, Frame> ends_;  // of each gap, by its start; they do not overlap
};

}  // namespace dictum::recorder
