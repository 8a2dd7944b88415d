# Everything that Dictum links, in one place; HACKING.md says what each is for.
if(NOT DEFINED DICTUM_DEPS) # where set-up puts what it builds; the toolchain file of arm64 names another folder
  set(DICTUM_DEPS "${PROJECT_SOURCE_DIR}/build/deps")
endif()
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
pkg_check_modules(sndfile REQUIRED IMPORTED_TARGET sndfile>=1.2)
pkg_check_modules(hwy REQUIRED libhwy) # headers
pkg_check_modules(pulse REQUIRED IMPORTED_TARGET libpulse)
pkg_check_modules(portaudio IMPORTED_TARGET portaudio-2.0) # optional: the backend is left out without it
pkg_check_modules(opus IMPORTED_TARGET opus>=1.3) # optional: without it streams of audio cannot be Opus
pkg_check_modules(nats IMPORTED_TARGET libnats>=3.4) # optional: without it there is no cluster
pkg_check_modules(ffmpeg IMPORTED_TARGET libavformat>=59 libavcodec>=59 libavutil>=57.24 libswresample>=4.7) # optional: without it the decoder knows fewer kinds
