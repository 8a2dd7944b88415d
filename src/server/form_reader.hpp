#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dictum::server {

/// Takes a form (RFC 7578, `multipart/form-data`) apart while it arrives, in pieces of any size. Any bytes may come; no
/// more of them than one header of a part and one piece are in memory.
///
/// Thread: one at a time. Owner: the form that is being read.
class FormReader {
 public:
  static constexpr std::size_t kMaxParts = 128;
  static constexpr std::size_t kMaxPartHeader = 4096;  ///< bytes

  /// What the parts are given to, in order: `begin`, `content` any number of times, `end`. What one throws ends the
  /// reading.
  class Parts {
   public:
    virtual ~Parts() = default;
    virtual void begin(std::string name, std::string file_name) = 0;
    virtual void content(std::string_view bytes) = 0;
    virtual void end() = 0;
  };

  /// `content_type` names the boundary. Throws RecorderError(invalid_argument) where it does not. `parts` outlives
  /// this.
  FormReader(std::string_view content_type, Parts& parts);

  /// The next bytes. Throws RecorderError(invalid_argument) that says what is wrong with the form.
  void take(std::string_view bytes);

  /// There are no more. Throws RecorderError(invalid_argument) where the form has no end.
  void finish() const;

 private:
  enum class State { preamble, behind_boundary, header, content, epilogue };

  bool step();
  bool read_content();
  void begin_part(std::string_view header);

  Parts& parts_;
  std::string delimiter_;
  State state_ = State::preamble;
  std::string pending_ = "\r\n";  // the first boundary has no line before it
  std::size_t count_ = 0;
};

}  // namespace dictum::server
