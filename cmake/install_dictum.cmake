# What `cmake --install` puts where. Components: `runtime` (the program, its workers, the shared library and what belongs
# to them), `development` (headers, and how other projects find the library), `python` (only where it is asked for by
# name: the wheel is how the Python package is installed). The workers' own rules are in apps/.
include(CMakePackageConfigHelpers)

install(TARGETS dictum EXPORT dictum-targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/dictum" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
if(TARGET dictum_program)
  install(TARGETS dictum_program DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
  # Where systemd looks for units of users, below the prefix, which is known when it is installed. In /usr and /usr/local
  # systemd finds a program by its name; so a package may be made in another folder, whose path ends with /usr.
  install(CODE "
    set(DICTUM_PROGRAM dictum)
    if(NOT CMAKE_INSTALL_PREFIX MATCHES \"/usr(/local)?$\")
      set(DICTUM_PROGRAM \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/dictum\")
    endif()
    configure_file(\"${PROJECT_SOURCE_DIR}/systemd/dictum.service.in\" \"${PROJECT_BINARY_DIR}/dictum.service\" @ONLY)"
    COMPONENT runtime)
  install(FILES "${PROJECT_BINARY_DIR}/dictum.service" "${PROJECT_SOURCE_DIR}/systemd/dictum.socket"
    DESTINATION lib/systemd/user COMPONENT runtime)
endif()

# The licence, and the notices of what is compiled into the binaries; THIRD_PARTY.md has those that are not listed here.
install(FILES LICENSE THIRD_PARTY.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)
file(GLOB notices /usr/share/doc/libcli11-dev/copyright /usr/share/doc/libtomlplusplus-dev/copyright
  /usr/share/doc/libhwy-dev/copyright /usr/share/doc/libomp5-*/copyright)
foreach(notice ${notices})
  get_filename_component(package "${notice}" DIRECTORY)
  get_filename_component(package "${package}" NAME)
  install(FILES "${notice}" DESTINATION "${CMAKE_INSTALL_DOCDIR}/third-party" COMPONENT runtime RENAME "${package}.txt")
endforeach()

# The one version of Boost that programs can use the library with.
set(DICTUM_BOOST_VERSION "${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}")
math(EXPR DICTUM_BOOST_NUMBER "${Boost_VERSION_MAJOR} * 1000 + ${Boost_VERSION_MINOR}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/built_with.hpp.in" "${PROJECT_BINARY_DIR}/built_with.hpp" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/built_with.hpp" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/dictum/detail" COMPONENT development)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/dictum")
install(EXPORT dictum-targets NAMESPACE dictum:: DESTINATION "${package_folder}" COMPONENT development)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/dictum-config.cmake.in"
  "${PROJECT_BINARY_DIR}/dictum-config.cmake" INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dictum-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/dictum-config.cmake" "${PROJECT_BINARY_DIR}/dictum-config-version.cmake"
  DESTINATION "${package_folder}" COMPONENT development)

# Relative to the file itself, so that the installed tree may be moved.
file(RELATIVE_PATH DICTUM_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" DICTUM_PC_PREFIX "${DICTUM_PC_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/dictum.pc.in" "${PROJECT_BINARY_DIR}/dictum.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/dictum.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
