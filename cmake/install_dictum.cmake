# What `cmake --install` puts where: the headers, the library, how other projects find both, and the program. The
# workers say for themselves, in apps/workers/.
include(CMakePackageConfigHelpers)

install(TARGETS dictum EXPORT dictum-targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/dictum" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
if(TARGET dictum_program)
  install(TARGETS dictum_program DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(FILES LICENSE THIRD_PARTY.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/dictum")
install(EXPORT dictum-targets NAMESPACE dictum:: DESTINATION "${package_folder}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/dictum-config.cmake.in"
  "${PROJECT_BINARY_DIR}/dictum-config.cmake" INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dictum-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/dictum-config.cmake" "${PROJECT_BINARY_DIR}/dictum-config-version.cmake"
  DESTINATION "${package_folder}")

# Relative to the file itself, so that the installed tree may be moved.
file(RELATIVE_PATH DICTUM_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" DICTUM_PC_PREFIX "${DICTUM_PC_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/dictum.pc.in" "${PROJECT_BINARY_DIR}/dictum.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/dictum.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
