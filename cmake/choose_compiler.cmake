# GCC 12, Debian 12's default, miscompiles coroutines without a warning (see refuse_old_gcc.cmake), so
# where clang-19 is installed beside it and nobody chose a compiler, clang-19 is taken. Under pip, CXX is nobody's choice:
# scikit-build-core sets it to what Python was built with.
if(NOT DEFINED CMAKE_CXX_COMPILER AND (SKBUILD OR NOT DEFINED ENV{CXX}))
  find_program(DICTUM_CLANGXX clang++-19)
  find_program(DICTUM_CLANG clang-19)
  if(DICTUM_CLANGXX AND DICTUM_CLANG)
    set(CMAKE_C_COMPILER "${DICTUM_CLANG}" CACHE FILEPATH "C compiler")
    set(CMAKE_CXX_COMPILER "${DICTUM_CLANGXX}" CACHE FILEPATH "C++ compiler")
  endif()
endif()
