// dictum-worker-nats: has the workers of other machines transcribe, through NATS JetStream (docs/cluster.md). Sends
// audio to other machines.
//
//   DICTUM_NATS_URL          the servers, separated by commas
//   DICTUM_NATS_CREDENTIALS  a file with NATS credentials, an nkey seed, USER:PASSWORD or a token
//   DICTUM_NATS_TLS_CA, DICTUM_NATS_TLS_CERT, DICTUM_NATS_TLS_KEY  certificates
//   DICTUM_NATS_QUEUE        which workers take the jobs; otherwise those of the model, or of the queue "default"
//   --model MODEL            the model that the workers are to have

#include "base/xdg.hpp"
#include "cluster/names.hpp"
#include "cluster/remote_transcriber.hpp"
#include "transcription/worker_main.hpp"
#include "worker_options.hpp"

namespace dictum::workers {
namespace {

cluster::RemoteTranscriber::Settings settings(const WorkerOptions& options) {
  cluster::RemoteTranscriber::Settings made;
  made.nats = cluster::NATSSettings::from_environment();
  made.model = options.model;
  made.queue = cluster::queue_of_recorder(environment("DICTUM_NATS_QUEUE"), options.model);
  return made;
}

/// Lives on the worker's main thread. One that waits for other machines costs little: there are as many as there are
/// jobs to be under way at a time.
class NATSWorker final : public transcription::WorkerEngine {
 public:
  explicit NATSWorker(const WorkerOptions& options) : model_(options.model), transcriber_(settings(options)) {}

  transcription::Hello describe() const override {
    transcription::Hello hello;
    hello.engine = "cluster at " + transcriber_.servers();
    hello.model = model_;
    hello.abilities = {"words", "phrases", "partials", "vocabulary", std::string(transcription::kRemote)};
    return hello;
  }

  transcription::Result transcribe(const transcription::Job& job, std::stop_token cancelled,
                                   transcription::JobSink& sink) override {
    return transcriber_.transcribe(job, cancelled, sink);
  }

 private:
  const std::string model_;
  cluster::RemoteTranscriber transcriber_;
};

}  // namespace
}  // namespace dictum::workers

int main(int argc, char** argv) {
  const auto options = dictum::workers::parse_options(argc, argv);
  if (!options) return 2;
  return dictum::transcription::run_worker([&] { return std::make_unique<dictum::workers::NATSWorker>(*options); });
}
