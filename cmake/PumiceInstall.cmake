# What `cmake --install` lays down: headers, both libraries, the command, its man page and completion, and how others find them:
# pkg-config (pumice.pc) and CMake (find_package(Pumice): Pumice::pumice is the shared library, Pumice::pumice_static the other).
include(CMakePackageConfigHelpers)
set(PUMICE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Pumice)

install(DIRECTORY include/pumice DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES ${CMAKE_BINARY_DIR}/include/pumice/op_calls.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pumice)
install(TARGETS pumice_shared EXPORT PumiceSharedTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS pumice_static EXPORT PumiceStaticTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(kind Shared Static)
    install(EXPORT Pumice${kind}Targets NAMESPACE Pumice:: DESTINATION ${PUMICE_CMAKE_DIR})
endforeach()
if(TARGET pumice)
    install(TARGETS pumice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES tools/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pumice)
    install(FILES ${CMAKE_BINARY_DIR}/pumice.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Static libraries do not carry their dependencies: Libs.private and the package config name them.
string(JOIN " " PUMICE_LIBS_PRIVATE ${OPENBLAS_LDFLAGS} ${ZSTD_LDFLAGS} ${CJSON_LDFLAGS} -lz ${OpenMP_C_FLAGS} -ldl -lm)
set(PUMICE_OPENBLAS_PAIR "")
if(PUMICE_HAVE_CPU)
    set(PUMICE_OPENBLAS_PAIR OPENBLAS:openblas)
endif()
# pumice.pc finds its prefix from where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH PUMICE_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/pumice.pc.in ${CMAKE_BINARY_DIR}/pumice.pc @ONLY)
configure_package_config_file(cmake/PumiceConfig.cmake.in ${CMAKE_BINARY_DIR}/PumiceConfig.cmake INSTALL_DESTINATION ${PUMICE_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/PumiceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/pumice.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_BINARY_DIR}/PumiceConfig.cmake ${CMAKE_BINARY_DIR}/PumiceConfigVersion.cmake DESTINATION ${PUMICE_CMAKE_DIR})
