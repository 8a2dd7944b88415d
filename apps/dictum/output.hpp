#pragma once

#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "dictum/text.hpp"
#include "exit_code.hpp"

/// Everything that the program writes to its standard output and its standard error, the terminal UI aside.
///
/// Nothing raw reaches a terminal: each text that is formatted into a line is put on one line, without control
/// characters and changes of the writing's direction. Errors: none of the functions throws for a stream that cannot be
/// written; `finish_output` looks once, at the end.
///
/// Thread safety: as stdio's, a line at a time. A reader of standard output that does not read holds up the thread that
/// writes, as ever, and no other once `limit_output` was called; standard error is given up after a second.
namespace dictum::program {

/// Gives each of the descriptors 0, 1 and 2 that is closed to a file that can be neither read nor written in its role,
/// so that no file of a session gets its number and every use of it is an error. The first thing that `main` does.
void guard_standard_descriptors() noexcept;

/// Text with escape sequences of our own; what was in it from outside has been made safe.
struct Styled {
  std::string text;
};

namespace detail {

template <class T>
decltype(auto) safe(const T& value) {
  if constexpr (std::is_same_v<T, Styled>) {
    return std::string_view(value.text);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return on_one_line(value);
  } else {
    return value;
  }
}

template <class... T>
std::string safe_format(fmt::string_view format, const T&... values) {
  const auto formatted = [format](const auto&... safe_values) {
    return fmt::vformat(format, fmt::make_format_args(safe_values...));
  };
  return formatted(safe(values)...);
}

template <class T>
using Formatted = std::conditional_t<std::is_same_v<std::remove_cvref_t<T>, Styled>, std::string_view, T>;

}  // namespace detail

/// To standard output, as it is.
void write_output(std::string_view text) noexcept;

/// To standard error, as it is.
void write_error(std::string_view text) noexcept;

/// To standard output; the texts among the values are made safe.
template <class... T>
void print(fmt::format_string<detail::Formatted<T>...> format, T&&... values) {
  write_output(detail::safe_format(format, values...));
}

/// A line on standard error behind the program's name; the texts among the values are made safe.
template <class... T>
void print_error(fmt::format_string<T...> format, T&&... values) {
  write_error("dictum: " + detail::safe_format(format, values...) + "\n");
}

/// A line of JSON. On a terminal, what could control it is escaped.
void print_json(std::string_view json);
void print_json(const boost::json::value& json);

/// The content of a file. On a terminal, its lines are made safe.
void print_document(std::string_view text);

/// Cells of a line on a terminal, filled as far as `share`: 0 to 1.
std::string progress_bar(double share);

/// Characters that fit on a line of the terminal; 80 where standard output is none.
std::size_t terminal_width();

/// The start of `text`: at most so many characters.
std::string_view first_characters(std::string_view text, std::size_t most);

/// Writes out what standard output still holds. Returns 0, or the errno of the first thing that could not be written.
int flush_output() noexcept;

/// From now on, what nobody reads for so long is given up: it is lost with ETIMEDOUT. Nothing: no limit, as at first.
void limit_output(std::optional<std::chrono::milliseconds> patience) noexcept;

/// The errno of `flush_output` for people.
std::string why_output_was_lost(int error);

/// The checked flush at the end of the program: a command whose output was lost has failed, and standard error says so.
ExitCode finish_output(ExitCode code);

/// A command has said by itself that standard output cannot be written, and what that means for its work.
void set_loss_reported() noexcept;

}  // namespace dictum::program
