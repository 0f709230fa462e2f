// json_get FILE KEY…: prints the value that keys (names, or numbers of array elements) lead to. 1 where FILE is not one JSON
// document, 2 where there is no such value.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 22);
    if (!file || !text) exit(1);
    const size_t n = fread(text, 1, (1 << 22) - 1, file);
    fclose(file);
    text[n] = 0;
    return text;
}

int main(int argc, char **argv)
{
    if (argc < 2) return 1;
    char *text = read_all(argv[1]);
    cJSON *document = cJSON_ParseWithOpts(text, NULL, 1), *at = document;
    if (!document) {
        fprintf(stderr, "%s is not one JSON document\n", argv[1]);
        return 1;
    }
    for (int i = 2; i < argc && at; i++) at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(argv[i])) : cJSON_GetObjectItemCaseSensitive(at, argv[i]);
    if (!at) return 2;
    char *value = cJSON_IsString(at) ? strdup(at->valuestring) : cJSON_PrintUnformatted(at);
    puts(value);
    free(value);
    cJSON_Delete(document);
    free(text);
    return 0;
}
