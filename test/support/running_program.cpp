#include "support/running_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace dictum::test {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::pair<UniqueFD, UniqueFD> make_pipe() {  // reading end, writing end
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  return {UniqueFD(ends[0]), UniqueFD(ends[1])};
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (!changes.contains(std::string(text.substr(0, text.find('='))))) all.emplace_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) all.push_back(fmt::format("{}={}", name, value));
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Appends what is there to read; false once nothing will come any more.
bool collect(const UniqueFD& fd, std::string& text) {
  char buffer[65536];
  const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
  if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

RunningProgram::RunningProgram(ProgramSettings settings)
    : keeps_input_open_(settings.keeps_input_open), to_feed_(std::move(settings.input)) {
  auto [input_end, input] = make_pipe();
  auto [output, output_end] = make_pipe();
  auto [error, error_end] = make_pipe();
  if (settings.output) output_end = UniqueFD(::open(settings.output->c_str(), O_WRONLY | O_CLOEXEC));
  ::signal(SIGPIPE, SIG_IGN);  // a program that ends before it has read everything

  std::vector<std::string> arguments = settings.arguments;
  arguments.insert(arguments.begin(), settings.executable.string());
  const std::vector<char*> argv = pointers(arguments);
  std::vector<std::string> environment = environment_with(settings.environment);
  const std::vector<char*> envp = pointers(environment);

  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {  // nothing but system calls from here on
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(input_end.get(), STDIN_FILENO);
    ::dup2(output_end.get(), STDOUT_FILENO);
    ::dup2(error_end.get(), STDERR_FILENO);
    if (settings.file_size_limit) {
      const rlimit limit{*settings.file_size_limit, *settings.file_size_limit};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  input_ = std::move(input);
  output_ = std::move(output);
  error_ = std::move(error);
  for (const UniqueFD* fd : {&input_, &output_, &error_}) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
}

RunningProgram::~RunningProgram() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  end();
}

void RunningProgram::send(int signal) const {
  if (pid_ < 0 || ::kill(pid_, signal) != 0) throw std::runtime_error("the program has ended before the signal came");
}

void RunningProgram::wait_for_output(std::string_view text, int count) {
  const auto is_there = [&] {
    int found = 0;
    for (auto at = result_.out.find(text); at != std::string::npos; at = result_.out.find(text, at + text.size()))
      ++found;
    return found >= count;
  };
  talk_until(is_there, kPatience, text);
  if (!is_there()) throw std::runtime_error(fmt::format("no '{}' in: {}{}", text, result_.out, result_.err));
}

ProgramResult RunningProgram::wait(std::chrono::milliseconds within) {
  talk_until([] { return false; }, within, "the end");
  end();
  return std::move(result_);
}

// Until `enough`, or until the program has closed both its outputs, as it does at its end.
void RunningProgram::talk_until(const std::function<bool()>& enough, std::chrono::milliseconds within,
                                std::string_view what) {
  const auto deadline = Clock::now() + within;
  while (!enough() && (output_ || error_)) {
    if (to_feed_.empty() && !keeps_input_open_) input_.reset();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd fds[] = {
        {output_.get(), POLLIN, 0}, {error_.get(), POLLIN, 0}, {to_feed_.empty() ? -1 : input_.get(), POLLOUT, 0}};
    if (left <= 0 || ::poll(fds, 3, static_cast<int>(left)) == 0) {
      throw std::runtime_error(fmt::format("waited in vain for '{}'; output:\n{}\nerrors:\n{}", what,
                                           result_.out.substr(0, 10000), result_.err.substr(0, 10000)));
    }
    if (fds[0].revents != 0 && !collect(output_, result_.out)) output_.reset();
    if (fds[1].revents != 0 && !collect(error_, result_.err)) error_.reset();
    if (fds[2].revents != 0) feed_some();
  }
}

void RunningProgram::feed_some() {
  const ssize_t written = ::write(input_.get(), to_feed_.data(), to_feed_.size());
  if (written > 0) {
    to_feed_.erase(0, static_cast<std::size_t>(written));
  } else if (errno != EAGAIN && errno != EINTR) {  // it does not want any more
    to_feed_.clear();
    input_.reset();
  }
}

void RunningProgram::end() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
}

ProgramResult run_program(ProgramSettings settings, std::chrono::milliseconds within) {
  return RunningProgram(std::move(settings)).wait(within);
}

}  // namespace dictum::test
