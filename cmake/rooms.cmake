# A room of src/ is one static library; its tests in tests/<room>/ are one GoogleTest program.
if(CNPLAY_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  # Tests are compiled for each change and run once: -O2 would cost more than their own code gains by it.
  add_library(cnplay_test_options INTERFACE)
  target_compile_options(cnplay_test_options INTERFACE -O0 -U_FORTIFY_SOURCE)  # which wants -O1
  target_link_libraries(cnplay_test_options INTERFACE GTest::gmock)
  add_custom_target(unit_tests)  # the rooms' test programs
endif()

# A set of precompiled headers that rooms or tests share: cnplay_precompiled(NAME LINKS targets... HEADERS headers...)
function(cnplay_precompiled name)
  cmake_parse_arguments(SET "" "" "LINKS;HEADERS" ${ARGN})
  if(CNPLAY_PCH)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/precompiled_${name}.cc CONTENT "")
    add_library(cnplay_precompiled_${name} OBJECT ${CMAKE_BINARY_DIR}/generated/precompiled_${name}.cc)
    target_link_libraries(cnplay_precompiled_${name} PRIVATE cnplay_options date::date date::date-tz Boost::headers
      ${SET_LINKS})
    target_precompile_headers(cnplay_precompiled_${name} PRIVATE ${SET_HEADERS})
  endif()
endfunction()

function(cnplay_use_precompiled target name)
  if(CNPLAY_PCH)
    target_precompile_headers(${target} REUSE_FROM cnplay_precompiled_${name})
  endif()
endfunction()

# cnplay_room(NAME [ASIO] [SHARDS n] LINKS public... PRIVATE_LINKS private... TEST_LINKS rooms...)
# ASIO: its sources include Asio. TEST_LINKS: rooms above it that its tests look through. SHARDS: ctest runs the room's tests in that many processes, side by side.
function(cnplay_room name)
  cmake_parse_arguments(ROOM "ASIO" "SHARDS" "LINKS;PRIVATE_LINKS;TEST_LINKS" ${ARGN})
  set(precompiled standard)
  set(precompiled_test test)
  if(ROOM_ASIO)
    set(precompiled asio)
    set(precompiled_test asio_test)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/cli/main\\.cc$")
  if(sources)
    add_library(cnplay_${name} STATIC ${sources})
    target_link_libraries(cnplay_${name} PUBLIC cnplay_options ${ROOM_LINKS} PRIVATE ${ROOM_PRIVATE_LINKS})
    cnplay_use_precompiled(cnplay_${name} ${precompiled})
    if(CNPLAY_UNITY)
      set_target_properties(cnplay_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # takes local types of an included file for shared ones
        target_compile_options(cnplay_${name} PRIVATE -Wno-subobject-linkage)
      endif()
    endif()
  else()
    add_library(cnplay_${name} INTERFACE)
    target_link_libraries(cnplay_${name} INTERFACE cnplay_options ${ROOM_LINKS} ${ROOM_PRIVATE_LINKS})
  endif()
  if(CNPLAY_TESTS)
    file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cc)
    if(tests)
      file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/${name}/*.cc)
      add_executable(${name}_test ${tests} ${support})
      target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
      target_link_libraries(${name}_test PRIVATE ${ROOM_TEST_LINKS} cnplay_${name} ${ROOM_PRIVATE_LINKS} source_directory cnplay_test_options GTest::gtest_main)
      cnplay_use_precompiled(${name}_test ${precompiled_test})
      add_dependencies(unit_tests ${name}_test)
      cnplay_unit_test(${name} "${ROOM_SHARDS}")
    endif()
  endif()
endfunction()

# These files are compiled alone, also with CNPLAY_UNITY: each takes long enough by itself.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/cli/options.cc ${CMAKE_SOURCE_DIR}/src/journal/run_directory.cc
  PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

# Apart, because its object is another one in each clone.
if(CNPLAY_TESTS)
  add_library(source_directory STATIC ${CMAKE_SOURCE_DIR}/tests/support/source_directory.cc)
  target_include_directories(source_directory PUBLIC ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(source_directory PRIVATE cnplay_options)
  target_compile_definitions(source_directory PRIVATE CNPLAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endif()

# Tells ctest of a room's tests. GTEST_OUTPUT: scripts/test lists the slowest tests from these files.
function(cnplay_unit_test name shards)
  if(NOT shards)
    set(shards 1)
  endif()
  foreach(shard RANGE 1 ${shards})
    set(test ${name})
    if(shards GREATER 1)
      set(test ${name}_${shard})
    endif()
    math(EXPR index "${shard} - 1")
    add_test(NAME ${test} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${test} PROPERTIES TIMEOUT 1800 LABELS unit COST ${shards} ENVIRONMENT
      "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${index};GTEST_OUTPUT=xml:${CMAKE_BINARY_DIR}/times/${test}.xml")
  endforeach()
endfunction()

# Embeds the files PATTERN in the room's library: FUNCTION() in src/<room>/HEADER returns them.
function(cnplay_embed room header function pattern)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${pattern})
  get_filename_component(prefix ${pattern} DIRECTORY)
  set(out ${CMAKE_BINARY_DIR}/generated/${function}.cc)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DPREFIX=${prefix}/ -DHEADER=${room}/${header} -DNAMESPACE=cnplay::${room}
      -DFUNCTION=${function} "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(cnplay_${room} PRIVATE ${out})
endfunction()
