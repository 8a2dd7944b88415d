#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dictum::json {

/// Reads the fields of one JSON object that came from outside. What is missing or of a wrong kind is refused in a
/// sentence that names the field and the object. Refers to the object, which outlives this.
class Fields {
 public:
  /// Throws what the caller is to get, with this sentence.
  using Refuse = void (*)(const std::string& sentence);

  /// `owner` is what the object is in a sentence: "the manifest". Refused where `value` is no object.
  Fields(const boost::json::value& value, std::string owner, Refuse refuse);

  /// Null where it is missing or null.
  const boost::json::value* find(std::string_view key) const;

  /// Whether it is null; refused where it is missing.
  bool is_null(std::string_view key) const;

  std::string text(std::string_view key) const { return text_in(key, required(key)); }
  std::string text_or(std::string_view key, std::string_view otherwise) const;

  bool flag(std::string_view key) const { return flag_in(key, required(key)); }
  bool flag_or(std::string_view key, bool otherwise) const;

  template <class Integer>
  Integer integer(std::string_view key, Integer least = std::numeric_limits<Integer>::min()) const {
    return integer_in(key, required(key), least);
  }
  template <class Integer>
  std::optional<Integer> optional_integer(std::string_view key,
                                          Integer least = std::numeric_limits<Integer>::min()) const {
    const boost::json::value* value = find(key);
    return value != nullptr ? std::optional(integer_in(key, *value, least)) : std::nullopt;
  }

  /// Finite.
  double number(std::string_view key) const { return number_in(key, required(key)); }

  const boost::json::object& object(std::string_view key) const;
  const boost::json::array& array(std::string_view key) const { return array_in(key, required(key)); }

  /// The same, empty where it is missing.
  const boost::json::array& array_or_empty(std::string_view key) const;

  // Of one item of the field `key`.
  std::string text_in(std::string_view key, const boost::json::value& value) const;
  double number_in(std::string_view key, const boost::json::value& value) const;
  template <class Integer>
  Integer integer_in(std::string_view key, const boost::json::value& value,
                     Integer least = std::numeric_limits<Integer>::min()) const {
    boost::system::error_code error;
    const auto number = value.to_number<Integer>(error);
    if (error || number < least) wrong(key, "a whole number in its range");
    return number;
  }
  Fields fields_in(const boost::json::value& value, std::string owner) const {
    return {value, std::move(owner), refuse_};
  }

  /// Refuses the field: `wanted` is what it has to be.
  [[noreturn]] void wrong(std::string_view key, std::string_view wanted) const;

 private:
  const boost::json::value& required(std::string_view key) const;
  bool flag_in(std::string_view key, const boost::json::value& value) const;
  const boost::json::array& array_in(std::string_view key, const boost::json::value& value) const;
  const boost::json::object* object_;
  std::string owner_;
  Refuse refuse_;  // does not return
};

}  // namespace dictum::json
