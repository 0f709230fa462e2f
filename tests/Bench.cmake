# bench/: what its scripts drive, and that they run where Python with NumPy, SciPy and PyTorch is. Python does not take a sanitizer's library.
add_executable(stepper ${CMAKE_SOURCE_DIR}/bench/peers/stepper.c)
target_include_directories(stepper PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(stepper PRIVATE pumice_static pumice_options)
if(NOT PUMICE_SANITIZE)
    add_test(NAME bench.peers COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/bench/peers.sh)
    set_tests_properties(bench.peers PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 ENVIRONMENT
        "PUMICE=$<TARGET_FILE:pumice>;STEPPER=$<TARGET_FILE:stepper>;BUILD=${CMAKE_BINARY_DIR};SOURCE=${CMAKE_SOURCE_DIR}")
endif()
