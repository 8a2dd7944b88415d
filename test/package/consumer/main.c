#include <dictum/dictum.h>
#include <poll.h>
#include <stdio.h>

/* Prints the events that wait. */
static void print_events(dictum_recorder* recorder) {
  for (dictum_event* event; (event = dictum_next_event(recorder)) != NULL; dictum_event_free(event)) {
    puts(dictum_event_json(event));
  }
}

int main(int count, char** arguments) {
  dictum_config* config = dictum_config_new();
  if (count != 3 || dictum_config_set(config, "capture.input", arguments[1]) != DICTUM_OK ||
      dictum_config_set(config, "capture.pace", "fast") != DICTUM_OK ||
      dictum_config_set(config, "session.root", arguments[2]) != DICTUM_OK) {
    fprintf(stderr, "%s\n", dictum_config_last_error(config));
    return 2;
  }
  dictum_recorder* recorder = dictum_recorder_new(config);
  dictum_config_free(config);

  int error = dictum_start(recorder);
  struct pollfd events = {.fd = dictum_event_fd(recorder), .events = POLLIN};
  while (error == DICTUM_OK && dictum_is_recording(recorder) && poll(&events, 1, 10000) > 0) print_events(recorder);
  if (error == DICTUM_OK) error = dictum_stop(recorder, 30);
  print_events(recorder);
  dictum_recorder_free(recorder);
  return error;
}
