# What follows from ops.def (tools/opgen.c): the op table, the public calls, parameter structs, shader preludes.
set(PUMICE_GENERATED ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include/pumice ${PUMICE_GENERATED}/glsl)

add_executable(opgen ${CMAKE_SOURCE_DIR}/tools/opgen.c ${CMAKE_SOURCE_DIR}/src/op/signature.c)
target_include_directories(opgen PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
set(PUMICE_GENERATED_SOURCES ${PUMICE_GENERATED}/op_table.c ${PUMICE_GENERATED}/op_calls.c)
file(GLOB ops CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/pumice/ops/*.def)
add_custom_command(
    OUTPUT ${PUMICE_GENERATED_SOURCES} ${PUMICE_GENERATED}/op_params.h ${PUMICE_GENERATED}/ops.md
        ${CMAKE_BINARY_DIR}/include/pumice/op_calls.h
    COMMAND opgen ${CMAKE_SOURCE_DIR}/include/pumice/ops.def ${CMAKE_BINARY_DIR}
    DEPENDS opgen ${CMAKE_SOURCE_DIR}/include/pumice/ops.def ${ops}
    COMMENT "Reading ops.def")
add_custom_target(pumice_generated DEPENDS ${PUMICE_GENERATED_SOURCES})

# The registry names its backends through this list, so that it needs none of their headers.
set(backends "PM_BACKEND(ref)\n")
if(PUMICE_HAVE_CPU AND EXISTS ${CMAKE_SOURCE_DIR}/src/backend/cpu/table.c)
    string(APPEND backends "PM_BACKEND(cpu)\n")
endif()
if(PUMICE_HAVE_VULKAN AND EXISTS ${CMAKE_SOURCE_DIR}/src/backend/vulkan/backend.c)
    string(APPEND backends "PM_BACKEND(vulkan)\n")
endif()
file(CONFIGURE OUTPUT ${PUMICE_GENERATED}/pumice_backends.def CONTENT "${backends}")
