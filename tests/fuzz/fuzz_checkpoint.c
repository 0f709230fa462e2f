// What a run folder holds, on anything: safetensors files, config.json, id files. The first byte chooses which. What is
// accepted must also be readable, and what is written from it must read back the same.
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "train/runfiles.h"
#include "train/safetensors.h"

#include "fuzz.h"

enum { TENSORS, CONFIG, IDS, KINDS };

static char folder[64];

static const char *path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

static void remove_folder(void)
{
    static const char *const names[] = { "in", "out", "out.tmp" };
    char path[128];
    for (int i = 0; i < PM_COUNT(names); i++) unlink(path_of(names[i], path));
    rmdir(folder);
}

static void make_folder(void)
{
    if (folder[0]) return;
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/pumice-fuzz-XXXXXX", memory);
    if (!mkdtemp(folder)) abort();
    atexit(remove_folder);
}

static void must(pm_ctx *ctx, pm_status status)
{
    if (status == PM_OK) return;
    fprintf(stderr, "%s: %s\n", pm_status_name(status), pm_ctx_message(ctx));
    abort();
}

// Refusals have a reason and the status of bad content; any other is a bug.
static void check_refusal(pm_ctx *ctx, pm_status status)
{
    if (status != PM_ERR_FORMAT || !*pm_ctx_message(ctx)) must(ctx, PM_ERR_INTERNAL);
}

static void try_tensors(pm_ctx *ctx, const char *path)
{
    pm_st_file *file;
    pm_status st = pm_st_open(ctx, path, &file);
    if (st != PM_OK) {
        check_refusal(ctx, st);
        return;
    }
    for (int i = 0; i < pm_st_count(file); i++) {
        const pm_st_tensor *t = pm_st_at(file, i);
        if (pm_st_find(file, t->name) != t) abort();
        void *data = malloc((size_t)(t->end - t->begin));    // the file is as large, or it had been refused
        must(ctx, pm_st_read_rows(file, t->name, 0, t->rows, data));
        must(ctx, pm_st_read_rows(file, t->name, t->rows - 1, 1, data));
        if (pm_st_read_rows(file, t->name, 0, t->rows + 1, data) != PM_ERR_ARG) abort();
        free(data);
    }
    pm_st_meta(file, "model");
    st = pm_st_verify(file);
    if (st != PM_OK) check_refusal(ctx, st);
    pm_st_close(&file);
}

static void try_config(pm_ctx *ctx, const uint8_t *data, size_t size)
{
    pm_spec *spec, *again;
    char *text, *same;
    const pm_status st = pm_spec_parse(ctx, "config.json", (const char *)data, (int64_t)size, &spec);
    if (st != PM_OK) {
        check_refusal(ctx, st);
        return;
    }
    must(ctx, pm_spec_text(ctx, spec, &text));
    must(ctx, pm_spec_parse(ctx, "again", text, (int64_t)strlen(text), &again));
    must(ctx, pm_spec_text(ctx, again, &same));
    if (strcmp(text, same) != 0) abort();
}

static void try_ids(pm_ctx *ctx, const char *path, const uint8_t *data, size_t size)
{
    pm_ids *ids;
    char out[128], *text;
    int64_t length;
    const pm_status st = pm_run_read_ids(ctx, path, &ids);
    if (st != PM_OK) {
        check_refusal(ctx, st);
        return;
    }
    must(ctx, pm_run_write_ids(ctx, path_of("out", out), ids));
    must(ctx, pm_file_read(ctx, out, (int64_t)size, &text, &length));
    if ((size_t)length != size || (size && memcmp(text, data, size) != 0)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    make_folder();
    const int kind = data[0] % KINDS;
    char path[128];
    pm_ctx *ctx;
    if (pm_ctx_create(&(pm_ctx_params){ .threads = 1 }, &ctx) != PM_OK) abort();
    FILE *f = fopen(path_of("in", path), "wb");
    if (!f || fwrite(data + 1, 1, size - 1, f) != size - 1 || fclose(f) != 0) abort();
    if (kind == TENSORS) try_tensors(ctx, path);
    else if (kind == CONFIG) try_config(ctx, data + 1, size - 1);
    else try_ids(ctx, path, data + 1, size - 1);
    pm_ctx_destroy(&ctx);
    return 0;
}

static void give_with(fuzz_seed_fn give, void *user, int kind, const void *data, size_t size)
{
    uint8_t *seed = malloc(size + 1);
    seed[0] = (uint8_t)kind;
    memcpy(seed + 1, data, size);
    give(user, seed, size + 1);
    free(seed);
}

static void give_tensors(pm_ctx *ctx, fuzz_seed_fn give, void *user)
{
    static const float values[12] = { 1, 2, 3 };
    char path[128], *content;
    int64_t size;
    pm_st_writer *w;
    must(ctx, pm_st_writer_create(ctx, path_of("in", path), &w));
    must(ctx, pm_st_writer_meta(w, "model", "mult-vae"));
    must(ctx, pm_st_writer_declare(w, "a", PM_F32, 2, 3));
    must(ctx, pm_st_writer_declare(w, "b", PM_U32, 1, 1));
    must(ctx, pm_st_writer_rows(w, "a", 2, values));
    must(ctx, pm_st_writer_rows(w, "b", 1, values));
    must(ctx, pm_st_writer_finish(&w, NULL));
    must(ctx, pm_file_read(ctx, path, 1 << 20, &content, &size));
    give_with(give, user, TENSORS, content, (size_t)size);
    static const char bare[] = "\x38\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"U32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}data";
    give_with(give, user, TENSORS, bare, sizeof bare - 1);
    give_with(give, user, TENSORS, "\x02\0\0\0\0\0\0\0{}", 10);
}

void fuzz_corpus(fuzz_seed_fn give, void *user)
{
    static const char *const settings[] = { "lr=0.001", "hidden=600" };
    static const char ids[] = "1\nwith space\n\xc3\xbc\ntab\\t\\\\\n\\n\\r\n\n";
    static const char config[] =
        "{\"format\":1,\"model\":\"m\",\"seed\":\"18446744073709551615\",\"ties\":\"id\",\"split\":{\"fold_out\":0.2}}";
    const pm_spec spec = {
        .model = "mult-vae", .preset = "p", .settings = settings, .setting_count = 2, .data = "x", .seed = UINT64_MAX
    };
    pm_ctx *ctx;
    char *text;
    make_folder();
    if (pm_ctx_create(NULL, &ctx) != PM_OK) abort();
    give_tensors(ctx, give, user);
    must(ctx, pm_spec_text(ctx, &spec, &text));
    give_with(give, user, CONFIG, text, strlen(text));
    give_with(give, user, CONFIG, config, sizeof config - 1);
    give_with(give, user, IDS, ids, sizeof ids - 1);
    pm_ctx_destroy(&ctx);
}
