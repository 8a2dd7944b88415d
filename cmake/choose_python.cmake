# The Python package is built where ./setup has made its environment, build/venv, and the library is what will be
# shipped: without sanitizers, which Python itself would have to be started with. -DDICTUM_PYTHON=OFF or ON overrules.
set(DICTUM_PYTHON_EXECUTABLE "${PROJECT_SOURCE_DIR}/build/venv/bin/python" CACHE FILEPATH "The Python to build for; it has nanobind")
if(NOT DEFINED DICTUM_PYTHON)
  set(DICTUM_PYTHON OFF)
  if(DICTUM_DEVELOPER AND DICTUM_APPS AND EXISTS "${DICTUM_PYTHON_EXECUTABLE}" AND NOT CMAKE_CROSSCOMPILING AND NOT DICTUM_SANITIZE AND NOT DICTUM_COVERAGE)
    set(DICTUM_PYTHON ON)
  endif()
endif()
