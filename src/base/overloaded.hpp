#pragma once

namespace dictum {

/// One function of several, for `std::visit`: the handler that fits an alternative best is called.
template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace dictum
