# The Vulkan backend on each driver: its own tests, and the op suites under the switches that shape it.
if(PUMICE_TEST_DRIVERS)
    foreach(test vulkan vulkan_faults vulkan_math vulkan_matmul vulkan_rows)
        pumice_driver_test(unit.${test} unit_${test})
    endforeach()

    pumice_driver_test(unit.loss_limits unit_loss_limits vulkan)
    pumice_driver_test(unit.linear unit_linear vulkan)
    pumice_driver_test(unit.negatives unit_negatives vulkan)

    # As on the smallest device there may be, so that windows are met by tiny tensors; with every optional path off; with
    # the workgroups that a GPU gets.
    pumice_driver_test(op.parity.min ${CMAKE_COMMAND} -E env PUMICE_VK_LIMITS=min,range=64K
        $<TARGET_FILE:op_suite> --device vulkan --suite parity --limit 1e5)
    pumice_driver_test(op.parity.plain ${CMAKE_COMMAND} -E env PUMICE_VK_DISABLE=mapping,timestamps,batching,tiles,vectors,subgroup
        $<TARGET_FILE:op_suite> --device vulkan --suite parity --limit 3e4 --cases 8)

    # As a GPU computes products: in tiles, those with a small result in parts along k.
    foreach(suite parity repeat)
        pumice_driver_test(op.${suite}.tile ${CMAKE_COMMAND} -E env PUMICE_VK_MATMUL=tile PUMICE_VK_SPLIT=16
            $<TARGET_FILE:op_suite> --device vulkan --suite ${suite} --limit 3e4 --cases 48)
    endforeach()
    pumice_driver_test(op.parity.gpu ${CMAKE_COMMAND} -E env PUMICE_VK_LIMITS=gpu
        $<TARGET_FILE:op_suite> --device vulkan --suite parity --limit 1e5 --cases 12)

    find_file(VALIDATION_LAYER VkLayer_khronos_validation.json PATHS /usr/share/vulkan/explicit_layer.d /etc/vulkan/explicit_layer.d)
    if(VALIDATION_LAYER)
        pumice_driver_test(unit.vulkan.validation ${CMAKE_COMMAND} -E env PUMICE_VK_VALIDATION=core,sync $<TARGET_FILE:unit_vulkan>)
        pumice_driver_test(op.parity.validation ${CMAKE_COMMAND} -E env PUMICE_VK_VALIDATION=core,sync
            $<TARGET_FILE:op_suite> --device vulkan --suite parity --limit 3e4 --cases 6)
    endif()
endif()
