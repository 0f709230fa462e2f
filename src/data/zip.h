// Members of a zip file and the arrays of NumPy in them: just what .npz needs.
#ifndef PM_DATA_ZIP_H
#define PM_DATA_ZIP_H

#include "core/core.h"

typedef struct pm_zip pm_zip;

// Reads the file and finds its central directory. Errors    PM_ERR_IO; PM_ERR_DATA for what is no zip file, or a truncated
// one
pm_status pm_zip_open(const void *parent, const char *path, pm_zip **out);

// An array of a .npy member, one-dimensional or a scalar.
typedef struct pm_npy {
    char        kind;     // f, i, u, b, or S, U for text
    int         width;    // bytes an element
    int64_t     count;    // 1 for a scalar
    const char *data;     // owned by the zip
} pm_npy;

// Unpacks and parses a member. No more memory is taken than the file can fill: a member's size is checked against its packed
// size.
// Errors    PM_ERR_DATA when there is no such member or it is damaged
pm_status pm_zip_npy(pm_zip *zip, const char *member, pm_npy *out);

double  pm_npy_number(const pm_npy *array, int64_t index);
// A whole number; false for text, fractions and what does not fit.
bool    pm_npy_integer(const pm_npy *array, int64_t index, int64_t *out);

#endif
