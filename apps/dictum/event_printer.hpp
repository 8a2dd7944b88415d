#pragma once

#include <cstdio>
#include <string>

#include "dictum/event.hpp"

namespace dictum::program {

/// Whether something was not, or may not have been, written: the command has failed then, though it went on.
bool leaves_something_undone(const RecorderFault& fault);

/// Prints the events of `record`, `resume`, `retranscribe` and `resegment`: as JSON, or for a person, text as it comes,
/// and on a terminal a status line with the state, a level meter or a progress bar, and what is being said. Lives on
/// the delivery thread. A stream that cannot be written is found by `flush_output`.
class EventPrinter {
 public:
  struct Settings {
    int sample_rate = 0;     ///< of a file; 0 where it is not known yet
    Frame total_frames = 0;  ///< of a file; 0: live
    bool is_terminal = false;
    bool json = false;         ///< an event a line, and nothing else
    bool live_events = false;  ///< with `json`: the ephemeral ones too
  };
  explicit EventPrinter(Settings settings) : settings_(settings) {}

  void print(const Event& event);

  /// Removes the status line.
  void clear();

  /// Whether something of the work was not done: a text failed, or a fault left something undone.
  bool has_failed() const { return has_failed_; }

  /// Whether texts were still to come when the waiting for them ended. A recording leaves them to the next start; a
  /// command whose work they are has not done it.
  bool has_left_texts() const { return has_left_texts_; }

 private:
  void print_text(const Event& event);
  void print_line(const std::string& text);
  void draw();

  const Settings settings_;
  bool drawn_ = false;
  std::string state_ = "starting";
  Frame frame_ = 0;
  double session_start_ = 0;
  double now_ = 0;
  double level_ = -120;
  double probability_ = 0;
  std::size_t queued_ = 0;
  bool has_failed_ = false;
  bool has_left_texts_ = false;
  std::string partial_;
};

}  // namespace dictum::program
