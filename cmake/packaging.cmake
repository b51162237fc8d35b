# cmake --install and the Debian package.

include(GNUInstallDirs)

install(FILES ${PROJECT_SOURCE_DIR}/packaging/vigia.service DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
              ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
# /etc whatever the prefix is, but below it where somebody installs elsewhere than the system.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/vigia.yml DESTINATION /etc/vigia)
else()
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/vigia.yml DESTINATION etc/vigia)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vigia)
set(CPACK_PACKAGE_CONTACT "The vigia project <vigia@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "metrics, rules and alerts of a web application in one process")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/exporter)
include(CPack)
