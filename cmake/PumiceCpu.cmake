# The same bodies three times. -O3 vectorises their loops; no comparison of ours may trap, so selects need no branches.
# Nothing here may change a result: contraction is off everywhere and -ffast-math nowhere.
set(vec_options -fno-trapping-math $<$<NOT:$<CONFIG:Debug>>:-O3>)
set(vec_baseline "")
set(vec_avx2 -mavx2)
set(vec_avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(vec_avx2 "")
    set(vec_avx512 "")
endif()
file(GLOB vec_includes CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/backend/cpu/*.inc)
foreach(isa baseline avx2 avx512)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/backend/cpu/vec_${isa}.c PROPERTIES
        COMPILE_OPTIONS "${vec_options};${vec_${isa}}" OBJECT_DEPENDS "${vec_includes}")
endforeach()

# Which bodies there are, as they stand in these files: PM_CPU_BODY(name) for `static void body_name(`, each once.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${vec_includes})
set(bodies "")
foreach(file IN LISTS vec_includes)
    file(STRINGS ${file} found REGEX "^static void body_[a-z0-9_]+\\(")
    foreach(line IN LISTS found)
        string(REGEX REPLACE "^static void body_([a-z0-9_]+)\\(.*" "PM_CPU_BODY(\\1)" line "${line}")
        list(APPEND bodies "${line}")
    endforeach()
endforeach()
list(REMOVE_DUPLICATES bodies)
list(JOIN bodies "\n" bodies)
file(CONFIGURE OUTPUT ${PUMICE_GENERATED}/cpu_bodies.def CONTENT "${bodies}\n" @ONLY)
