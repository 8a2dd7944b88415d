#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tui/model.hpp"

/// Times and numbers as the screen shows them.
namespace dictum::tui {

std::string time_of_day(const Model& model, Seconds at);    ///< "15:45:03"
std::string date_and_time(const Model& model, Seconds at);  ///< "2026-11-22 15:45"
std::string duration(Seconds length);                       ///< "1:02:03", "2:03"
std::string seconds(Seconds length);                        ///< "3.2 s"
std::string count(std::size_t number, std::string_view one, std::string_view many);

}  // namespace dictum::tui
