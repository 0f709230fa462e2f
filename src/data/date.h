// Dates of the Gregorian calendar and Unix seconds, in UTC whatever the machine's zone is.
#ifndef PM_DATE_H
#define PM_DATE_H

#include "core/core.h"

enum { PM_DATE_SIZE = 40 };

// "2003-02-28" (its first second) or Unix seconds; false for anything else, a day that its month does not have included.
bool pm_date_parse(const char *text, int64_t *seconds);

// The day that a second falls on, "2003-02-28".
void pm_date_text(int64_t seconds, char text[PM_DATE_SIZE]);

#endif
