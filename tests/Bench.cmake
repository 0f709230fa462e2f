# bench/: what its scripts drive, and that they run where Python with NumPy, SciPy and PyTorch is. Python does not take a sanitizer's library.
add_executable(stepper ${CMAKE_SOURCE_DIR}/bench/peers/stepper.c)
target_include_directories(stepper PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(stepper PRIVATE pumice_static pumice_options)
if(NOT PUMICE_SANITIZE)
    add_test(NAME bench.peers COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/bench/peers.sh)
    set_tests_properties(bench.peers PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 ENVIRONMENT
        "PUMICE=$<TARGET_FILE:pumice>;STEPPER=$<TARGET_FILE:stepper>;BUILD=${CMAKE_BINARY_DIR};SOURCE=${CMAKE_SOURCE_DIR}")
endif()

# pumice bench on each Vulkan driver.
pumice_driver_test(bench.device sh ${CMAKE_CURRENT_SOURCE_DIR}/bench/device.sh)
get_directory_property(all_tests TESTS)
foreach(test IN LISTS all_tests)
    if(test MATCHES "^bench\\.device\\.")
        set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "PUMICE=$<TARGET_FILE:pumice>" "JSON_GET=$<TARGET_FILE:json_get>"
            "SUPPORT=${CMAKE_CURRENT_SOURCE_DIR}/cli/support.sh")
    endif()
endforeach()
