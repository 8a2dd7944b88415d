// docs/inputs.md, line by line: every kind of sound file that people have, whole, cut off and joined, as a file and
// through a pipe. The files are made by ffmpeg and sox.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string_view>

#include "audio/decoder_process.hpp"
#include "audio/raw_format.hpp"
#include "sound_in_both_ways.hpp"
#include "support/sounds.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::audio {
namespace {

using test::read_both_ways;
using test::ReadSound;

/// What becomes of a file that was cut off in the middle.
enum class Cut {
  reported,  ///< read as far as it goes, with a notice
  silent,    ///< nothing in the file says how long it was meant to be
  refused    ///< unreadable without its end
};

/// What becomes of two files that were joined.
enum class Joined { both, padded /* with what the encoder added */, first /* and the second is reported */ };

struct Line {
  const char* name;
  const char* make;  ///< from $in (a WAV of 16 bits) to $out
  Cut cut = Cut::reported;
  Joined joined = Joined::both;
  double tolerance = 0;       ///< seconds
  const char* raw = nullptr;  ///< the format of a file that has no header
};

void PrintTo(const Line& line, std::ostream* out) {
  *out << line.name;
}

constexpr double kPadding = 0.13;  // what lossy encoders add at the ends of a file

constexpr Line raw(const char* name, const char* make, const char* format) {
  return {name, make, Cut::silent, Joined::both, 0, format};
}

std::vector<Line> lines() {
  return {
      {"WAV_U8", "sox $in -b 8 -e unsigned $out.wav"},
      {"WAV_S16", "sox $in $out.wav"},
      {"WAV_S24", "sox $in -b 24 $out.wav"},
      {"WAV_S32", "sox $in -b 32 $out.wav"},
      {"WAV_F32", "sox $in -b 32 -e float $out.wav"},
      {"WAV_F64", "sox $in -b 64 -e float $out.wav"},
      {"WAV_ULaw", "sox $in -e u-law $out.wav"},
      {"WAV_ALaw", "sox $in -e a-law $out.wav"},
      {"WAV_Stereo48k", "sox $in -r 48000 -c 2 $out.wav"},
      {"WAV_Extensible", "ffmpeg -i $in -ac 6 -c:a pcm_s24le $out.wav"},
      {"WAV_WithChunks", "ffmpeg -i $in -metadata title=Memo -write_bext 1 $out.wav"},
      {"WAV_IMAADPCM", "sox $in -e ima-adpcm $out.wav", Cut::reported, Joined::both, 0.07},
      {"WAV_MSADPCM", "sox $in -e ms-adpcm $out.wav", Cut::reported, Joined::both, 0.07},
      {"WAV_GSM", "sox $in -r 8000 -e gsm-full-rate $out.wav", Cut::reported, Joined::both, 0.07},
      {"RIFX", "sox $in -B -t wav $out.wav"},
      {"RF64", "ffmpeg -i $in -rf64 always $out.wav"},
      {"BW64", "ffmpeg -i $in -rf64 always $out.wav && printf BW64 | dd of=$out.wav conv=notrunc status=none"},
      {"RF64_Float", "ffmpeg -i $in -rf64 always -c:a pcm_f32le $out.wav"},
      {"W64", "ffmpeg -i $in $out.w64"},
      {"W64_Float", "ffmpeg -i $in -c:a pcm_f32le $out.w64"},
      {"AIFF", "sox $in $out.aiff"},
      {"AIFF_S8", "sox $in -b 8 $out.aiff"},
      {"AIFF_S24", "sox $in -b 24 $out.aiff"},
      {"AIFF_S32", "sox $in -b 32 $out.aiff"},
      {"AIFC_Float", "ffmpeg -i $in -c:a pcm_f32be $out.aiff"},
      {"AIFC_Little", "ffmpeg -i $in -c:a pcm_s16le -f aiff $out.aiff"},
      {"AIFC_ULaw", "ffmpeg -i $in -c:a pcm_mulaw $out.aiff"},
      {"AIFC_ALaw", "ffmpeg -i $in -c:a pcm_alaw $out.aiff"},
      {"AU", "sox $in $out.au"},
      {"AU_ULaw", "sox $in -e u-law $out.au"},
      {"AU_ALaw", "sox $in -e a-law $out.au"},
      {"AU_S24", "sox $in -b 24 $out.au"},
      {"AU_Float", "sox $in -b 32 -e float $out.au"},
      {"CAF", "ffmpeg -i $in -c:a pcm_s16le $out.caf"},
      {"CAF_Float", "ffmpeg -i $in -c:a pcm_f32be $out.caf"},
      {"CAF_ULaw", "ffmpeg -i $in -c:a pcm_mulaw $out.caf"},
      {"CAF_ALaw", "ffmpeg -i $in -c:a pcm_alaw $out.caf"},
      {"CAF_S24", "ffmpeg -i $in -c:a pcm_s24be $out.caf"},
      {"CAF_Opus", "ffmpeg -i $in -c:a libopus $out.caf", Cut::refused, Joined::both, kPadding},
      {"FLAC", "sox $in $out.flac"},
      {"FLAC_24", "ffmpeg -i $in -c:a flac -sample_fmt s32 $out.flac"},
      {"Ogg_Vorbis", "ffmpeg -i $in -c:a libvorbis $out.ogg", Cut::reported, Joined::both, kPadding},
      {"Ogg_Opus", "ffmpeg -i $in -c:a libopus $out.opus", Cut::reported, Joined::both, kPadding},
      {"Ogg_FLAC", "ffmpeg -i $in -c:a flac -f ogg $out.oga", Cut::reported, Joined::both, kPadding},
      {"MP3_CBR", "ffmpeg -i $in -c:a libmp3lame -b:a 64k $out.mp3", Cut::reported, Joined::both, kPadding},
      {"MP3_VBR", "ffmpeg -i $in -c:a libmp3lame -q:a 5 $out.mp3", Cut::reported, Joined::both, kPadding},
      {"MP3_WithoutXing", "ffmpeg -i $in -c:a libmp3lame -q:a 9 -write_xing 0 $out.mp3", Cut::silent, Joined::padded,
       0.2},
      {"MP3_WithoutTags", "ffmpeg -i $in -c:a libmp3lame -id3v2_version 0 $out.mp3", Cut::reported, Joined::both,
       kPadding},
      {"AAC_ADTS", "ffmpeg -i $in -c:a aac $out.aac", Cut::silent, Joined::padded, 0.2},
      {"M4A", "ffmpeg -i $in -c:a aac $out.m4a", Cut::refused, Joined::both, kPadding},
      {"M4A_IndexFirst", "ffmpeg -i $in -c:a aac -movflags faststart $out.m4a", Cut::reported, Joined::both, kPadding},
      {"M4A_ALAC", "ffmpeg -i $in -c:a alac $out.m4a", Cut::refused, Joined::both, kPadding},
      {"MP4_Audio", "ffmpeg -i $in -c:a aac -movflags faststart $out.mp4", Cut::reported, Joined::both, kPadding},
      {"MP4_Opus", "ffmpeg -i $in -c:a libopus -movflags faststart $out.mp4", Cut::reported, Joined::both, kPadding},
      {"MP4_Fragments", "ffmpeg -i $in -c:a aac -movflags frag_keyframe+empty_moov $out.mp4", Cut::reported,
       Joined::both, kPadding},
      {"MP4_Video",
       "ffmpeg -f lavfi -i testsrc=size=64x64:rate=10 -i $in -shortest -c:v mpeg4 -c:a aac -movflags faststart "
       "$out.mp4",
       Cut::reported, Joined::both, kPadding},
      {"MOV", "ffmpeg -i $in -c:a aac $out.mov", Cut::refused, Joined::both, kPadding},
      {"3GP", "ffmpeg -i $in -c:a aac -movflags faststart $out.3gp", Cut::reported, Joined::both, kPadding},
      {"AMR_Narrow", "sox $in -r 8000 -t amr-nb $out.amr", Cut::silent, Joined::both, kPadding},
      // Encoders for it are rare, so this one is encoded already: the first 3 s of the sample, at 12.65 kbit/s.
      {"AMR_Wide", "cp $sources/test/audio/voice_note.awb $out.awb", Cut::silent, Joined::both, kPadding},
      {"WebM_Vorbis", "ffmpeg -i $in -c:a libvorbis $out.webm", Cut::reported, Joined::padded, 0.2},
      {"WebM_Opus", "ffmpeg -i $in -c:a libopus $out.webm", Cut::reported, Joined::padded, 0.2},
      {"Matroska_Opus", "ffmpeg -i $in -c:a libopus $out.mka", Cut::reported, Joined::padded, 0.2},
      {"Matroska_Video", "ffmpeg -f lavfi -i testsrc=size=64x64:rate=10 -i $in -shortest -c:v mpeg4 -c:a aac $out.mkv",
       Cut::reported, Joined::padded, 0.3},
      {"AVI", "ffmpeg -i $in -c:a pcm_s16le $out.avi", Cut::reported, Joined::both, kPadding},
      {"WMA", "ffmpeg -i $in -c:a wmav2 $out.wma", Cut::reported, Joined::both, 0.3},
      raw("Raw_U8", "ffmpeg -i $in -f u8 $out.raw", "u8:16000:1"),
      raw("Raw_S16", "ffmpeg -i $in -f s16le $out.raw", "s16le:16000:1"),
      raw("Raw_S24", "ffmpeg -i $in -f s24le $out.raw", "s24le:16000:1"),
      raw("Raw_S32", "ffmpeg -i $in -f s32le $out.raw", "s32le:16000:1"),
      raw("Raw_F32", "ffmpeg -i $in -f f32le $out.raw", "f32le:16000:1"),
      raw("Raw_F64", "ffmpeg -i $in -f f64le $out.raw", "f64le:16000:1"),
      raw("Raw_Stereo48k", "ffmpeg -i $in -ar 48000 -ac 2 -f s16le $out.raw", "s16le:48000:2"),
  };
}

class InputTable : public testing::TestWithParam<Line> {
 protected:
  static void SetUpTestSuite() { ::setenv("DICTUM_WORKER_DIR", DICTUM_BIN_DIR, 0); }

