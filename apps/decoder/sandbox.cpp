#include "sandbox.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <iterator>

#include "base/sanitized.hpp"

namespace dictum::decoder {

namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned kArchitecture = 0;
#endif

constexpr int kAllowed[] = {SYS_read,
                            SYS_write,
                            SYS_pread64,
                            SYS_lseek,
                            SYS_fstat,
                            SYS_close,
                            SYS_newfstatat,
                            SYS_fcntl,
                            SYS_mmap,
                            SYS_munmap,
                            SYS_mremap,
                            SYS_madvise,
                            SYS_brk,
                            SYS_futex,
                            SYS_clock_gettime,
                            SYS_gettimeofday,
                            SYS_getrandom,
                            SYS_rt_sigreturn,
                            SYS_exit,
                            SYS_exit_group,
                            SYS_getpid,
                            SYS_gettid,
                            SYS_rt_sigprocmask,
                            SYS_tgkill,
                            SYS_restart_syscall,
                            SYS_sched_getaffinity,
                            SYS_mprotect};

}  // namespace

void enter_sandbox() noexcept {
  if constexpr (kSanitized || kArchitecture == 0) return;
  constexpr std::size_t count = std::size(kAllowed);
  sock_filter filter[count + 6];
  std::size_t n = 0;
  filter[n++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  filter[n++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  filter[n++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  filter[n++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (std::size_t i = 0; i < count; ++i) {  // from each to the last instruction
    filter[n++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(kAllowed[i]),
                           static_cast<unsigned char>(count - i), 0);
  }
  filter[n++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  filter[n++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program{.len = static_cast<unsigned short>(n), .filter = filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

}  // namespace dictum::decoder
