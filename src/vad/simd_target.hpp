#pragma once

#include <string>

namespace dictum::vad {

/// The kind of vector unit that the kernels of this module use on this machine, as Highway names it. Safe from any
/// thread.
std::string simd_target();

}  // namespace dictum::vad
