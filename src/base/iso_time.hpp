#pragma once

#include <chrono>

#include "dictum/text.hpp"

namespace dictum {

/// The moment of an event's timestamp, to the millisecond, kept within the years that a date can have.
std::chrono::system_clock::time_point time_of(double timestamp);

/// The timestamp of an event at that moment: seconds since 1970.
double timestamp_of(std::chrono::system_clock::time_point time);

}  // namespace dictum
