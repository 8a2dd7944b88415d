# A module is one folder of src/ and one static library. It sees the public headers, its own folder, and
# the headers of the modules that it names, nothing else: an arrow that HACKING.md does not draw does not compile.

add_library(dictum_warnings INTERFACE)
target_compile_options(dictum_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(PROJECT_IS_TOP_LEVEL) # another project's compiler may know warnings that ours does not
  target_compile_options(dictum_warnings INTERFACE -Werror)
endif()

add_library(dictum_flavour INTERFACE) # how every object of ours is compiled
target_compile_features(dictum_flavour INTERFACE cxx_std_20)
target_compile_options(dictum_flavour INTERFACE -pthread)
target_link_options(dictum_flavour INTERFACE LINKER:--as-needed) # pkg-config names more than what is used
if(DICTUM_SANITIZE)
  set(sanitize -fsanitize=${DICTUM_SANITIZE})
  if(DICTUM_SANITIZE MATCHES "undefined")
    # vptr looks at memory through a pipe: without a descriptor left, all is strange.
    list(APPEND sanitize -fno-sanitize=vptr)
  endif()
  target_compile_options(dictum_flavour INTERFACE ${sanitize} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(dictum_flavour INTERFACE -fsanitize=${DICTUM_SANITIZE})
endif()
if(DICTUM_COVERAGE)
  target_compile_options(dictum_flavour INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(dictum_flavour INTERFACE -fprofile-instr-generate)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang") # a precompiled header that is made again is the same, or ccache finds nothing
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# dictum_count_branches(TARGET): so that a fuzzer sees which inputs reach what no other one has reached.
function(dictum_count_branches target)
  if(DICTUM_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# dictum_compile_fast(TARGET): without optimisation, which takes half the compiler's time.
function(dictum_compile_fast target)
  target_compile_options(${target} PRIVATE -O0)
endfunction()

# dictum_precompile(TARGET): for a library; headers that most files include are read once for all of them, which takes a
# third off the compiler's time. By clang alone: gcc wants the same macros in all targets.
function(dictum_precompile target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  if(NOT TARGET dictum_precompiled)
    add_library(dictum_precompiled STATIC "${PROJECT_SOURCE_DIR}/cmake/empty.cpp")
    target_link_libraries(dictum_precompiled PRIVATE dictum_flavour dictum_warnings fmt::fmt Boost::json)
    dictum_count_branches(dictum_precompiled)
    target_precompile_headers(dictum_precompiled PRIVATE "${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp")
  endif()
  target_precompile_headers(${target} REUSE_FROM dictum_precompiled)
endfunction()

# dictum_module(NAME [MODULES module...] [WITHIN module...] [LIBRARIES library...]): every .cpp of the folder; what is
# named is visible to the module and, through its headers, to the modules that name it. What is named by WITHIN is
# visible to the module alone.
function(dictum_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "MODULES;WITHIN;LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp" "${CMAKE_CURRENT_SOURCE_DIR}/*.hpp")
  if(NOT sources)
    list(APPEND sources "${PROJECT_SOURCE_DIR}/cmake/empty.cpp")
  endif()
  add_library(dictum_${name} STATIC ${sources})
  set_property(TARGET dictum_${name} PROPERTY DICTUM_MODULES ${arg_MODULES} ${arg_WITHIN})
  list(TRANSFORM arg_MODULES PREPEND dictum_)
  list(TRANSFORM arg_WITHIN PREPEND dictum_)
  # A module's headers are included as "module/file.hpp". Each module publishes only its own name: the
  # folder build/modules/NAME holds one link, NAME, to the folder in src/.
  set(headers "${PROJECT_BINARY_DIR}/modules/${name}")
  file(MAKE_DIRECTORY "${headers}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${headers}/${name}" SYMBOLIC)
  target_include_directories(dictum_${name} PUBLIC "$<BUILD_INTERFACE:${headers}>")
  target_link_libraries(dictum_${name}
    PUBLIC dictum_public ${arg_MODULES} ${arg_LIBRARIES} dictum_flavour
    PRIVATE ${arg_WITHIN} $<BUILD_INTERFACE:dictum_warnings>)
  dictum_count_branches(dictum_${name})
  dictum_precompile(dictum_${name})
endfunction()

# dictum_all_modules(RESULT module...): the modules, and those that they name, and so on.
function(dictum_all_modules result)
  set(open ${ARGN})
  set(all)
  while(open)
    list(POP_FRONT open module)
    if(NOT module IN_LIST all)
      list(APPEND all ${module})
      get_target_property(named dictum_${module} DICTUM_MODULES)
      if(named)
        list(APPEND open ${named})
      endif()
    endif()
  endwhile()
  set(${result} ${all} PARENT_SCOPE)
endfunction()

# dictum_test(NAME SOURCES file... MODULES module... [LIBRARIES library...] [TIMEOUT seconds] [SERIAL] [LIVE]
# [LIVE_FILTER filter] [ZONE_FILTER filter] [ONE_THREAD]): one GoogleTest program. A SERIAL one runs alone. A ONE_THREAD one starts
# no thread, so it is not built for ThreadSanitizer. The tests of a LIVE one, or those that the
# filter matches, get the label "live": they need a real sound server or real time, so a busy machine may disturb them,
# and only they may be repeated until they pass (ctest -L live --repeat until-pass:3). The tests that ZONE_FILTER matches,
# those in which time has a say, run again in two other zones, with the label "zone".
function(dictum_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL;LIVE;ONE_THREAD" "TIMEOUT;LIVE_FILTER;ZONE_FILTER" "SOURCES;MODULES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  list(TRANSFORM arg_MODULES PREPEND dictum_)
  target_link_libraries(${name} PRIVATE ${arg_MODULES} ${arg_LIBRARIES} dictum_test_support GTest::gmock GTest::gtest_main dictum_warnings)
  dictum_compile_fast(${name}) # what the tests call is optimised
  if(TARGET dictum_precompiled_tests)
    target_precompile_headers(${name} REUSE_FROM dictum_precompiled_tests)
  endif()
  if(arg_ONE_THREAD AND DICTUM_SANITIZE MATCHES "thread")
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(discovery DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT ${arg_TIMEOUT} RUN_SERIAL ${arg_SERIAL} SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  if(arg_LIVE)
    gtest_discover_tests(${name} ${discovery} LABELS live)
  elseif(arg_LIVE_FILTER)
    gtest_discover_tests(${name} TEST_FILTER "-${arg_LIVE_FILTER}" ${discovery})
    gtest_discover_tests(${name} TEST_FILTER "${arg_LIVE_FILTER}" ${discovery} LABELS live)
  else()
    gtest_discover_tests(${name} ${discovery})
  endif()
  if(arg_ZONE_FILTER)
    foreach(zone Asia/Tokyo America/New_York)
      gtest_discover_tests(${name} TEST_PREFIX "${zone}." TEST_FILTER "${arg_ZONE_FILTER}" ${discovery} LABELS zone
        ENVIRONMENT "TZ=${zone}")
    endforeach()
  endif()
endfunction()
