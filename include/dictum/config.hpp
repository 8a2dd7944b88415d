#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dictum/clock.hpp"
#include "dictum/event.hpp"
#include "dictum/export.hpp"
#include "dictum/source.hpp"
#include "dictum/transcriber.hpp"
#include "dictum/vad.hpp"

namespace dictum {

/// Every setting of a recorder, with its default. The sections and names are those of the configuration file and of
/// the command line. A plain value: copy it, change it, pass it.
struct DICTUM_API RecorderConfig {
  struct Capture {
    std::filesystem::path input;    ///< a file that stands in for the microphone; "-" is standard input; empty: live
    std::string input_format;       ///< of samples without a header, for example "s16le:48000:2"
    std::string device;             ///< id, name, or a unique part of it; empty: the default
    std::string backend = "auto";   ///< auto, pulse, portaudio
    std::string channel = "mix";    ///< "mix" averages, a number from 0 picks one
    std::string pace = "realtime";  ///< realtime or fast; of a file only
    int block_frames = 0;           ///< frames a reading, 1 to 1,000,000; 0: 100 ms of audio
    double duration_sec = 0;        ///< ends the recording at this time of it, gaps included; 0: no limit
    double stop_after_silence_sec = 0;  ///< ends it after so much audio without speech; 0: never
  } capture;

  struct VAD {
    std::string detector = "silero";  ///< silero or energy
    double threshold = 0.5;           ///< speech at or above; 0.2 to 0.95 (silence is below threshold - 0.15)
    VADMode mode = VADMode::normal;   ///< of a new session
    int min_silence_ms = 800;         ///< silence that ends a segment in `normal`; 32 to 60,000
    int long_note_silence_ms = 5000;  ///< the same in `long_note`
    int pre_roll_ms = 500;            ///< kept before the first speech window; 0 to 10,000
    int post_roll_ms = 500;           ///< kept after the last one; 0 to 10,000, cut to the silence that ended it
    int min_speech_ms = 96;           ///< less speech than this is announced and not kept; 0 to 10,000
    double max_segment_sec = 30;      ///< longer segments are split where they are quietest; 6 to 3,600
    bool rescue_gain = true;          ///< what is too quiet for Silero is amplified on its way there, and only there
  } vad;

  struct Transcription {
    std::string transcriber = "auto";       ///< auto, none, or a worker's name ([a-z0-9-]+)
    std::string model;                      ///< name or file; empty: the worker's default
    std::string language = "auto";          ///< BCP 47; auto: what is spoken, decided once a session
    std::vector<std::string> vocabulary;    ///< names and terms that are likely to be said; the first count most
    std::filesystem::path vocabulary_file;  ///< more of them, one a line; # begins a comment
    std::map<std::string, std::string> replacements;  ///< of words in texts: what is written, what is meant
    int workers = 1;                                  ///< processes, 1 to 64
    double deadline_base_sec = 30;                    ///< an attempt may take this long ...
    double deadline_per_sec = 10;                     ///< ... and this much more for each second of audio
    double drain_sec = 30;                            ///< how long stop waits for outstanding texts; negative: no limit
    int memory_mb = 8192;                             ///< a worker that takes more than this is ended; 0: no limit
    std::string eager = "auto";              ///< true, false: transcribe before the end of a segment is certain; auto:
                                             ///< where a text is expected to be ready by then
    double unload_after_sec = 300;           ///< idle workers are ended and give memory back; 0: never
    std::filesystem::path simulated_script;  ///< of the `simulated` worker ([transcription.simulated] script)

    // Of the `nats` worker ([transcription.nats]), whose jobs travel to the workers of other machines.
    std::string nats_url;                    ///< servers, separated by commas, for example nats://gpu.local:4222
    std::filesystem::path nats_credentials;  ///< a file: NATS credentials, an nkey seed, USER:PASSWORD or a token
    std::filesystem::path nats_tls_ca;       ///< certificates that the server's must be signed by; empty: the system's
    std::filesystem::path nats_tls_cert;     ///< a certificate of this machine's, for servers that ask for one
    std::filesystem::path nats_tls_key;      ///< its key
    std::string nats_queue;                  ///< which workers take the jobs; empty: the model's name, or "default"
    double nats_fallback_after_sec = 0;      ///< without the cluster, before this machine transcribes; 0: never
    std::string nats_fallback = "auto";      ///< the transcriber that does it, with its default model
  } transcription;

  struct Session {
    std::filesystem::path root;  ///< empty: $XDG_DATA_HOME/dictum/sessions
    bool keep_all = false;       ///< also keep the whole timeline as FLAC

    /// What a recording survives up to its last second. "power": also a loss of power or a crash of the system; what
    /// is recorded is flushed to the disk every second. "crash": a crash of the program only; sound and journal are
    /// flushed when the system does it, so a loss of power may leave files that are cut off or empty, and a recovery
    /// uses what is there.
    std::string durability = "power";
  } session;

  /// What people say to steer notes; an empty list stands for the English phrases. Case and punctuation do not matter,
  /// nor does one misrecognised word in three.
  struct Notes {
    std::vector<std::string> start;    ///< begins a note: "start a new note"
    std::vector<std::string> title;    ///< leads in its title: "called"
    std::vector<std::string> end;      ///< completes it: "end note"
    std::vector<std::string> cancel;   ///< "cancel note"
    std::vector<std::string> scratch;  ///< takes back what was said last: "scratch that"
    std::vector<std::string> stop;     ///< ends the recording: "stop recording"
    std::vector<std::string> prefix;   ///< may be said before a command: "Clerk"
  } notes;

  /// Deletes old sessions by itself, in the background of each start. Off unless `older_than` says how old.
  struct Retention {
    std::string older_than;  ///< 90d (days), 12h (hours), 8w (weeks); empty: nothing is ever deleted
    bool keep_notes = true;  ///< sessions with notes stay
  } retention;

  struct Events {
    double level_hz = 0;  ///< AudioLevel events a second, 0 to 20; 0: none
  } events;

  // Parts of the caller's own, in place of the built-in ones. Each factory is called once a session; one that returns a
  // null pointer is the error invalid_argument of the start.
  std::function<std::unique_ptr<AudioSource>()> source;              ///< in place of [capture]
  std::function<std::unique_ptr<VoiceActivityDetector>()> detector;  ///< in place of [vad] detector
  std::function<std::unique_ptr<Transcriber>()> custom_transcriber;  ///< in place of [transcription] transcriber
  std::shared_ptr<const Clock> clock;                                ///< null: the machine's

  /// Throws RecorderError(config_invalid) naming the first value that is out of its range.
  void validate() const;
};

}  // namespace dictum
