# Tests of style: what STYLE's three tests protect, apart from agreement between backends.
set(style ${CMAKE_CURRENT_SOURCE_DIR}/style)

add_test(NAME style.layers COMMAND sh ${style}/layers.sh ${CMAKE_SOURCE_DIR})
# The checker is checked: a tree with three wrong includes must be refused for each of them.
foreach(complaint
        "src/core/reaches_up.c:3 includes models/vae.h, 6 tiers up"
        "src/data/sees_neighbour.c:3 includes op/op.h, a neighbour"
        "src/data/sees_neighbour.c:4 includes pumice/graph.h, 3 tiers up")
    string(REGEX REPLACE "^src/([a-z]*)/.*:([0-9]).*$" "\\1.\\2" short "${complaint}")
    add_test(NAME style.layers.finds.${short} COMMAND sh ${style}/layers.sh ${style}/bad)
    set_tests_properties(style.layers.finds.${short} PROPERTIES PASS_REGULAR_EXPRESSION "${complaint}")
endforeach()

add_test(NAME style.tables COMMAND sh ${style}/tables.sh ${CMAKE_SOURCE_DIR})
foreach(complaint "2: a table without rows" "6: 1 cells under a head of 2")
    string(REGEX REPLACE ":.*" "" short "${complaint}")
    add_test(NAME style.tables.finds.${short} COMMAND sh ${style}/tables.sh ${style}/bad)
    set_tests_properties(style.tables.finds.${short} PROPERTIES PASS_REGULAR_EXPRESSION "docs/tables.md:${complaint}")
endforeach()

add_test(NAME style.commands COMMAND sh ${style}/commands.sh ${CMAKE_SOURCE_DIR})
foreach(complaint "dead: begins with #! and is not executable" "text: executable without #!")
    string(REGEX REPLACE ":.*" "" short "${complaint}")
    add_test(NAME style.commands.finds.${short} COMMAND sh ${style}/commands.sh ${style}/bad)
    set_tests_properties(style.commands.finds.${short} PROPERTIES PASS_REGULAR_EXPRESSION "tools/${complaint}")
endforeach()

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