  void SetUp() override {
    if (std::system("command -v ffmpeg >/dev/null && command -v sox >/dev/null") != 0) {
      GTEST_SKIP() << "ffmpeg and sox make the files, and are not installed";
    }
    if (!DICTUM_FFMPEG) GTEST_SKIP() << "built without FFmpeg's libraries";
    const auto speech = test::project_file("samples/voice_note.wav");
    sound_ = test::resampled(test::read_sound(speech), 16000);
    sound_.samples.resize(kFrames);
    test::write_wav(folder / "in.wav", sound_);
    std::string command = fmt::format("cd {} && export in=in.wav out=out sources='{}' && {} >/dev/null 2>&1 </dev/null",
                                      folder.path().string(), test::project_file("").string(), GetParam().make);
    if (const auto at = command.find("ffmpeg "); at != command.npos) command.insert(at + 7, "-nostdin -v error ");
    const bool is_made = std::system(command.c_str()) == 0;
    if (!is_made && std::string_view(GetParam().name) == "AMR_Narrow") GTEST_SKIP() << "this sox writes no AMR";
    ASSERT_TRUE(is_made) << command;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().stem() == "out") bytes_ = test::bytes_of(entry.path());
    }
    ASSERT_FALSE(bytes_.empty());
  }

  void check_whole() const;
  void check_cut_off() const;
  void check_joined() const;

  ReadSound read(const std::string& bytes) const {
    if (GetParam().raw == nullptr) return read_both_ways(folder.path(), bytes);
    return read_both_ways(folder.path(), bytes, parse_raw_format(GetParam().raw));
  }

  double tolerance() const { return GetParam().tolerance + 0.001; }

  static constexpr std::size_t kFrames = 16000 * 3;
  static constexpr double kSeconds = 3;
  const test::TemporaryDirectory folder;
  test::Sound sound_;
  std::string bytes_;
};

