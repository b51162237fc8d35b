# Flags of our own code: warnings are errors, sanitizers by option, mold where it is installed.

add_library(vigia_flags INTERFACE)
target_compile_options(vigia_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wconversion -Wsign-conversion -Wimplicit-fallthrough)
if(NOT VIGIA_FUZZ)  # by clang, while GCC's warnings are those that count
  target_compile_options(vigia_flags INTERFACE -Werror)
endif()
target_include_directories(vigia_flags INTERFACE ${PROJECT_SOURCE_DIR})

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of GCC 12 in the standard library (GCC bugs 105329, 105651).
  target_compile_options(vigia_flags INTERFACE -Wno-restrict -Wno-missing-field-initializers)
endif()

if(VIGIA_SANITIZE)
  add_compile_options(-fsanitize=${VIGIA_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  # The instrumented standard library looks uninitialised and out of bounds to GCC 12 (GCC bugs
  # 105562, 105329).
  add_compile_options(-Wno-error=maybe-uninitialized -Wno-error=array-bounds)
  add_link_options(-fsanitize=${VIGIA_SANITIZE})
endif()

if(VIGIA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "VIGIA_FUZZ needs clang: cmake --preset asan")
  endif()
  # Everything is watched, tests included, and only the targets get libFuzzer's main().
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

if(VIGIA_PCH)
  # Some of the libraries ask for these; a precompiled header wants all or none to have them.
  add_compile_options(-pthread)
  add_compile_definitions(_FILE_OFFSET_BITS=64)
endif()

find_program(VIGIA_MOLD mold)
if(VIGIA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_program(VIGIA_CCACHE ccache)
if(VIGIA_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${VIGIA_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VIGIA_CCACHE})
  # Precompiled headers, as ccache's manual asks.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros ${VIGIA_CCACHE})
  if(VIGIA_PCH)
    add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
  endif()
endif()
