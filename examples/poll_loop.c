/* A recorder in an event loop that knows file descriptors only, as those of GUIs and of other languages do: the loop
 * waits for the recorder's descriptor, among others, and takes the events when it is readable.
 *
 *   example_poll_loop FILE FOLDER
 */

#include <dictum/dictum.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Takes every event that waits. Returns 1 once the recording has ended. */
static int take_events(dictum_recorder* recorder) {
  int ended = 0;
  dictum_event* event;
  while ((event = dictum_next_event(recorder)) != NULL) {
    const char* name = dictum_event_name(event);
    puts(dictum_event_json(event));
    if (strcmp(name, "RecordingStateChanged") == 0) ended = strstr(dictum_event_json(event), "\"idle\"") != NULL;
    dictum_event_free(event);
  }
  return ended;
}

static void print_error(dictum_recorder* recorder) {
  char sentence[500] = "";
  dictum_last_error(recorder, sentence, sizeof sentence);
  fprintf(stderr, "%s\n", sentence);
}

int main(int count, char** arguments) {
  dictum_config* config = dictum_config_new();
  if (count != 3 || dictum_config_set(config, "capture.input", arguments[1]) != DICTUM_OK ||
      dictum_config_set(config, "capture.pace", "fast") != DICTUM_OK ||
      dictum_config_set(config, "session.root", arguments[2]) != DICTUM_OK) {
    fprintf(stderr, "%s\n", dictum_config_last_error(config));
    dictum_config_free(config);
    return 2;
  }
  dictum_recorder* recorder = dictum_recorder_new(config);
  dictum_config_free(config);
  if (recorder == NULL) return 1;

  int status = dictum_start(recorder);
  if (status == DICTUM_OK) {
    /* The other descriptors of the program stand beside this one. */
    struct pollfd waiting = {.fd = dictum_event_fd(recorder), .events = POLLIN, .revents = 0};
    int ended = 0;
    while (!ended && poll(&waiting, 1, 60000) > 0) ended = take_events(recorder);
    status = dictum_stop(recorder, 30); /* waits for texts */
    take_events(recorder);
  }
  if (status != DICTUM_OK) print_error(recorder);
  dictum_recorder_free(recorder);
  return status == DICTUM_OK ? 0 : 1;
}
