#pragma once

#include <pulse/pulseaudio.h>

#include "base/shared_library.hpp"

namespace dictum::pulse {

/// The functions of libpulse that are used, under their own names.
struct LibPulse {
  SharedLibrary library{"libpulse.so.0", "PulseAudio's client library (Debian: libpulse0)", Errc::input_not_found};

  decltype(::pa_context_connect)* pa_context_connect = library.function("pa_context_connect");
  decltype(::pa_context_disconnect)* pa_context_disconnect = library.function("pa_context_disconnect");
  decltype(::pa_context_errno)* pa_context_errno = library.function("pa_context_errno");
  decltype(::pa_context_get_server_info)* pa_context_get_server_info = library.function("pa_context_get_server_info");
  decltype(::pa_context_get_source_info_by_name)* pa_context_get_source_info_by_name =
      library.function("pa_context_get_source_info_by_name");
  decltype(::pa_context_get_source_info_list)* pa_context_get_source_info_list =
      library.function("pa_context_get_source_info_list");
  decltype(::pa_context_get_source_output_info)* pa_context_get_source_output_info =
      library.function("pa_context_get_source_output_info");
  decltype(::pa_context_get_state)* pa_context_get_state = library.function("pa_context_get_state");
  decltype(::pa_context_new)* pa_context_new = library.function("pa_context_new");
  decltype(::pa_context_set_subscribe_callback)* pa_context_set_subscribe_callback =
      library.function("pa_context_set_subscribe_callback");
  decltype(::pa_context_subscribe)* pa_context_subscribe = library.function("pa_context_subscribe");
  decltype(::pa_context_unref)* pa_context_unref = library.function("pa_context_unref");
  decltype(::pa_cvolume_channels_equal_to)* pa_cvolume_channels_equal_to =
      library.function("pa_cvolume_channels_equal_to");
  decltype(::pa_cvolume_valid)* pa_cvolume_valid = library.function("pa_cvolume_valid");
  decltype(::pa_frame_size)* pa_frame_size = library.function("pa_frame_size");
  decltype(::pa_mainloop_dispatch)* pa_mainloop_dispatch = library.function("pa_mainloop_dispatch");
  decltype(::pa_mainloop_free)* pa_mainloop_free = library.function("pa_mainloop_free");
  decltype(::pa_mainloop_get_api)* pa_mainloop_get_api = library.function("pa_mainloop_get_api");
  decltype(::pa_mainloop_new)* pa_mainloop_new = library.function("pa_mainloop_new");
  decltype(::pa_mainloop_poll)* pa_mainloop_poll = library.function("pa_mainloop_poll");
  decltype(::pa_mainloop_prepare)* pa_mainloop_prepare = library.function("pa_mainloop_prepare");
  decltype(::pa_mainloop_wakeup)* pa_mainloop_wakeup = library.function("pa_mainloop_wakeup");
  decltype(::pa_operation_cancel)* pa_operation_cancel = library.function("pa_operation_cancel");
  decltype(::pa_operation_get_state)* pa_operation_get_state = library.function("pa_operation_get_state");
  decltype(::pa_operation_unref)* pa_operation_unref = library.function("pa_operation_unref");
  decltype(::pa_stream_connect_playback)* pa_stream_connect_playback = library.function("pa_stream_connect_playback");
  decltype(::pa_stream_connect_record)* pa_stream_connect_record = library.function("pa_stream_connect_record");
  decltype(::pa_stream_disconnect)* pa_stream_disconnect = library.function("pa_stream_disconnect");
  decltype(::pa_stream_drain)* pa_stream_drain = library.function("pa_stream_drain");
  decltype(::pa_stream_drop)* pa_stream_drop = library.function("pa_stream_drop");
  decltype(::pa_stream_get_device_name)* pa_stream_get_device_name = library.function("pa_stream_get_device_name");
  decltype(::pa_stream_get_index)* pa_stream_get_index = library.function("pa_stream_get_index");
  decltype(::pa_stream_get_state)* pa_stream_get_state = library.function("pa_stream_get_state");
  decltype(::pa_stream_is_suspended)* pa_stream_is_suspended = library.function("pa_stream_is_suspended");
  decltype(::pa_stream_new)* pa_stream_new = library.function("pa_stream_new");
  decltype(::pa_stream_peek)* pa_stream_peek = library.function("pa_stream_peek");
  decltype(::pa_stream_readable_size)* pa_stream_readable_size = library.function("pa_stream_readable_size");
  decltype(::pa_stream_set_buffer_attr)* pa_stream_set_buffer_attr = library.function("pa_stream_set_buffer_attr");
  decltype(::pa_stream_set_moved_callback)* pa_stream_set_moved_callback =
      library.function("pa_stream_set_moved_callback");
  decltype(::pa_stream_set_read_callback)* pa_stream_set_read_callback =
      library.function("pa_stream_set_read_callback");
  decltype(::pa_stream_set_state_callback)* pa_stream_set_state_callback =
      library.function("pa_stream_set_state_callback");
  decltype(::pa_stream_set_suspended_callback)* pa_stream_set_suspended_callback =
      library.function("pa_stream_set_suspended_callback");
  decltype(::pa_stream_unref)* pa_stream_unref = library.function("pa_stream_unref");
  decltype(::pa_stream_writable_size)* pa_stream_writable_size = library.function("pa_stream_writable_size");
  decltype(::pa_stream_write)* pa_stream_write = library.function("pa_stream_write");
  decltype(::pa_strerror)* pa_strerror = library.function("pa_strerror");
};

/// Loads the library at the first call. Throws RecorderError(input_not_found) where it cannot; the next call tries
/// again. Thread safety: any thread.
const LibPulse& libpulse();

}  // namespace dictum::pulse
