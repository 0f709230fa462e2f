# bench/: what its scripts drive, and that they run where Python with NumPy, SciPy and PyTorch is. Python does not take a sanitizer's library.
add_executable(stepper ${CMAKE_SOURCE_DIR}/bench/peers/stepper.c)
target_include_directories(stepper PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(stepper PRIVATE pumice_static pumice_options)
