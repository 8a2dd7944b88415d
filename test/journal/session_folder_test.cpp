#include "journal/session_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "dictum/error.hpp"
#include "session/scribe.hpp"
#include "support/temporary_directory.hpp"

namespace dictum::journal {
namespace {

using test::content_of;
using test::TemporaryDirectory;
using test::write_file;
namespace fs = std::filesystem;

/// A session in which somebody has put everything that is no file of a session, and a file outside of it.
class HostileFolder : public testing::Test {
 protected:
  HostileFolder() {
    fs::create_directory(session_ / "notes");
    write_file(root_ / "victim", "mine");
    write_file(session_ / "file", "12345");
    write_file(session_ / "notes/inner", "inner");
    fs::create_symlink(root_ / "victim", session_ / "link");
    fs::create_symlink("../victim", session_ / "relative_link");
    fs::create_symlink(root_.path(), session_ / "link_to_folder");
    fs::create_symlink("/proc/self/exe", session_ / "magic_link");
    fs::create_hard_link(root_ / "victim", session_ / "second_name");
    ::mkfifo((session_ / "pipe").c_str(), 0600);
  }

  const TemporaryDirectory root_;
  const fs::path session_ = root_ / "session";
  const bool made_ = fs::create_directory(session_);
  const SessionFolder folder_{session_};
};

constexpr std::array kHostileNames = {"link",
                                      "relative_link",
                                      "magic_link",
                                      "link_to_folder/victim",
                                      "notes",
                                      "pipe",
                                      "../victim",
                                      "/etc/passwd",
                                      "notes/../../victim",
                                      "",
                                      "missing",
                                      "link_to_folder/missing"};

TEST_F(HostileFolder, GivesItsOwnFiles) {
  EXPECT_EQ(folder_.read("file", 5), "12345");
  EXPECT_EQ(folder_.read("notes/inner", 5), "inner");
}

TEST_F(HostileFolder, GivesNothingElseToAReader) {
  for (const char* name : kHostileNames) {
    EXPECT_FALSE(folder_.try_open(name, O_RDONLY)) << name;
    EXPECT_THROW(folder_.read(name, 100), RecorderError) << name;
  }
}

TEST_F(HostileFolder, GivesNothingElseToAWriter) {
  for (const char* name : kHostileNames) EXPECT_FALSE(folder_.try_open(name, O_WRONLY | O_TRUNC)) << name;
  EXPECT_EQ(content_of(root_ / "victim"), "mine");
}

TEST_F(HostileFolder, DoesNotWriteToAFileThatHasASecondName) {
  EXPECT_FALSE(folder_.try_open("second_name", O_WRONLY));
  EXPECT_EQ(errno, EMLINK);
  EXPECT_TRUE(folder_.try_open("second_name", O_RDONLY));
}

TEST_F(HostileFolder, MakesNoFileBehindALink) {
  EXPECT_FALSE(folder_.try_open("link_to_folder/made", O_WRONLY | O_CREAT));
  EXPECT_THROW(folder_.make_folder("link_to_folder/made"), RecorderError);
  EXPECT_THROW(folder_.rename("file", "link_to_folder/made"), RecorderError);
  EXPECT_FALSE(fs::exists(root_ / "made"));
}

TEST_F(HostileFolder, RemovesTheLinkAndNotWhereItLeads) {
  EXPECT_TRUE(folder_.remove("link"));
  EXPECT_FALSE(folder_.remove("link_to_folder/victim"));
  EXPECT_FALSE(folder_.remove("../victim"));
  EXPECT_EQ(content_of(root_ / "victim"), "mine");
  EXPECT_FALSE(folder_.has("link"));
}

TEST_F(HostileFolder, RefusesAFileThatIsTooLarge) {
  EXPECT_THROW(folder_.read("file", 4), RecorderError);
}

TEST_F(HostileFolder, ReadsNoFileThatWasMadeLargeWithoutBeingWritten) {
  constexpr std::size_t kLimit = std::size_t{1} << 30;
  fs::resize_file(session_ / "file", std::uintmax_t{256} << 20);
  try {
    folder_.read("file", kLimit);
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a part of it was never written"));
  }
  fs::resize_file(session_ / "file", std::uintmax_t{1} << 20);
  EXPECT_EQ(folder_.read("file", kLimit).size(), std::size_t{1} << 20) << "zeros that a file system keeps as a hole";
}

TEST_F(HostileFolder, SaysWhatIsWrongAndWhatToDo) {
  try {
    folder_.open("link", O_RDONLY);
    FAIL();
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), Errc::session_unreadable);
    EXPECT_EQ(std::string(error.what()),
              "'" + (session_ / "link").string() + "' is not used: it is a link. Move it away.");
  }
}

TEST_F(HostileFolder, MakesPrivateFiles) {
  folder_.open("made", O_WRONLY | O_CREAT);
  EXPECT_EQ(fs::status(session_ / "made").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(HostileFolder, IsPrivateUntilOthersMayWrite) {
  fs::permissions(session_, fs::perms::owner_all);
  EXPECT_TRUE(folder_.is_private());
  fs::permissions(session_, fs::perms::owner_all | fs::perms::others_write);
  EXPECT_FALSE(folder_.is_private());
}

/// From here on, openat2 answers as a kernel that does not know it.
bool forbid_openat2() {
  std::array<sock_filter, 4> filter = {
      sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))),
      sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1)),
      sock_filter(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)),
      sock_filter(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)),
  };
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(HostileFolder, IsAsSafeOnAKernelWithoutOpenat2) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!forbid_openat2()) ::_exit(2);
    bool right = folder_.try_open("file", O_RDONLY) && folder_.try_open("notes/inner", O_RDWR) &&
                 !folder_.try_open("link_to_folder/made", O_WRONLY | O_CREAT);
    for (const char* name : kHostileNames) {
      right = right && !folder_.try_open(name, O_RDONLY) && !folder_.try_open(name, O_WRONLY | O_TRUNC);
    }
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "This system allows no seccomp filter.";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(content_of(root_ / "victim"), "mine");
}

TEST(SessionFolder, ThatIsNotThereIsAnError) {
  EXPECT_THROW(SessionFolder("/nonexistent/session"), RecorderError);
}

}  // namespace
}  // namespace dictum::journal
