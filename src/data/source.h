// Bytes and lines of a file: plain, gzip or zstd, told apart by the first bytes and read as a stream.
#ifndef PM_DATA_SOURCE_H
#define PM_DATA_SOURCE_H

#include "core/core.h"

typedef struct pm_source pm_source;
// Errors    PM_ERR_IO when the file cannot be opened or is a folder
pm_status pm_source_open(const void *parent, const char *path, pm_source **out);
// Up to `size` bytes of content; *got is 0 at the end. A stream that ends too early or is damaged is PM_ERR_DATA.
pm_status pm_source_read(pm_source *source, char *buffer, size_t size, size_t *got);
// How far the file itself has been read, in bytes, and its size.
void pm_source_position(const pm_source *source, int64_t *done, int64_t *total);

enum { PM_LINE_LIMIT = 1 << 20 };    // longer lines are bad lines

typedef struct pm_lines {
    const char *path;
    int64_t     number;      // of the line last given, from 1
    char
        *line;    // zero-terminated, without its end (\n or \r\n) and, in line 1, without a byte-order mark; NULL at the end
    size_t      length;
    bool        too_long;    // the line went on; what is given is its beginning
    // the reader's own
    pm_source  *source;
    char       *buffer;
    size_t      begin, end, capacity;
    bool        at_end;
    int64_t     reported;
    double      started;
} pm_lines;

// Opens a file for reading by lines; the reader hangs from parent.
pm_status pm_lines_open(const void *parent, const char *path, pm_lines **out);
// Steps to the next line. PM_ERR_CANCELLED when the context was cancelled.
pm_status pm_lines_next(pm_lines *lines);

#endif
