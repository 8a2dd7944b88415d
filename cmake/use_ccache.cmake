# Compiles through ccache where it is installed, unless whoever configured chose otherwise. Of files that use precompiled
# headers it is told to keep the objects too: ours have no macros of the time, and the same macros wherever they are used.
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(DICTUM_CCACHE ccache)
  if(DICTUM_CCACHE)
    set(launcher env CCACHE_SLOPPINESS=pch_defines,time_macros "${DICTUM_CCACHE}")
    set(CMAKE_C_COMPILER_LAUNCHER "${launcher}" CACHE STRING "")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}" CACHE STRING "")
  endif()
endif()
