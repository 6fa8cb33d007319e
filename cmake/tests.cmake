# The tests as ctest knows them, but for the rooms' own (rooms.cmake). Labels: `unit` (tests of rooms, house rules),
# `scripts` (the modules' scripts, and what runs the program here), `fleet` (real hosts: scripts/test brings them up).

# cnplay_python_test(NAME FILE LABEL [SHARES n] [COST n] [TIMEOUT seconds] [NEEDS VARIABLE=value...])
# One test of ctest, or several that share the tests of the file. NEEDS: its environment.
function(cnplay_python_test name file label)
  set(ARG_SHARES 1)
  set(ARG_COST 0)
  set(ARG_TIMEOUT 600)
  cmake_parse_arguments(GIVEN "" "SHARES;COST;TIMEOUT" "NEEDS" ${ARGN})
  foreach(setting IN ITEMS SHARES COST TIMEOUT)
    if(GIVEN_${setting})
      set(ARG_${setting} ${GIVEN_${setting}})
    endif()
  endforeach()
  foreach(share RANGE 1 ${ARG_SHARES})
    set(test ${name})
    if(ARG_SHARES GREATER 1)
      set(test ${name}_${share})
    endif()
    add_test(NAME ${test} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
      COMMAND ${Python3_EXECUTABLE} tests/support/timed.py --share ${share}/${ARG_SHARES} ${file})
    set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT ${ARG_TIMEOUT} COST ${ARG_COST}
      ENVIRONMENT "${GIVEN_NEEDS};TIMES=${CMAKE_BINARY_DIR}/times/${test}.xml")
  endforeach()
endfunction()

# House rules.
foreach(name IN ITEMS rooms readme)
  set(test house_${name})
  add_test(NAME ${test} COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/house/${name}_test.py)
  set_tests_properties(${test} PROPERTIES LABELS unit)
endforeach()
cnplay_python_test(house_lanes tests/house/lanes_test.py unit)
cnplay_python_test(house_prose tests/house/prose_test.py unit)
cnplay_python_test(house_hooks tests/house/hooks_test.py unit)
cnplay_python_test(house_changed tests/house/changed_test.py unit NEEDS BUILD=${CMAKE_BINARY_DIR})

# The modules' scripts: their form, and what they do in each of the shells.
add_test(NAME modules_form COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/modules/shell_test.py)
set_tests_properties(modules_form PROPERTIES LABELS scripts)
foreach(shell IN ITEMS dash bash "busybox sh" mksh)
  string(REPLACE " sh" "" name ${shell})
  add_test(NAME modules_${name} COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/modules/local_test.py ${shell})
  set_tests_properties(modules_${name} PROPERTIES LABELS scripts TIMEOUT 1500 ENVIRONMENT CNPLAY=$<TARGET_FILE:cnplay>)
endforeach()

add_test(NAME modules_cloud COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/modules/cloud_test.py)
set_tests_properties(modules_cloud PROPERTIES LABELS scripts TIMEOUT 1500 ENVIRONMENT CNPLAY=$<TARGET_FILE:cnplay>)

# The promise as a model, and the functions that its rules name.
cnplay_python_test(protocol_model tests/protocol/model_test.py scripts TIMEOUT 3600)
# scripts/mutate itself takes hours, and is run by hand.
cnplay_python_test(mutation tests/mutation/mutate_test.py scripts)

# What runs the program here: reports in a browser and as the command writes them, notifications, the vault at a
# terminal; the controller killed at its record's lines, sessions, locks; the hosts of the benchmarks.
set(program CNPLAY=$<TARGET_FILE:cnplay>)
cnplay_python_test(report_browser tests/report/browser_test.py scripts)
cnplay_python_test(report_command tests/report/command_test.py scripts NEEDS ${program})
cnplay_python_test(report_notify tests/report/notify_test.py scripts NEEDS ${program})
cnplay_python_test(playbooks_cobalt tests/playbooks/cobalt_test.py scripts TIMEOUT 900 NEEDS ${program})
cnplay_python_test(cli_vault tests/cli/vault_test.py scripts TIMEOUT 900 NEEDS ${program})
cnplay_python_test(cli_output tests/cli/output_test.py scripts TIMEOUT 900 NEEDS ${program})
cnplay_python_test(cli_documents tests/cli/documents_test.py scripts NEEDS ${program})
cnplay_python_test(cli_redaction tests/cli/redaction_test.py scripts TIMEOUT 900 NEEDS ${program})
add_library(die MODULE tests/faults/die.cc)
target_link_libraries(die PRIVATE cnplay_options ${CMAKE_DL_LIBS})
foreach(name IN ITEMS controller people locks way_back choice take_up story endings undo matrix dry_run drift reviewed tunnel log local)
  cnplay_python_test(faults_${name} tests/faults/${name}_test.py scripts TIMEOUT 1800
    NEEDS ${program} DIE=$<TARGET_FILE:die>)
endforeach()
cnplay_python_test(bench_hosts tests/bench/hosts_test.py scripts NEEDS ${program} HOSTS=$<TARGET_FILE:hosts>)
cnplay_python_test(bench_files tests/bench/files_test.py scripts)

# Real hosts, one test after the other; in two fleets: one for the modules, and one for the rest.
file(GLOB fleet_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests/fleet/*_test.py)
foreach(file IN LISTS fleet_tests)
  get_filename_component(name ${file} NAME_WE)
  if(name STREQUAL modules_test)  # no unittest: it reads plays
    add_test(NAME fleet_${name} COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/${file})
    set_tests_properties(fleet_${name} PROPERTIES LABELS fleet_modules ENVIRONMENT ${program})
  else()
    cnplay_python_test(fleet_${name} ${file} fleet_plays NEEDS ${program})
  endif()
  set_tests_properties(fleet_${name} PROPERTIES TIMEOUT 1800 RUN_SERIAL ON)
endforeach()
add_test(NAME fleet_stages COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/modules/fleet_test.py)
set_tests_properties(fleet_stages PROPERTIES LABELS fleet_modules TIMEOUT 1800 RUN_SERIAL ON ENVIRONMENT ${program})

# What these tests need besides the program.
add_custom_target(test_tools DEPENDS die hosts)
