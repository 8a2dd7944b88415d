// Stands for a recorder: keeps workers busy, prints "ready" and waits to be killed.
//
//   worker_host WORKERS [fork]     with "fork", a copy of itself that was forked lives on after it

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "processes.hpp"
#include "support/given_job.hpp"
#include "transcription/worker_pool.hpp"

int main(int argc, char** argv) {
  using namespace dictum;
  using namespace dictum::transcription;
  boost::asio::io_context io;
  WorkerPoolSettings settings;
  settings.name = "simulated";
  settings.executable = programs() / "dictum-worker-simulated";
  settings.guard = programs() / "dictum-guard";
  settings.workers = argc > 1 ? std::atoi(argv[1]) : 1;
  WorkerPool pool(io.get_executor(), settings, std::make_shared<SystemClock>(), {});

  int answered = 0;
  for (int segment = 0; segment < settings.workers; ++segment) {
    TranscriptionJob job;
    job.session = "session";
    job.segment_index = static_cast<std::uint32_t>(segment);
    job.wav_path = "/nowhere.wav";
    test::transcribe(pool, job, [&](const TranscriptionOutcome&) {
      if (++answered == settings.workers) io.stop();
    });
  }
  // Started by a thread that does not live to see the jobs' end.
  std::thread([&] { io.run(); }).join();
  if (argc > 2 && ::fork() == 0) {
    for (;;) ::pause();
  }
  std::puts("ready");
  std::fflush(stdout);
  for (;;) ::pause();
}
