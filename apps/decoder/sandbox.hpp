#pragma once

namespace dictum::decoder {

/// Gives up what a decoder does not need, for good: new files, sockets, programs and processes. A hostile file that
/// takes over a decoder can compute and write to standard output, no more. Where the machine does not offer this, the
/// rest of the protection (a process of its own, a memory cap) remains.
void enter_sandbox() noexcept;

}  // namespace dictum::decoder
