# Debian packages of what was built: `make deb`, or `cpack` in the build folder. `dictum` has the component `runtime`,
# `libdictum-dev` the component `development`. Both are for the release of the distribution that they were built on.
set(CPACK_GENERATOR DEB)
if(CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64") # else it is the architecture of this machine
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
endif()
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)

set(CPACK_PACKAGE_NAME dictum)
set(CPACK_PACKAGE_VENDOR "Dictum")
set(CPACK_PACKAGE_CONTACT "Dictum maintainers <dictum@localhost>" CACHE STRING "Maintainer field of the Debian packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "recorder for voice applications")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"Records what is said, keeps every spoken segment safe on disk, and transcribes
it in processes of their own: with Whisper, where a model was fetched (dictum
models pull), else with PocketSphinx. Nothing leaves the machine unless a
remote transcriber is named. The program dictum has a terminal UI and a server;
the library libdictum is for other programs.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"The headers of libdictum, for C++20 (clang 16, GCC 13 or newer) and for C, and
what CMake and pkg-config need to find it.")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME dictum)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION sound)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_GENERATE_SHLIBS ON)
# Whisper's libraries come with the worker.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${DICTUM_DEPS}/whisper/lib")
# Loaded at their first use, so that no tool finds them among what is linked; and the model of the fallback recogniser.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "libpulse0, libcurl4 | libcurl4t64, ca-certificates, pocketsphinx-en-us")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "pulseaudio | pipewire-pulse")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "libportaudio2")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libdictum-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "dictum (= ${PROJECT_VERSION}), libboost${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}-dev")
include(CPack)
