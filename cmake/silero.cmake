# The official Silero VAD weights become read-only data of the library, so that an installed program needs no
# model file. The build looks, in this order, at
#   - DICTUM_SILERO_MODEL (CMake variable, else environment variable): a file, or OFF to build without,
#   - build/models/ of the source tree, where the set-up script puts it,
#   - models/ in the test data: $DICTUM_TEST_DATA, then ../shared beside the source tree.
# A file with another checksum is not taken. Without the model the build succeeds, says so, and detects speech by
# adaptive energy.
set(DICTUM_SILERO_FILE "silero_vad_16k_op15.onnx")
set(DICTUM_SILERO_SHA256 "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49")

function(dictum_find_silero result)
  set(candidates)
  if(DEFINED DICTUM_SILERO_MODEL)
    list(APPEND candidates "${DICTUM_SILERO_MODEL}")
  elseif(DEFINED ENV{DICTUM_SILERO_MODEL})
    list(APPEND candidates "$ENV{DICTUM_SILERO_MODEL}")
  endif()
  if("OFF" IN_LIST candidates)
    set(${result} "" PARENT_SCOPE)
    return()
  endif()
  list(APPEND candidates "${PROJECT_SOURCE_DIR}/build/models/${DICTUM_SILERO_FILE}")
  if(DEFINED ENV{DICTUM_TEST_DATA})
    list(APPEND candidates "$ENV{DICTUM_TEST_DATA}/models/${DICTUM_SILERO_FILE}")
  endif()
  list(APPEND candidates "${PROJECT_SOURCE_DIR}/../shared/models/${DICTUM_SILERO_FILE}")

  foreach(candidate IN LISTS candidates)
    if(candidate STREQUAL "" OR NOT EXISTS "${candidate}" OR IS_DIRECTORY "${candidate}")
      continue()
    endif()
    file(SHA256 "${candidate}" checksum)
    if(checksum STREQUAL DICTUM_SILERO_SHA256)
      get_filename_component(candidate "${candidate}" REALPATH)
      set(${result} "${candidate}" PARENT_SCOPE)
      return()
    endif()
    message(WARNING "${candidate} is not the Silero VAD model that Dictum expects (SHA-256 ${DICTUM_SILERO_SHA256}); it is left out.")
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

# dictum_embed_silero(TARGET): gives TARGET the definition of dictum::vad::embedded_model().
function(dictum_embed_silero target)
  dictum_find_silero(DICTUM_SILERO_PATH)
  if(DICTUM_SILERO_PATH)
    message(STATUS "Silero VAD model: ${DICTUM_SILERO_PATH}")
    # Configuring again when the file changes checks the checksum again.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${DICTUM_SILERO_PATH}")
  else()
    message(WARNING "The Silero VAD model was not found: speech will be detected by adaptive energy, which is much "
                    "less reliable. Run the set-up script, or put ${DICTUM_SILERO_FILE} of the silero-vad 6.2.1 "
                    "package into build/models/, and configure again.")
  endif()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/embedded_model.cpp")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/silero_embedded.cpp.in" "${source}" @ONLY)
  if(DICTUM_SILERO_PATH)
    set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${DICTUM_SILERO_PATH}")
  endif()
  target_sources(${target} PRIVATE "${source}")
endfunction()
