#ifndef DICTUM_DICTUM_H
#define DICTUM_DICTUM_H

/*
 * Dictum for C, and for every language that can call C.
 *
 * Objects are opaque; what a function returns as new is freed by the function that its comment names. Strings are UTF-8
 * and end in a zero byte. Functions that can fail return 0 or a DICTUM_E_... code; dictum_last_error() then has the
 * sentence for a person. No function throws, and none calls back: events wait in a queue with a file descriptor.
 *
 * A null pointer for a configuration, a recorder or an event is DICTUM_E_INVALID_ARGUMENT, or where no code is returned
 * an empty answer: 0, -1, "" or null, as for an event that does not exist. Freeing null does nothing.
 *
 * Threads: a recorder may be used from any thread, from several at once. A configuration and an event belong to one
 * thread at a time. A child process that fork() makes has none of the recorder's threads: it must not use a recorder
 * that was started before, nor free it; exec, or make one of its own.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DICTUM_C_API __attribute__((visibility("default")))
#else
#define DICTUM_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dictum_config dictum_config;
typedef struct dictum_recorder dictum_recorder;
typedef struct dictum_event dictum_event;

/* The codes, which are those of dictum::Errc. */
enum {
  DICTUM_OK = 0,
  DICTUM_E_INVALID_ARGUMENT = 1,              /* a value in a configuration or a call is out of range */
  DICTUM_E_INVALID_STATE = 2,                 /* the call does not fit the state, such as start while paused */
  DICTUM_E_CANCELLED = 3,                     /* the caller cancelled the operation */
  DICTUM_E_TIMED_OUT = 4,                     /* a deadline passed; what was left undone is named in an event */
  DICTUM_E_RESOURCE_DEADLOCK_WOULD_OCCUR = 5, /* a blocking call from inside its own callback */
  DICTUM_E_INPUT_NOT_FOUND = 6,               /* no such file or device */
  DICTUM_E_INPUT_UNREADABLE = 7,              /* the file or stream is there and is not audio that can be read */
  DICTUM_E_DEVICE_BUSY = 8,                   /* another program holds the device */
  DICTUM_E_DEVICE_LOST = 9,                   /* the device or its daemon is gone */
  DICTUM_E_DEVICE_AMBIGUOUS = 10,             /* a name that matches several devices */
  DICTUM_E_OUTPUT_UNWRITABLE = 11,            /* the session's folder cannot be made or written */
  DICTUM_E_DISK_FULL = 12,                    /* no room for the session's files */
  DICTUM_E_MODEL_MISSING = 13,                /* a model file is missing, or is not what its checksum says */
  DICTUM_E_TRANSCRIBER_MISSING = 14,          /* no worker of that name, or it cannot start */
  DICTUM_E_TRANSCRIPTION_FAILED = 15,         /* the engine answered with an error */
  DICTUM_E_DEADLINE_EXCEEDED = 16,            /* the engine did not answer in time */
  DICTUM_E_WORKER_DIED = 17,                  /* the engine's process ended in the middle of a job */
  DICTUM_E_WORKER_PROTOCOL = 18,              /* the engine's process broke the worker protocol */
  DICTUM_E_QUARANTINED = 19,                  /* the segment killed every worker that tried it */
  DICTUM_E_SESSION_UNREADABLE = 20,           /* a session on disk that is damaged, foreign or of a newer schema */
  DICTUM_E_SESSION_LOCKED = 21,               /* another process is working on that session */
  DICTUM_E_CONFIG_INVALID = 22,               /* a configuration file with an unknown key or a wrong type */
  DICTUM_E_INTERNAL = 23,                     /* a defect of ours */
  DICTUM_E_OTHER = 255                        /* an error of the system's */
};

/* What a code means, in a few words; for any number. Lives for ever. dictum_last_error() says more. */
DICTUM_C_API const char* dictum_strerror(int code);

/* The library's version, for example "0.1.0". */
DICTUM_C_API const char* dictum_version(void);

/* A configuration with every default. Free it with dictum_config_free(). Null where memory is out. */
DICTUM_C_API dictum_config* dictum_config_new(void);
DICTUM_C_API void dictum_config_free(dictum_config* config);

/* Sets one setting by its name in the configuration file, for example ("vad.min_silence_ms", "500"). A list is written
 * as JSON: ("notes.start", "[\"new note\"]"). */
DICTUM_C_API int dictum_config_set(dictum_config* config, const char* name, const char* value);