void InputTable::check_whole() const {
  const ReadSound sound = read(bytes_);
  EXPECT_EQ(sound.refusal, "");
  EXPECT_NEAR(sound.seconds(), kSeconds, tolerance());
  EXPECT_EQ(sound.all_notices(), "");
  double energy = 0;
  for (const float sample : sound.samples) energy += static_cast<double>(sample) * sample;
  double expected = 0;
  for (const float sample : sound_.samples) expected += static_cast<double>(sample) * sample;
  const double ratio = std::sqrt(energy / static_cast<double>(sound.samples.size())) /
                       std::sqrt(expected / static_cast<double>(sound_.samples.size()));
  EXPECT_GT(ratio, 0.35) << "six channels hold it on one";
  EXPECT_LT(ratio, 1.3);
}

void InputTable::check_cut_off() const {
  const ReadSound sound = read(bytes_.substr(0, bytes_.size() * 6 / 10));
  if (GetParam().cut == Cut::refused) {
    EXPECT_NE(sound.refusal, "");
    return;
  }
  EXPECT_EQ(sound.refusal, "");
  EXPECT_GT(sound.seconds(), 0.5);
  EXPECT_LT(sound.seconds(), 2.8);
  if (GetParam().cut == Cut::reported) {
    EXPECT_THAT(sound.all_notices(), testing::HasSubstr("cut off"));
  }
}

void InputTable::check_joined() const {
  const ReadSound sound = read(bytes_ + bytes_);
  EXPECT_EQ(sound.refusal, "");
  if (GetParam().joined == Joined::first) {
    EXPECT_NEAR(sound.seconds(), kSeconds, tolerance());
    EXPECT_NE(sound.all_notices(), "");
    return;
  }
  EXPECT_NEAR(sound.seconds(), 2 * kSeconds, 2 * tolerance());
  if (GetParam().joined == Joined::both) EXPECT_EQ(sound.all_notices(), "");
}

// One test a line, since making the file takes longer than reading it.
TEST_P(InputTable, IsReadAsTheDocumentSaysWholeCutOffAndJoined) {
  check_whole();
  check_cut_off();
  check_joined();
}

INSTANTIATE_TEST_SUITE_P(Kinds, InputTable, testing::ValuesIn(lines()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace dictum::audio
