/* An application in C with an audio stack of its own feeds the recorder, and waits for the texts without events: what
 * was recorded is in the session's folder.
 *
 *   example_push RAW_FILE FOLDER
 *
 * RAW_FILE: a sound file of signed 16-bit samples at 16 kHz, one channel; the 44 bytes of a WAV header are passed over.
 */

#include <dictum/dictum.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { kRate = 16000, kBlock = kRate / 10, kHeaderBytes = 44 };

static int feed(dictum_recorder* recorder, FILE* sound) {
  int16_t samples[kBlock];
  size_t frames = 0;
  if (fseek(sound, kHeaderBytes, SEEK_SET) != 0) return 1;
  while ((frames = fread(samples, sizeof *samples, kBlock, sound)) > 0) {
    /* push never waits. This producer is faster than real time: what finds no room is pushed again. */
    size_t kept = 0;
    while ((kept += dictum_push_int16(recorder, samples + kept, frames - kept)) < frames) {
      const struct timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};
      nanosleep(&pause, NULL);
    }
  }
  return 0;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  FILE* sound = fopen(arguments[1], "rb");
  if (sound == NULL) return 2;

  dictum_config* config = dictum_config_new();
  int status = dictum_config_set(config, "session.root", arguments[2]);
  if (status == DICTUM_OK) status = dictum_config_use_push(config, kRate, 1);
  if (status != DICTUM_OK) fprintf(stderr, "%s\n", dictum_config_last_error(config));
  dictum_recorder* recorder = dictum_recorder_new(config);
  dictum_config_free(config);

  char words[500] = "";
  if (status == DICTUM_OK) status = dictum_start(recorder);
  if (status == DICTUM_OK) {
    feed(recorder, sound);
    dictum_push_finish(recorder);
    status = dictum_stop(recorder, 30); /* takes what was pushed, then waits for texts */
  }
  if (status != DICTUM_OK) {
    dictum_last_error(recorder, words, sizeof words);
    fprintf(stderr, "%s (%s)\n", words, dictum_strerror(status));
  } else {
    dictum_session_path(recorder, words, sizeof words);
    printf("kept in %s\n", words);
  }
  dictum_recorder_free(recorder);
  fclose(sound);
  return status == DICTUM_OK ? 0 : 1;
}
