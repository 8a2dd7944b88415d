#pragma once

namespace dictum {

#if defined(__has_feature)
#define DICTUM_SANITIZED_FOR(what) __has_feature(what)
#else
#define DICTUM_SANITIZED_FOR(what) 0
#endif

inline constexpr bool kThreadSanitized =
#if defined(__SANITIZE_THREAD__) || DICTUM_SANITIZED_FOR(thread_sanitizer)
    true;
#else
    false;
#endif

/// Whether this is a build for AddressSanitizer or ThreadSanitizer, whose memory is counted in another way: terabytes
/// of it are reserved, and what was freed is kept.
inline constexpr bool kSanitized =
#if defined(__SANITIZE_ADDRESS__) || DICTUM_SANITIZED_FOR(address_sanitizer)
    true;
#else
    kThreadSanitized;
#endif

#undef DICTUM_SANITIZED_FOR

}  // namespace dictum
