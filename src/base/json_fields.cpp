#include "base/json_fields.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace dictum::json {

Fields::Fields(const boost::json::value& value, std::string owner, Refuse refuse)
    : object_(value.if_object()), owner_(std::move(owner)), refuse_(refuse) {
  if (object_ == nullptr) refuse_(owner_ + " must be an object");
}

const boost::json::value* Fields::find(std::string_view key) const {
  const boost::json::value* value = object_->if_contains(key);
  return value != nullptr && value->is_null() ? nullptr : value;
}

bool Fields::is_null(std::string_view key) const {
  if (!object_->contains(key)) required(key);
  return find(key) == nullptr;
}

const boost::json::value& Fields::required(std::string_view key) const {
  const boost::json::value* value = find(key);
  if (value == nullptr) {
    refuse_(fmt::format("\"{}\" is missing in {}", key, owner_));
    std::abort();
  }
  return *value;
}

std::string Fields::text_or(std::string_view key, std::string_view otherwise) const {
  const boost::json::value* value = find(key);
  return value != nullptr ? text_in(key, *value) : std::string(otherwise);
}

bool Fields::flag_or(std::string_view key, bool otherwise) const {
  const boost::json::value* value = find(key);
  return value != nullptr ? flag_in(key, *value) : otherwise;
}

const boost::json::object& Fields::object(std::string_view key) const {
  const boost::json::object* value = required(key).if_object();
  if (value == nullptr) wrong(key, "an object");
  return *value;
}

const boost::json::array& Fields::array_or_empty(std::string_view key) const {
  static const boost::json::array kNone;
  const boost::json::value* value = find(key);
  return value != nullptr ? array_in(key, *value) : kNone;
}

std::string Fields::text_in(std::string_view key, const boost::json::value& value) const {
  if (!value.is_string()) wrong(key, "text");
  return std::string(value.get_string());
}

bool Fields::flag_in(std::string_view key, const boost::json::value& value) const {
  if (!value.is_bool()) wrong(key, "true or false");
  return value.get_bool();
}

double Fields::number_in(std::string_view key, const boost::json::value& value) const {
  boost::system::error_code error;
  const auto number = value.to_number<double>(error);
  if (error || !std::isfinite(number)) wrong(key, "a finite number");
  return number;
}

const boost::json::array& Fields::array_in(std::string_view key, const boost::json::value& value) const {
  if (!value.is_array()) wrong(key, "a list");
  return value.get_array();
}

void Fields::wrong(std::string_view key, std::string_view wanted) const {
  refuse_(fmt::format("\"{}\" in {} must be {}", key, owner_, wanted));
  std::abort();
}

}  // namespace dictum::json
