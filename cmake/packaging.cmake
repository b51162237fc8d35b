# cmake --install and the Debian package.

include(GNUInstallDirs)

install(FILES ${PROJECT_SOURCE_DIR}/packaging/vigia.service DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
              ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
# In /etc for the system's prefix, below the prefix for any other.
install(CODE "
  if(CMAKE_INSTALL_PREFIX STREQUAL /usr)
    set(etc /etc)
  else()
    set(etc \"\${CMAKE_INSTALL_PREFIX}/etc\")
  endif()
  file(INSTALL DESTINATION \"\${etc}/vigia\" TYPE FILE
       FILES \"${PROJECT_SOURCE_DIR}/packaging/vigia.yml\")")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vigia)
set(CPACK_PACKAGE_CONTACT "The vigia project <vigia@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "metrics, rules and alerts of a web application in one process")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/conffiles)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/exporter)
include(CPack)
