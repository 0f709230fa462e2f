# Shaders: shaders/NAME.comp → SPIR-V → C arrays inside the library (tools/embed.c). glslang writes the includes of each shader
# (shared .glsl files, generated preludes) to a depfile, so that only what a change touches is compiled again.
# A line `// variants: a b_c` in NAME.comp has it compiled again as NAME_a with PM_VARIANT_A defined, and as NAME_b_c with two macros; a line `// wide: …` as
# NAME_wide; the use of a fold (rows.glsl) as NAME_subgroup; both as NAME_wide_subgroup too.
set(PUMICE_SPIRV ${CMAKE_BINARY_DIR}/spirv)
file(MAKE_DIRECTORY ${PUMICE_SPIRV})
file(GLOB shader_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/shaders/*.comp)

add_executable(embed ${CMAKE_SOURCE_DIR}/tools/embed.c)

set(spirv_files "")
set(embedded "")
function(pumice_shader shader name)
    set(spirv ${PUMICE_SPIRV}/${name}.spv)
    set(validate "")
    if(SPIRV_VAL)
        set(validate COMMAND ${SPIRV_VAL} --target-env vulkan1.1 ${spirv})
    endif()
    add_custom_command(
        OUTPUT ${spirv}
        COMMAND ${GLSLANG} --quiet -V --target-env vulkan1.1 -g0 ${ARGN} -I${CMAKE_SOURCE_DIR}/shaders -I${CMAKE_SOURCE_DIR}/include
            -I${PUMICE_GENERATED}/glsl --depfile ${spirv}.d -o ${spirv} ${shader}
        ${validate}
        DEPENDS ${shader} ${PUMICE_GENERATED}/op_table.c
        DEPFILE ${spirv}.d
        COMMENT "Shader ${name}"
        VERBATIM)
    set(spirv_files ${spirv_files} ${spirv} PARENT_SCOPE)
    set(embedded ${embedded} ${name}=${shader} PARENT_SCOPE)
endfunction()

foreach(shader IN LISTS shader_files)
    get_filename_component(name ${shader} NAME_WE)
    pumice_shader(${shader} ${name})
    file(STRINGS ${shader} variants REGEX "^// variants:")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${shader})
    string(REGEX MATCHALL "[a-z0-9_]+" variants "${variants}")
    list(REMOVE_ITEM variants variants)
    file(STRINGS ${shader} wide REGEX "^// wide:")
    file(STRINGS ${shader} folds REGEX "(group|exp)_(sum|max|scan|total|rank)\\(")
    if(wide)
        list(APPEND variants wide)
    endif()
    if(folds)
        list(APPEND variants subgroup)
    endif()
    if(wide AND folds)
        list(APPEND variants wide_subgroup)
    endif()
    foreach(variant IN LISTS variants)
        string(TOUPPER ${variant} macros)
        string(REGEX REPLACE "([A-Z0-9]+)_?" "-DPM_VARIANT_\\1;" macros ${macros})
        pumice_shader(${shader} ${name}_${variant} ${macros})
    endforeach()
endforeach()
if(NOT SPIRV_VAL)
    message(STATUS "Pumice: shaders are not validated (spirv-val not found)")
endif()

set(PUMICE_SHADER_SOURCES ${PUMICE_GENERATED}/shaders.c)
add_custom_command(
    OUTPUT ${PUMICE_SHADER_SOURCES} ${PUMICE_GENERATED}/shaders.def
    COMMAND embed ${PUMICE_GENERATED} ${PUMICE_SPIRV} ${embedded}
    DEPENDS embed ${spirv_files} ${shader_files}
    COMMENT "Embedding shaders"
    VERBATIM)