/* Reads a TOML file over the configuration. */
DICTUM_C_API int dictum_config_load(dictum_config* config, const char* path);

/* The application feeds the audio itself, with dictum_push(). */
DICTUM_C_API int dictum_config_use_push(dictum_config* config, int sample_rate, int channels);

/* The sentence that belongs to the newest error of this configuration; empty after success. */
DICTUM_C_API const char* dictum_config_last_error(const dictum_config* config);

/* A recorder; the configuration is copied (null: every default). Instant: opens nothing and starts no thread. Free it
 * with dictum_recorder_free(), which ends a recording within two seconds. Null where memory is out. */
DICTUM_C_API dictum_recorder* dictum_recorder_new(const dictum_config* config);
DICTUM_C_API void dictum_recorder_free(dictum_recorder* recorder);

/* Blocking calls; see RecorderBackend for what each does. */
DICTUM_C_API int dictum_start(dictum_recorder* recorder);
/* drain_sec: how long to wait for texts; negative: without limit. */
DICTUM_C_API int dictum_stop(dictum_recorder* recorder, double drain_sec);
DICTUM_C_API int dictum_pause(dictum_recorder* recorder);
DICTUM_C_API int dictum_resume(dictum_recorder* recorder);
DICTUM_C_API int dictum_set_muted(dictum_recorder* recorder, int muted);
/* device: an id, a name, or a unique part of it; "" or NULL: the default one. */
DICTUM_C_API int dictum_set_device(dictum_recorder* recorder, const char* device);
/* terms: names that are likely to be said, `count` of them, in place of all that were configured. */
DICTUM_C_API int dictum_set_vocabulary(dictum_recorder* recorder, const char* const* terms, size_t count);
/* mode: "normal" or "long_note". */
DICTUM_C_API int dictum_set_vad_mode(dictum_recorder* recorder, const char* mode);
DICTUM_C_API int dictum_complete_note(dictum_recorder* recorder);
DICTUM_C_API int dictum_retry_failed(dictum_recorder* recorder);
DICTUM_C_API int dictum_wait_until_idle(dictum_recorder* recorder);
DICTUM_C_API int dictum_is_recording(const dictum_recorder* recorder);
/* "starting", "recording", "paused", "stopping", "idle" (also before the first session) or "failed". Lives for ever. */
DICTUM_C_API const char* dictum_state(const dictum_recorder* recorder);

/* Copies the folder of the newest session, with its zero byte, to `buffer` of `size` bytes; returns the length without
 * the zero byte, and writes nothing where it does not fit. 0 before the first start. */
DICTUM_C_API size_t dictum_session_path(const dictum_recorder* recorder, char* buffer, size_t size);

/* The same for the sentence of the newest error. */
DICTUM_C_API size_t dictum_last_error(const dictum_recorder* recorder, char* buffer, size_t size);

/* Feeds interleaved float samples; returns how many frames were kept (see PushSource). From one thread; never blocks.
 */
DICTUM_C_API size_t dictum_push(dictum_recorder* recorder, const float* samples, size_t frames);
/* The same for signed 16-bit integers. */
DICTUM_C_API size_t dictum_push_int16(dictum_recorder* recorder, const int16_t* samples, size_t frames);
/* Ends the pushed stream. */
DICTUM_C_API void dictum_push_finish(dictum_recorder* recorder);

/* A descriptor that is readable while events wait: for poll(), a GUI's or another language's event loop. Belongs to the
 * recorder; do not read or close it. */
DICTUM_C_API int dictum_event_fd(const dictum_recorder* recorder);

/* The next event, or null where none waits. Free it with dictum_event_free(). */
DICTUM_C_API dictum_event* dictum_next_event(dictum_recorder* recorder);
DICTUM_C_API void dictum_event_free(dictum_event* event);

/* What every event has. Strings live as long as the event. */
DICTUM_C_API const char* dictum_event_name(const dictum_event* event);
DICTUM_C_API const char* dictum_event_json(const dictum_event* event);
/* -1 for ephemeral events. */
DICTUM_C_API int64_t dictum_event_sequence(const dictum_event* event);
DICTUM_C_API int64_t dictum_event_frame(const dictum_event* event);
DICTUM_C_API double dictum_event_timestamp(const dictum_event* event);
/* -1 where the event is about no segment. */
DICTUM_C_API int64_t dictum_event_segment(const dictum_event* event);

#ifdef __cplusplus
}
#endif

#endif
