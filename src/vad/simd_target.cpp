#include "vad/simd_target.hpp"

// As in the kernels (stft.cpp), so that the kinds are theirs.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#include <hwy/highway.h>
#if HWY_ARCH_ARM_A64
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>

namespace dictum::vad {
namespace {

/// Whether this machine has every instruction that the kernels of a kind are compiled with: those that Highway 1.0
/// gives the compiler (hwy/ops/set_macros-inl.h), which are the ones that its own choice asks for.
bool is_here(std::int64_t target) {
  if (target == HWY_STATIC_TARGET) return true;
#if HWY_ARCH_X86
  const bool ssse3 = __builtin_cpu_supports("ssse3");
  const bool sse4 = ssse3 && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
                    __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
                    __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("f16c");
  const bool avx3 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd");
  if (target == HWY_AVX3) return avx3;
  if (target == HWY_AVX2) return avx2;
  if (target == HWY_SSE4) return sse4;
  return target == HWY_SSSE3 && ssse3;
#elif HWY_ARCH_ARM_A64
  return target == HWY_NEON && (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

/// Where DICTUM_KERNELS has the kernels of a kind.
std::size_t position_of(std::int64_t target) {
  constexpr int kFirstBit = HWY_HIGHEST_TARGET_BIT + 1 - HWY_MAX_DYNAMIC_TARGETS;
  constexpr std::size_t kLast = HWY_MAX_DYNAMIC_TARGETS;  // what is compiled for every machine of this kind
  const int bit = std::countr_zero(static_cast<std::uint64_t>(target));
  return bit > HWY_HIGHEST_TARGET_BIT ? kLast : static_cast<std::size_t>(bit - kFirstBit);
}

std::atomic<std::size_t>& chosen() {
  static std::atomic<std::size_t> position(simd_targets().front().position);
  return position;
}

}  // namespace

std::vector<SIMDTarget> simd_targets() {
  std::vector<SIMDTarget> found;
  for (std::int64_t left = HWY_TARGETS; left != 0; left &= left - 1) {
    const std::int64_t target = left & -left;  // a lower bit is a better kind
    if (is_here(target)) found.push_back({hwy::TargetName(target), position_of(target)});
  }
  return found;
}

std::string simd_target() {
  const auto all = simd_targets();
  return std::ranges::find(all, chosen_kernels(), &SIMDTarget::position)->name;
}

std::size_t chosen_kernels() {
  return chosen().load(std::memory_order_relaxed);
}

void choose_kernels(const SIMDTarget& target) {
  chosen().store(target.position, std::memory_order_relaxed);
}

}  // namespace dictum::vad
