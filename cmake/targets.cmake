# A folder is a target: vigia_library(vigia_core LINK ...) takes every .cc beside its CMakeLists.txt,
# and those of the folders named after FOLDERS. With SMALL it is compiled for size, and so are the
# folders after SMALL_FOLDERS: what runs when something happens, not all the time.

# What nearly every file includes, compiled once: a quarter of the compiler's work. The tests always
# have it, with Catch; the libraries by option, because optimised code under it meets false alarms of
# GCC 12 (cmake/compiler.cmake). A precompiled header wants to have been compiled as its users are,
# so what only some libraries ask for, all tests have.
set(common <algorithm> <array> <atomic> <chrono> <cstdint> <filesystem> <functional> <map> <memory>
           <mutex> <optional> <span> <string> <string_view> <thread> <unordered_map> <utility>
           <variant> <vector> <tl/expected.hpp>)
file(WRITE ${PROJECT_BINARY_DIR}/pch/empty.cc "")
if(VIGIA_PCH)
  add_library(vigia_pch STATIC ${PROJECT_BINARY_DIR}/pch/empty.cc)
  target_link_libraries(vigia_pch PRIVATE Threads::Threads tl::expected vigia_flags)
  target_precompile_headers(vigia_pch PRIVATE ${common})
endif()
if(VIGIA_TESTS)
  # Not optimised: a test runs once for each time that it is compiled.
  add_library(vigia_test_flags INTERFACE)
  target_compile_options(vigia_test_flags INTERFACE -O0 -pthread
                         $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  target_compile_definitions(vigia_test_flags INTERFACE _FILE_OFFSET_BITS=64)
  target_link_libraries(vigia_test_flags INTERFACE Threads::Threads tl::expected Catch2::Catch2
                                                   vigia_flags)
  add_library(vigia_test_pch STATIC ${PROJECT_BINARY_DIR}/pch/empty.cc)
  target_link_libraries(vigia_test_pch PRIVATE vigia_test_flags)
  target_precompile_headers(vigia_test_pch PRIVATE ${common} <catch2/catch.hpp>)
endif()

function(vigia_library name)
  cmake_parse_arguments(arg "SMALL" "" "LINK;PRIVATE_LINK;FOLDERS;SMALL_FOLDERS" ${ARGN})
  set(patterns *.cc)
  foreach(folder IN LISTS arg_FOLDERS)
    list(APPEND patterns ${folder}/*.cc)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  foreach(folder IN LISTS arg_SMALL_FOLDERS)
    file(GLOB small CONFIGURE_DEPENDS ${folder}/*.cc)
    list(APPEND sources ${small})
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
      set_source_files_properties(${small} PROPERTIES COMPILE_OPTIONS -Os)
    endif()
  endforeach()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK} vigia_flags)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  if(arg_SMALL AND CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -Os)
  elseif(VIGIA_PCH)  # which has to have been compiled the same way
    target_precompile_headers(${name} REUSE_FROM vigia_pch)
  endif()
endfunction()

# One test program per folder of tests/; each TEST_CASE is a CTest test. The label says where it
# runs: "unit" under the address sanitizer too, "unit-concurrent" under the thread sanitizer as
# well, "e2e" only against the release build. With TIMED those tagged [timed], whose bars are
# times, run while no other test does.
function(vigia_test name)
  cmake_parse_arguments(arg "TIMED" "LABEL;TIMEOUT" "LINK;PROPERTIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${arg_LINK} vigia_test_support Catch2::Catch2WithMain
                                        vigia_test_flags)
  target_precompile_headers(${name} REUSE_FROM vigia_test_pch)
  set(properties TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABEL}" ${arg_PROPERTIES})
  if(arg_TIMED)
    catch_discover_tests(${name} TEST_SPEC "~[timed]" PROPERTIES ${properties})
    catch_discover_tests(${name} TEST_SPEC "[timed]" PROPERTIES ${properties} RUN_SERIAL TRUE)
  else()
    catch_discover_tests(${name} PROPERTIES ${properties})
  endif()
  if(arg_LABEL MATCHES "unit")
    add_dependencies(unit_tests ${name})
  endif()
  if(arg_LABEL MATCHES "concurrent")
    add_dependencies(concurrent_tests ${name})
  endif()
endfunction()

# A benchmark program of bench/<name>.cc: vigia_bench(parser_bench LINK vigia_core).
function(vigia_bench name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  add_executable(${name} ${name}.cc)
  target_link_libraries(${name} PRIVATE ${arg_LINK} benchmark::benchmark_main vigia_flags)
endfunction()
