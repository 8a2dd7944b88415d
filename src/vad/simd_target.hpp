#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dictum::vad {

/// A kind of vector unit. Each kernel of this module is compiled once for each kind.
struct SIMDTarget {
  std::string name;        ///< as Highway names it: "AVX2"
  std::size_t position{};  ///< of its kernels in their tables (DICTUM_KERNELS)
};

/// The kind that the kernels use on this machine, as Highway names it. Safe from any thread.
std::string simd_target();

/// The position of its kernels. The first call asks the processor which is the best that it has. Highway would choose
/// as well, but only by its shared library, which measures a clock for 6 ms at the start of every process. Safe from
/// any thread.
std::size_t chosen_kernels();

/// Every kind that this machine has and the kernels are compiled for, the best one first.
std::vector<SIMDTarget> simd_targets();

/// For tests and benchmarks: from now on the kernels of this kind are used, in every thread.
void choose_kernels(const SIMDTarget& target);

}  // namespace dictum::vad

/// A kernel of the namespaces that Highway compiles, as a table of all its kinds; below `#if HWY_ONCE`:
///     constexpr decltype(&HWY_STATIC_DISPATCH(kernel)) kKernels[] = DICTUM_KERNELS(kernel);
///     kKernels[chosen_kernels()](arguments);
#define DICTUM_KERNELS(kernel) {HWY_CHOOSE_TARGET_LIST(kernel), HWY_CHOOSE_FALLBACK(kernel)}
