#include "whisper_model_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "dictum/error.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_data.hpp"

namespace dictum::workers {
namespace {

std::string reason(const std::string& bytes) {
  std::istringstream stream(bytes);
  try {
    check_whisper_model(stream, "model.bin");
    return "";
  } catch (const RecorderError& error) {
    EXPECT_EQ(error.code(), make_error_code(Errc::model_missing));
    return error.what();
  }
}

template <class... Integers>
std::string integers(Integers... values) {
  std::string out;
  for (const std::int32_t value : {static_cast<std::int32_t>(values)...})
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

/// A small model: two tokens and one tensor of 2 by 32 weights of `type`, which take `data` bytes.
std::string small_model(std::int32_t type = 0, std::size_t data = 256) {
  std::string bytes = integers(0x67676d6c, 2, 1500, 64, 2, 4, 448, 64, 2, 4, 80, 1);
  bytes += integers(2, 3) + std::string(24, '\0');
  bytes += integers(2, 1) + "a" + integers(0);
  bytes += integers(2, 5, type, 32, 2) + "hello" + std::string(data, '\1');
  return bytes;
}

TEST(WhisperModelFile, TakesTheLibrarysOwnTestModel) {
  DICTUM_TEST_DATA_OR_SKIP(model, "models/whisper_for_tests_tiny_en.bin");
  EXPECT_NO_THROW(check_whisper_model(model));
}

TEST(WhisperModelFile, KnowsHowWeightsAreStored) {
  EXPECT_EQ(reason(small_model(0, 256)), "");
  EXPECT_EQ(reason(small_model(1, 128)), "");
  EXPECT_EQ(reason(small_model(6, 44)), "");
  EXPECT_EQ(reason(small_model(8, 68)), "");
  EXPECT_EQ(reason(small_model(99, 7)), "") << "left to the library";
}

TEST(WhisperModelFile, FindsEveryPlaceWhereItWasCutShort) {
  const std::string whole = small_model();
  const std::size_t before_weights = whole.size() - 256 - 5 - 20;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (size == before_weights) continue;  // whole, but without weights: the library counts those
    EXPECT_NE(reason(whole.substr(0, size)), "") << size;
  }
}

TEST(WhisperModelFile, FindsDamageInEveryNumberOfItsHeader) {
  for (std::size_t number = 0; number < 14; ++number) {
    if (number == 11) continue;  // the type of the weights
    std::string damaged = small_model();
    damaged.replace(number * 4, 4, integers(0x7fffffff));
    EXPECT_NE(reason(damaged), "") << number;
  }
}

TEST(WhisperModelFile, SaysThatItIsSomethingElse) {
  EXPECT_NE(reason("this is text").find("no model of whisper.cpp"), std::string::npos);
  EXPECT_NE(reason("").find("no model of whisper.cpp"), std::string::npos);
}

TEST(WhisperModelFile, SaysThatItIsMissing) {
  const test::TemporaryDirectory folder;
  for (const auto& path : {folder / "none.bin", folder.path()}) {
    try {
      check_whisper_model(path);
      FAIL();
    } catch (const RecorderError& error) {
      EXPECT_NE(std::string(error.what()).find("there is no model file"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace dictum::workers
