// Reads back the folder that split_write.c writes.
#include "data/fields.h"
#include "data/internal.h"
#include "data/source.h"

#include <cJSON.h>
#include <stdlib.h>

#include "core/file.h"

enum { JSON_LIMIT = 1 << 20 };

typedef struct folder {
    pm_reader     *reader;
    const char    *json_path;
    pm_companions *given;
    int64_t        roles;    // room in given->role
} folder;

static pm_status path_of(const folder *f, const char *prefix, const char *name, char **out)
{
    const char *slash = strrchr(f->json_path, '/');
    const int length = slash ? (int)(slash - f->json_path) + 1 : 0;
    *out = pm_sprintf(f->reader->out, "%.*s%s%s", length, f->json_path, prefix, name);
    PM_CHECK_ALLOC(*out);
    return PM_OK;
}

static pm_status add_role(folder *f, pm_lines *l, const pm_field *role, int64_t user)
{
    static const char *const names[] = { "none", "train", "valid", "test" };
    for (int k = 0; k < PM_COUNT(names); k++) {
        if (!pm_name_equal(role->text, names[k])) continue;
        f->given->role[user] = (uint8_t)k;
        return PM_OK;
    }
    char shown[PM_SHOWN];
    return pm_fail(l, PM_ERR_DATA, "%s:%" PRId64 ": unknown role: %s; expected train, valid, test or none", l->path,
                   l->number, pm_shown(shown, role->text, role->length));
}

static pm_status add_id(folder *f, pm_lines *l, pm_ids *ids, bool with_role, pm_field *fields)
{
    char shown[PM_SHOWN];
    pm_shown(shown, l->line, l->length);
    const bool junk = l->too_long || memchr(l->line, 0, l->length);
    const int count = junk ? -1 : pm_split_fields(l->line, l->length, PM_DELIM_TAB, fields);
    const int64_t before = pm_ids_count(ids);
    uint32_t index;
    const bool ok = count == (with_role ? 2 : 1) && fields[0].length > 0 && pm_is_utf8(fields[0].text, fields[0].length);
    PM_REQUIRE(l, ok, PM_ERR_DATA, "%s:%" PRId64 ": malformed line: %s; expected %s", l->path, l->number, shown,
               with_role ? "an id and its role" : "one id");
    PM_TRY(pm_ids_add(ids, fields[0].text, fields[0].length, &index));
    PM_REQUIRE(l, index == before, PM_ERR_DATA, "%s:%" PRId64 ": the id is listed twice: %s; remove one", l->path, l->number,
               shown);
    if (!with_role) return PM_OK;
    if (before == f->roles) {
        f->roles = PM_MAX(1024, f->roles * 2);
        PM_TRY(pm_grow_array(f->reader->out, (void **)&f->given->role, f->roles, 1));
    }
    return add_role(f, l, &fields[1], index);
}

static pm_status read_ids(folder *f, const char *name, pm_ids *ids, bool with_role)
{
    char *path;
    pm_lines *l;
    PM_TRY(path_of(f, "", name, &path));
    pm_field *fields = pm_new_array(f->reader->out, pm_field, PM_FIELD_LIMIT);
    PM_CHECK_ALLOC(fields);
    PM_TRY(pm_lines_open(f->reader->out, path, &l));
    PM_TRY(pm_lines_next(l));    // the header
    for (;;) {
        PM_TRY(pm_lines_next(l));
        if (!l->line) break;
        PM_TRY(add_id(f, l, ids, with_role, fields));
    }
    PM_REQUIRE(l, pm_ids_count(ids) > 0, PM_ERR_DATA, "%s:1: the file is empty: it lists no ids", path);
    pm_free(l);
    pm_free(fields);
    return PM_OK;
}

static int64_t number_in(const cJSON *json, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(json, name);
    return cJSON_IsNumber(n) && n->valuedouble >= 0 && n->valuedouble < 9e15 ? (int64_t)n->valuedouble : 0;
}

static void take_part_json(const cJSON *json, pm_given_part *part)
{
    part->has_candidates = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "candidates"));
    part->excluded_no_target = number_in(json, "excluded_no_target");
    part->excluded_no_history = number_in(json, "excluded_no_history");
    part->dropped_candidates = number_in(json, "dropped_candidates");
    part->repeated_targets = number_in(json, "repeated_targets");
    part->tied_times = number_in(json, "tied_times");
    part->short_candidates = number_in(json, "short_candidates");
}

static pm_status take_json(folder *f, const cJSON *json)
{
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(json, "format"),
                *seed = cJSON_GetObjectItemCaseSensitive(json, "seed");
    const bool ours = cJSON_IsString(format) && pm_name_equal(format->valuestring, "pumice-split");
    PM_REQUIRE(f->reader->out, ours, PM_ERR_DATA, "%s: not the split.json of a written split; make it with `data split`",
               f->json_path);
    PM_REQUIRE(f->reader->out, number_in(json, "version") == 1, PM_ERR_DATA,
               "%s: version %" PRId64 " is not read here, only 1; make the split again", f->json_path,
               number_in(json, "version"));
    if (cJSON_IsString(seed)) f->given->seed = strtoull(seed->valuestring, NULL, 10);
    f->given->held_out_users = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "held_out_users"));
    f->given->interactions = number_in(json, "interactions");
    take_part_json(cJSON_GetObjectItemCaseSensitive(json, "valid"), &f->given->valid);
    take_part_json(cJSON_GetObjectItemCaseSensitive(json, "test"), &f->given->test);
    return PM_OK;
}

static pm_status read_json(folder *f)
{
    char *text;
    int64_t size;
    PM_TRY(pm_file_read(f->reader->out, f->json_path, JSON_LIMIT, &text, &size));
    cJSON *json = cJSON_ParseWithLength(text, (size_t)size);
    const pm_status st =
        json ? take_json(f, json)
             : pm_fail(f->reader->out, PM_ERR_DATA, "%s: not JSON; make the split again with `data split`", f->json_path);
    cJSON_Delete(json);
    pm_free(text);
    return st;
}

static pm_status read_part(folder *f, const char *prefix, pm_given_part *part)
{
    char *input, *target, *candidates;
    PM_TRY(path_of(f, prefix, "_input.tsv", &input));
    PM_TRY(path_of(f, prefix, "_target.tsv", &target));
    PM_TRY(path_of(f, prefix, "_candidates.tsv", &candidates));
    PM_TRY(pm_read_table(f->reader, input, "tsv", NULL, &part->input));
    PM_TRY(pm_read_table(f->reader, target, "tsv", NULL, &part->target));
    if (part->has_candidates) PM_TRY(pm_read_table(f->reader, candidates, "tsv", NULL, &part->candidates));
    part->present = true;
    return PM_OK;
}

pm_status pm_read_split_folder(pm_reader *reader, const char *path, pm_list *train)
{
    folder f = { .reader = reader, .json_path = path };
    char *file;
    f.given = reader->out->companions = pm_new(reader->out, pm_companions);
    PM_CHECK_ALLOC(f.given);
    f.given->kind = "split";
    PM_TRY(read_json(&f));
    PM_TRY(read_ids(&f, "users.tsv", reader->out->users, true));
    PM_TRY(read_ids(&f, "items.tsv", reader->out->items, false));
    reader->fixed_ids = true;
    PM_TRY(path_of(&f, "", "train.tsv", &file));
    PM_TRY(pm_read_table(reader, file, "tsv", NULL, train));
    PM_TRY(read_part(&f, "valid", &f.given->valid));
    return read_part(&f, "test", &f.given->test);
}
