if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles C++20 coroutines: temporaries in a co_await expression "
    "are destroyed twice. Use clang 16 or newer, or GCC 13 or newer. On Debian 12: ./setup installs "
    "clang-19, and a fresh build folder then picks it by itself.")
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  message(FATAL_ERROR "clang ${CMAKE_CXX_COMPILER_VERSION} is too old: use clang 16 or newer.")
endif()
