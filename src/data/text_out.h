// Text files of ids and numbers, written whole or not at all; optionally gzip.
#ifndef PM_DATA_TEXT_OUT_H
#define PM_DATA_TEXT_OUT_H

#include "core/core.h"

// Keeps its first failure; later calls do nothing and pm_text_commit returns it.
typedef struct pm_text pm_text;
pm_status pm_text_create(const void *parent, const char *path, char delimiter, bool gzip, pm_text **out);
void pm_text_id(pm_text *text, const char *id);    // quoted where reading it back needs that
void pm_text_value(pm_text *text, float value);    // the shortest of 9 digits or less; read back as the same f32
void pm_text_integer(pm_text *text, int64_t value);
void pm_text_number(pm_text *text, double value);    // 10 digits; an empty field where it is not finite
void pm_text_end_line(pm_text *text);
void pm_text_raw(pm_text *text, const char *raw);
// Makes the file visible; destroys *text either way.
pm_status pm_text_commit(pm_text **text);

#endif
