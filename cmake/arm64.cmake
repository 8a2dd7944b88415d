# CMake's toolchain file of the preset `arm64`: builds for 64-bit ARM on a machine of another kind. Clang compiles, the binutils
# for aarch64 link. Headers and libraries are those of Debian's arm64 packages, which tools/get_arm64 has unpacked. What
# the build has to run is run by qemu-user.
get_filename_component(DICTUM_DEPS "${CMAKE_CURRENT_LIST_DIR}/../build/deps/arm64" ABSOLUTE) # for arm64 what set-up builds
set(root "${DICTUM_DEPS}/root")
if(NOT EXISTS "${root}/made-for")
  message(FATAL_ERROR "The packages of Debian for arm64 are not here. Run tools/get_arm64, and configure again.")
endif()

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/choose_compiler.cmake")
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
foreach(tool AR RANLIB STRIP OBJCOPY OBJDUMP READELF NM)
  string(TOLOWER "aarch64-linux-gnu-${tool}" program)
  find_program(CMAKE_${tool} ${program})
endforeach()
find_program(DICTUM_QEMU NAMES qemu-aarch64 qemu-aarch64-static)
set(CMAKE_CROSSCOMPILING_EMULATOR "${DICTUM_QEMU};-L;${root}")

set(CMAKE_SYSROOT "${root}")
set(CMAKE_FIND_ROOT_PATH "${root}" "${DICTUM_DEPS}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(ENV{PKG_CONFIG_LIBDIR} "${root}/usr/lib/aarch64-linux-gnu/pkgconfig:${root}/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${root}")
