# Properties that follow from a test's name or from the build.

# sanitizer.speaks.MISTAKE passes when the sanitizer of this build says so; sanitizer.silent when it says nothing of correct code.
function(sanitizer_speaks mistake sentence)
    if(NOT TARGET sanitizer_speaks)
        add_executable(sanitizer_speaks sanitizer/speaks.c)
        target_link_libraries(sanitizer_speaks OpenMP::OpenMP_C pumice_options)
        add_test(NAME sanitizer.silent COMMAND sanitizer_speaks clean)
        set_tests_properties(sanitizer.silent PROPERTIES ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1)
    endif()
    add_test(NAME sanitizer.speaks.${mistake} COMMAND sanitizer_speaks ${mistake})
    set_tests_properties(sanitizer.speaks.${mistake} PROPERTIES PASS_REGULAR_EXPRESSION ${sentence}
        ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1)
endfunction()

function(pumice_test_kinds)
    # Under PUMICE_VALIDATION every test runs below the validation layers (core, synchronisation, across submissions too), and any
    # message fails it. validation.speaks.* make mistakes on purpose: the layers' silence elsewhere must mean something.
    if(PUMICE_VALIDATION)
        set(heard VK_LAYER_SETTINGS_PATH=${CMAKE_SOURCE_DIR}/tests/validation)
        get_directory_property(tests TESTS)
        set_property(TEST ${tests} APPEND PROPERTY ENVIRONMENT PUMICE_VK_VALIDATION=core,sync ${heard})
        set_property(TEST ${tests} PROPERTY FAIL_REGULAR_EXPRESSION "Validation (Error|Warning|Performance)")
        set(layers ${heard} VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
            VK_LAYER_ENABLES=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT:VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT)
        find_library(VULKAN_LIBRARY vulkan REQUIRED)
        add_executable(validation_speaks validation/speaks.c)
        target_link_libraries(validation_speaks ${VULKAN_LIBRARY} pumice_options)
        foreach(pair core:VUID-VkBufferCreateInfo-size-00912 sync:SYNC-HAZARD-WRITE-AFTER-WRITE submits:SYNC-HAZARD-WRITE-AFTER-WRITE)
            string(REGEX MATCH "(.*):(.*)" pair ${pair})
            add_test(NAME validation.speaks.${CMAKE_MATCH_1} COMMAND validation_speaks ${CMAKE_MATCH_1})
            set_tests_properties(validation.speaks.${CMAKE_MATCH_1} PROPERTIES ENVIRONMENT "${layers}"
                PASS_REGULAR_EXPRESSION ${CMAKE_MATCH_2})
        endforeach()
    endif()

    # The thread sanitizer understands OpenMP through libomp's archer, which wants this option; OpenBLAS's own threads stay asleep.
    if(PUMICE_SANITIZE MATCHES thread)
        get_directory_property(tests TESTS)
        set_property(TEST ${tests} APPEND PROPERTY ENVIRONMENT TSAN_OPTIONS=ignore_noninstrumented_modules=1 OPENBLAS_NUM_THREADS=1)
        sanitizer_speaks(race "ThreadSanitizer: data race")
    endif()
    if(PUMICE_SANITIZE MATCHES address)
        sanitizer_speaks(overrun "AddressSanitizer: heap-buffer-overflow")
        sanitizer_speaks(leak "LeakSanitizer: detected memory leaks")
    endif()
    if(PUMICE_SANITIZE MATCHES undefined)
        sanitizer_speaks(overflow "signed integer overflow")
    endif()

    # What names Vulkan is repeated for each driver by tools/check.
    get_directory_property(tests TESTS)
    list(FILTER tests INCLUDE REGEX "vulkan")
    if(tests)
        set_property(TEST ${tests} APPEND PROPERTY LABELS vulkan)
    endif()
endfunction()
