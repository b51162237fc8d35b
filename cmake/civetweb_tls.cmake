# TLS of civetweb before 1.16 beside OpenSSL 3 (exporter/http/tls_shim/ssl.c): builds two small
# shared objects named libssl.so and libcrypto.so and lets `target` find them by DT_RPATH, which,
# unlike DT_RUNPATH, counts for libraries that a library opens.

function(vigia_civetweb_tls target)
  if(civetweb_VERSION VERSION_GREATER_EQUAL 1.16)
    return()
  endif()
  set(folder ${PROJECT_SOURCE_DIR}/exporter/http/tls_shim)
  foreach(name ssl crypto)
    add_library(vigia_shim_${name} SHARED ${folder}/${name}.c)
    set_target_properties(vigia_shim_${name} PROPERTIES
      OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/tls)
    # Nothing of the real library is used by name here: it must be linked all the same.
    target_link_options(vigia_shim_${name} PRIVATE -Wl,--no-as-needed)
    install(TARGETS vigia_shim_${name} LIBRARY DESTINATION lib/vigia)
    add_dependencies(${target} vigia_shim_${name})
  endforeach()
  target_link_libraries(vigia_shim_ssl PRIVATE OpenSSL::SSL)
  target_link_libraries(vigia_shim_crypto PRIVATE OpenSSL::Crypto)
  target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)
  set_target_properties(${target} PROPERTIES
    BUILD_RPATH "\$ORIGIN/tls" INSTALL_RPATH "\$ORIGIN/../lib/vigia")
endfunction()

# For programs that run only in the build tree: the shims of vigia itself.
function(vigia_civetweb_tls_path target)
  if(TARGET vigia_shim_ssl)
    add_dependencies(${target} vigia_shim_ssl vigia_shim_crypto)
    target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)
    set_target_properties(${target} PROPERTIES
      BUILD_RPATH "${PROJECT_BINARY_DIR}/exporter/tls")
  endif()
endfunction()
