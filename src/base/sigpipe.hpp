#pragma once

namespace dictum {

/// From now on a write of the calling thread whose reader is gone fails with EPIPE, and does not end the process
/// (SIGPIPE). For threads of ours that write to pipes: what the process as a whole does is its host's to decide.
void block_sigpipe() noexcept;

}  // namespace dictum
