# The page that the server sends to browsers becomes read-only data of the program, so that an installed one needs no
# files beside it.

# dictum_embed_page(TARGET): gives TARGET the definition of dictum::server::page_files(): the files of web/.
function(dictum_embed_page target)
  set(folder "${PROJECT_SOURCE_DIR}/web")
  file(GLOB DICTUM_PAGE_FILES CONFIGURE_DEPENDS RELATIVE "${folder}" "${folder}/*")
  set(DICTUM_PAGE_DATA)
  set(DICTUM_PAGE_TABLE)
  set(paths)
  foreach(name ${DICTUM_PAGE_FILES})
    string(MAKE_C_IDENTIFIER "${name}" id)
    list(APPEND paths "${folder}/${name}")
    string(APPEND DICTUM_PAGE_DATA "DICTUM_PAGE_FILE(${id}, \"${folder}/${name}\")\n")
    string(APPEND DICTUM_PAGE_TABLE "    {\"${name}\", between(dictum_page_${id}_begin, dictum_page_${id}_end)},\n")
  endforeach()
  set(source "${CMAKE_CURRENT_BINARY_DIR}/page_files.cpp")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/page_files.cpp.in" "${source}" @ONLY)
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE "${source}")
endfunction()
