# GCC 12, Debian 12's default, miscompiles coroutines without a warning (see refuse_old_gcc.cmake), so
# where a fit clang is installed beside it and nobody chose a compiler, clang is taken. Under pip, CXX is nobody's choice:
# scikit-build-core sets it to what Python was built with. tools/find_compiler tries the same ones.
if(NOT DEFINED CMAKE_CXX_COMPILER AND (SKBUILD OR NOT DEFINED ENV{CXX}))
  find_program(DICTUM_CLANGXX NAMES clang++-19 clang++-20 clang++-21 clang++-18 clang++-17 clang++-16)
  find_program(DICTUM_CLANG NAMES clang-19 clang-20 clang-21 clang-18 clang-17 clang-16)
  if(DICTUM_CLANGXX AND DICTUM_CLANG)
    set(CMAKE_C_COMPILER "${DICTUM_CLANG}" CACHE FILEPATH "C compiler")
    set(CMAKE_CXX_COMPILER "${DICTUM_CLANGXX}" CACHE FILEPATH "C++ compiler")
  endif()
endif()
