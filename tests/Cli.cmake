# The command as its users meet it: tests/cli/NAME.sh is cli.NAME.
add_executable(json_get cli/json_get.c)
target_link_libraries(json_get PRIVATE PkgConfig::CJSON pumice_options)
target_compile_definitions(json_get PRIVATE _DEFAULT_SOURCE)
add_executable(own_model cli/own_model.c)
target_link_libraries(own_model PRIVATE pumice_static pumice_options)
add_executable(restart cli/restart.c)
target_link_libraries(restart PRIVATE pumice_static pumice_options -Wl,--wrap=pm_cpu_coretype_remedy)
file(GLOB cli_tests CONFIGURE_DEPENDS cli/*.sh)
foreach(script IN LISTS cli_tests)
    get_filename_component(stem ${script} NAME_WE)
    if(stem STREQUAL support)
        continue()
    endif()
    add_test(NAME cli.${stem} COMMAND sh ${script})
    set_tests_properties(cli.${stem} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 ENVIRONMENT
        "PUMICE=$<TARGET_FILE:pumice>;JSON_GET=$<TARGET_FILE:json_get>;OWN_MODEL=$<TARGET_FILE:own_model>;RESTART=$<TARGET_FILE:restart>;SUPPORT=${CMAKE_CURRENT_SOURCE_DIR}/cli/support.sh")
endforeach()

# The same command on each Vulkan driver, with faults injected.
pumice_driver_test(train.work train_work vulkan)
pumice_driver_test(train.device sh ${CMAKE_CURRENT_SOURCE_DIR}/train/device.sh)
get_directory_property(all_tests TESTS)
foreach(test IN LISTS all_tests)
    if(test MATCHES "^train\\.device\\.")
        set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "PUMICE=$<TARGET_FILE:pumice>" "JSON_GET=$<TARGET_FILE:json_get>"
            "SUPPORT=${CMAKE_CURRENT_SOURCE_DIR}/cli/support.sh")
    endif()
endforeach()
