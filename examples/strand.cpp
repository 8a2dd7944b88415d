// An application whose state belongs to a strand: the recorder's callbacks and the results of its operations come on
// that strand, so what they touch needs no lock, though several threads run the loop.
//
//   example_strand FILE FOLDER

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <dictum/async_recorder_backend.hpp>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;

/// What the application knows of its recording. Lives on `strand`: every method is called there.
class Dictation {
 public:
  Dictation(asio::io_context& loop, const dictum::RecorderConfig& config)
      : guard_(asio::make_work_guard(loop)),
        backend_(asio::make_strand(loop), config, [this](const dictum::Event& event) { on_event(event); }) {}

  auto strand() const { return backend_.get_executor(); }

  void start() {
    backend_.start_recording([this](boost::system::error_code error) {  // on the strand
      if (error) end(backend_.last_error());
    });
  }

  const std::vector<std::string>& texts() const { return texts_; }
  const std::string& failure() const { return failure_; }

 private:
  void on_event(const dictum::Event& event) {
    if (auto* text = std::get_if<dictum::TranscriptionComplete>(&event.body)) texts_.push_back(text->text);
    if (auto* now = std::get_if<dictum::RecordingStateChanged>(&event.body); now && !now->is_recording) {
      backend_.stop_recording([this](boost::system::error_code error) {  // waits for the texts that are still to come
        end(error ? backend_.last_error() : "");
      });
    }
  }

  void end(std::string failure) {
    failure_ = std::move(failure);
    guard_.reset();  // a recording alone does not keep the loop running
  }

  std::vector<std::string> texts_;
  std::string failure_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  dictum::AsyncRecorderBackend backend_;
};

int main(int count, char** arguments) {
  if (count != 3) return 2;
  dictum::RecorderConfig config;
  config.capture.input = arguments[1];
  config.capture.pace = "fast";
  config.session.root = arguments[2];

  asio::io_context loop;
  Dictation dictation(loop, config);
  asio::post(dictation.strand(), [&] { dictation.start(); });
  std::thread second([&] { loop.run(); });
  loop.run();
  second.join();

  for (const std::string& text : dictation.texts()) std::cout << text << '\n';
  if (!dictation.failure().empty()) std::cerr << dictation.failure() << std::endl;
  return dictation.failure().empty() ? 0 : 1;
}
