# DICTUM_SMALL_MODELS: a folder with the smallest recogniser of the test data and no other, for the tests that need texts and
# do not look at their words (as DICTUM_MODELS_DIR); with it they take less than half the time. Empty where there is none.
set(DICTUM_SMALL_MODELS "")
foreach(data "$ENV{DICTUM_TEST_DATA}" "${PROJECT_SOURCE_DIR}/../shared")
  set(model "${data}/models/ggml-tiny.en-q8_0.bin")
  if(NOT DICTUM_SMALL_MODELS AND EXISTS "${model}")
    set(DICTUM_SMALL_MODELS "${PROJECT_BINARY_DIR}/small-models")
    file(MAKE_DIRECTORY "${DICTUM_SMALL_MODELS}")
    file(REAL_PATH "${model}" model)
    file(CREATE_LINK "${model}" "${DICTUM_SMALL_MODELS}/ggml-tiny.en-q8_0.bin" SYMBOLIC)
  endif()
endforeach()
