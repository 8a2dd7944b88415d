#include "audio/sound_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

#include "audio/byte_input.hpp"
#include "audio/decoder_process.hpp"
#include "audio/libsndfile_reader.hpp"
#include "audio/pcm_reader.hpp"
#include "dictum/error.hpp"

namespace dictum::audio {

namespace {

using std::chrono::milliseconds;

[[noreturn]] void refuse(const std::string& name, std::string_view what) {
  throw RecorderError(Errc::input_unreadable, fmt::format("{} {}", name, what));
}

bool holds(std::span<const std::byte> bytes, std::size_t at, std::string_view text) {
  return bytes.size() >= at + text.size() && std::memcmp(bytes.data() + at, text.data(), text.size()) == 0;
}

/// Whether the first bytes are those of a kind that a decoder may know. A pipe is asked for no more before it is
/// refused: its writer may keep it open.
bool begins_compressed_sound(std::span<const std::byte> bytes) {
  using namespace std::string_view_literals;
  for (const std::string_view mark : {"ID3"sv,
                                      "fLaC"sv,
                                      "OggS"sv,
                                      "\x1A\x45\xDF\xA3"sv,
                                      "#!AMR"sv,
                                      "RIFF"sv,
                                      "RIFX"sv,
                                      "RF64"sv,
                                      "BW64"sv,
                                      "FORM"sv,
                                      ".snd"sv,
                                      "caff"sv,
                                      "riff"sv,
                                      "\x30\x26\xB2\x75"sv,
                                      "FLV"sv,
                                      "wvpk"sv,
                                      "MAC "sv,
                                      "TTA1"sv,
                                      "MPCK"sv,
                                      "MP+"sv,
                                      "\0\0\1\xBA"sv,
                                      "\x0B\x77"sv,
                                      "\x7F\xFE\x80\x01"sv,
                                      ".RMF"sv,
                                      "\x47\x40"sv}) {
    if (holds(bytes, 0, mark)) return true;
  }
  for (const std::string_view box : {"ftyp"sv, "moov"sv, "mdat"sv, "wide"sv, "free"sv, "skip"sv}) {
    if (holds(bytes, 4, box)) return true;
  }
  // The beginning of a frame of MPEG audio: MP3 and AAC.
  return bytes.size() >= 2 && bytes[0] == std::byte{0xFF} && (bytes[1] & std::byte{0xE0}) == std::byte{0xE0} &&
         bytes[1] != std::byte{0xFF};
}

/// Receives the first bytes of `input` and no more than its header.
class Opening {
 public:
  Opening(UniqueFD fd, const std::string& name, milliseconds deadline)
      : input_(std::move(fd)), name_(name), deadline_(deadline) {}

  std::unique_ptr<SampleReader> open(const std::optional<RawFormat>& raw) {
    receive(12);
    if (input_.bytes().empty()) refuse(name_, "ended before any audio came: check the program that writes to it.");
    if (raw && !begins_pcm_container(input_.bytes())) {
      const PCMHeader header{.container = PCMContainer::raw,
                             .format = raw->audio,
                             .sample = raw->sample,
                             .frame_bytes = size_of(raw->sample) * static_cast<std::size_t>(raw->audio.channels)};
      return std::make_unique<PCMReader>(std::move(input_), header, name_);
    }
    for (;;) {
      const PCMHeaderResult result = parse();
      if (const auto* needs = std::get_if<NeedsBytes>(&result)) {
        if (input_.has_ended()) {
          refuse(name_,
                 "is not a sound file that can be read: it ended before any audio, in the middle of its header.");
        }
        receive(needs->count);
      } else if (const auto* header = std::get_if<PCMHeader>(&result)) {
        input_.consume(header->audio_begin);
        return std::make_unique<PCMReader>(std::move(input_), *header, name_);
      } else {
        return decode();
      }
    }
  }

 private:
  PCMHeaderResult parse() const {
    try {
      return parse_pcm_header(input_.bytes());
    } catch (const RecorderError& error) {
      throw RecorderError(error.code(), fmt::format("{}: {}", name_, error.what()));
    }
  }

  void receive(std::size_t count) {
    const auto begin = std::chrono::steady_clock::now();
    while (input_.bytes().size() < count && !input_.has_ended()) {
      const auto waited = std::chrono::floor<milliseconds>(std::chrono::steady_clock::now() - begin);
      if (input_.receive(std::max(deadline_ - waited, milliseconds(0)), count - input_.bytes().size()) ==
              ByteInput::Arrival::nothing &&
          waited >= deadline_) {
        throw RecorderError(Errc::timed_out, fmt::format("{}: no audio came within {} ms: check the program that "
                                                         "writes to it.",
                                                         name_, deadline_.count()));
      }
    }
    if (const int error = input_.error()) {
      refuse(name_, fmt::format("cannot be read: {}.", std::generic_category().message(error)));
    }
  }

  std::unique_ptr<SampleReader> decode() {
    constexpr std::size_t kMaxTaken = 32 * 1024;  // fits an argument of a program
    const auto program = find_decoder();
    if (input_.is_regular()) {
      input_.seek(0);
      if (!program) return std::make_unique<LibsndfileReader>(input_.release(), name_);
      return std::make_unique<DecoderProcess>(*program, input_.release(), std::span<const std::byte>(), name_,
                                              deadline_);
    }
    if (!program) {
      refuse(name_,
             "is not a WAV, and the program dictum-decoder, which reads other kinds of sound, is not installed: "
             "send WAV, or say which raw format it has.");
    }
    if (!begins_compressed_sound(input_.bytes())) {
      refuse(
          name_,
          "is not a sound file that can be read: it begins as no kind of sound file does. Send WAV or another kind of "
          "sound file, or say which raw format it has.");
    }
    const std::vector<std::byte> taken(input_.bytes().begin(), input_.bytes().end());
    if (taken.size() > kMaxTaken) refuse(name_, "has compressed audio behind a long header: send it as a file.");
    return std::make_unique<DecoderProcess>(*program, input_.release(), taken, name_, deadline_);
  }

  ByteInput input_;
  const std::string& name_;
  const milliseconds deadline_;
};

}  // namespace

SoundInput::SoundInput(UniqueFD fd, std::string name, std::optional<RawFormat> raw, milliseconds deadline)
    : name_(std::move(name)), reader_(Opening(std::move(fd), name_, deadline).open(raw)) {}

SoundInput::Step SoundInput::read(std::span<float> interleaved) {
  const Step step = reader_->read(interleaved);
  for (float& sample : interleaved.first(step.frames * static_cast<std::size_t>(format().channels))) {
    if (std::isfinite(sample)) continue;
    sample = 0;
    ++repaired_samples_;
  }
  for (std::string& notice : reader_->take_notices()) notices_.push_back(std::move(notice));
  if (step.state == State::over && !std::exchange(is_over_, true) && repaired_samples_ > 0) {
    notices_.push_back(
        fmt::format("{} holds {} samples that are no numbers: they were taken as silence.", name_, repaired_samples_));
  }
  return step;
}

std::optional<std::string> SoundInput::take_notice() {
  if (notices_.empty()) return std::nullopt;
  std::string notice = std::move(notices_.front());
  notices_.pop_front();
  return notice;
}

}  // namespace dictum::audio
