# Compiles through ccache where it is installed, unless whoever configured chose otherwise.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(DICTUM_CCACHE ccache)
  if(DICTUM_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER "${DICTUM_CCACHE}" CACHE STRING "")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${DICTUM_CCACHE}" CACHE STRING "")
  endif()
endif()
