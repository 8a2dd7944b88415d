/* A recorder that is fed and read by a program in the C of 1999. Exits with 0 where one segment was recorded. */

#include <dictum/dictum.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define RATE 16000
#define SECONDS 3

static float samples[SECONDS * RATE];

int main(int count, char** arguments) {
  dictum_config* config = dictum_config_new();
  dictum_recorder* recorder;
  dictum_event* event;
  int error, i, kept = 0;

  if (count != 2) return 2;
  /* A tone in the middle second. */
  for (i = RATE; i < 2 * RATE; ++i) samples[i] = (float)(0.3 * sin(i * 0.1));

  error = dictum_config_set(config, "session.root", arguments[1]) ||
          dictum_config_set(config, "vad.detector", "energy") ||
          dictum_config_set(config, "transcription.transcriber", "none") || dictum_config_use_push(config, RATE, 1);
  recorder = dictum_recorder_new(config);
  dictum_config_free(config);
  if (!error) error = dictum_start(recorder);
  if (!error && dictum_push(recorder, samples, SECONDS * RATE) != SECONDS * RATE) error = -1;
  dictum_push_finish(recorder);
  if (!error) error = dictum_stop(recorder, 10);
  while ((event = dictum_next_event(recorder)) != NULL) {
    if (strcmp(dictum_event_name(event), "SpeechEnded") == 0) ++kept;
    dictum_event_free(event);
  }
  dictum_recorder_free(recorder);
  if (error) fprintf(stderr, "error %d\n", error);
  return !error && kept == 1 ? 0 : 1;
}
