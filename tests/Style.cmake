# Tests of style: what STYLE's three tests protect, apart from agreement between backends.
set(style ${CMAKE_CURRENT_SOURCE_DIR}/style)

# A checker over our tree, and checked itself: the bad tree must be refused for each complaint.
function(add_style_test name)
    set(checker sh ${style}/${name}.sh)
    add_test(NAME style.${name} COMMAND ${checker} ${CMAKE_SOURCE_DIR})
    set(number 0)
    foreach(complaint ${ARGN})
        math(EXPR number "${number} + 1")
        add_test(NAME style.${name}.finds.${number} COMMAND ${checker} ${style}/bad)
        set_tests_properties(style.${name}.finds.${number} PROPERTIES PASS_REGULAR_EXPRESSION "${complaint}")
    endforeach()
endfunction()

add_style_test(layers
    "src/core/reaches_up.c:3 includes models/vae.h, 6 tiers up"
    "src/data/sees_neighbour.c:3 includes op/op.h, a neighbour"
    "src/data/sees_neighbour.c:4 includes pumice/graph.h, 3 tiers up")
add_style_test(tables
    "docs/tables.md:2: a table without rows" "docs/tables.md:6: 1 cells under a head of 2")
add_style_test(commands
    "tools/dead: begins with #! and is not executable" "tools/text: executable without #!")

find_program(STYLE_CXX NAMES c++ g++ clang++)
if(NOT STYLE_CXX)
    set(STYLE_CXX "")
endif()
set(folders ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/include)
add_test(NAME style.headers.c11 COMMAND sh ${style}/headers.sh c c11 ${CMAKE_C_COMPILER} ${folders})
add_test(NAME style.headers.c++17 COMMAND sh ${style}/headers.sh c++ c++17 "${STYLE_CXX}" ${folders})
set_tests_properties(style.headers.c++17 PROPERTIES SKIP_RETURN_CODE 77)

add_executable(style_ops style/ops.c)
target_include_directories(style_ops PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(style_ops PRIVATE pumice_static pumice_options)
add_test(NAME style.ops COMMAND style_ops)
# docs/ops.md is the generated table: copy build/generated/ops.md there when an op's line changes.
add_test(NAME style.ops.docs COMMAND ${CMAKE_COMMAND} -E compare_files ${CMAKE_SOURCE_DIR}/docs/ops.md ${CMAKE_BINARY_DIR}/generated/ops.md)
