#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "transcription/worker_protocol.hpp"

/// What a worker says, checked and made fit for people. Plain functions; safe from any thread.
namespace dictum::transcription {

/// A sentence of a worker: on one line, without control characters, in a length that a person reads.
std::string for_people(std::string_view text);

/// The error's code where it looks like one, else "transcription_failed".
std::string code_of(const Error& error);

/// Whether an error of this code comes from settings that can never work.
bool is_of_settings(std::string_view code);

/// Whether a worker that says `hello` has others do its jobs: its progress postpones the deadline, its errors about a
/// job are final, its end says nothing about the job, and it gets no segments that are still being spoken.
bool is_remote(const Hello& hello);

/// How long a frame from a worker may be while it works on `seconds` of audio.
std::size_t max_frame_bytes(double seconds);

/// How many words a result may have for `seconds` of audio.
std::size_t max_words(double seconds);

/// What is too much in `result` for `seconds` of audio, as the end of a sentence; nothing where all is plausible.
std::optional<std::string> excess_of(const Result& result, double seconds);
bool is_excessive(const Partial& partial, double seconds);

/// Brings a result's text and words into the form that texts are kept and compared in (NFC).
void compose(Result& result);

/// Why a worker that says `hello` cannot transcribe `language`, and what to write instead; nothing where it can.
std::optional<std::string> language_problem(const Hello& hello, std::string_view language);

}  // namespace dictum::transcription
