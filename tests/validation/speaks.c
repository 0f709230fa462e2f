// Makes one deliberate mistake, to prove that the validation layers of this build are loaded and speak: without it, their silence over
// the other tests would mean nothing. The argument says which: core (a buffer of size 0), sync (two writes without a barrier),
// submits (the same across two submissions).
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <vulkan/vulkan.h>

#define CHECK(call)                                                        \
    do {                                                                   \
        const VkResult r_ = (call);                                        \
        if (r_ != VK_SUCCESS) return fprintf(stderr, #call ": %d\n", r_), 2; \
    } while (0)

static int write_twice(VkDevice device, const VkPhysicalDeviceMemoryProperties *memory, VkBuffer buffer, bool apart)
{
    VkMemoryRequirements need;
    vkGetBufferMemoryRequirements(device, buffer, &need);
    uint32_t type = 0;
    while (type < memory->memoryTypeCount && !(need.memoryTypeBits >> type & 1)) type++;
    VkDeviceMemory held;
    CHECK(vkAllocateMemory(device,
                           &(VkMemoryAllocateInfo){ .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .allocationSize = need.size,
                                                    .memoryTypeIndex = type },
                           NULL, &held));
    CHECK(vkBindBufferMemory(device, buffer, held, 0));

    VkCommandPool pool;
    CHECK(vkCreateCommandPool(device, &(VkCommandPoolCreateInfo){ .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO }, NULL, &pool));
    VkCommandBuffer commands[2];
    CHECK(vkAllocateCommandBuffers(device,
                                   &(VkCommandBufferAllocateInfo){ .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                                                   .commandPool = pool, .commandBufferCount = 2 },
                                   commands));
    VkQueue queue;
    vkGetDeviceQueue(device, 0, 0, &queue);
    for (int i = 0; i < 2; i++) {
        CHECK(vkBeginCommandBuffer(commands[i], &(VkCommandBufferBeginInfo){ .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO }));
        for (int writes = apart ? 1 : 2; writes > 0; writes--) vkCmdFillBuffer(commands[i], buffer, 0, 256, (uint32_t)i);
        CHECK(vkEndCommandBuffer(commands[i]));
    }
    for (int i = 0; i < 1 + apart; i++)
        CHECK(vkQueueSubmit(queue, 1, &(VkSubmitInfo){ .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .commandBufferCount = 1,
                                                       .pCommandBuffers = &commands[i] }, VK_NULL_HANDLE));
    CHECK(vkQueueWaitIdle(queue));
    vkDestroyCommandPool(device, pool, NULL);
    vkDestroyBuffer(device, buffer, NULL);
    vkFreeMemory(device, held, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    const char *mistake = argc > 1 ? argv[1] : "core";
    VkInstance instance;
    CHECK(vkCreateInstance(&(VkInstanceCreateInfo){ .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO }, NULL, &instance));
    VkPhysicalDevice physical;
    uint32_t count = 1;
    vkEnumeratePhysicalDevices(instance, &count, &physical);
    if (count == 0) return fprintf(stderr, "no Vulkan device\n"), 2;
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    VkDevice device;
    CHECK(vkCreateDevice(physical,
                         &(VkDeviceCreateInfo){ .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .queueCreateInfoCount = 1,
                                                .pQueueCreateInfos = &(VkDeviceQueueCreateInfo){
                                                    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1,
                                                    .pQueuePriorities = (float[]){ 1.0f } } },
                         NULL, &device));
    VkBuffer buffer = VK_NULL_HANDLE;
    const VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = strcmp(mistake, "core") == 0 ? 0 : 256,
                                      .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT };
    const VkResult created = vkCreateBuffer(device, &info, NULL, &buffer);
    int result = 0;
    if (strcmp(mistake, "core") != 0) result = write_twice(device, &memory, buffer, strcmp(mistake, "submits") == 0);
    else if (created == VK_SUCCESS) vkDestroyBuffer(device, buffer, NULL);
    vkDestroyDevice(device, NULL);
    vkDestroyInstance(instance, NULL);
    return result;
}
