#include "data/date.h"

#include <stdio.h>
#include <stdlib.h>

enum { DAY = 86400, DAYS_OF_400_YEARS = 146097 };

// Days from 1970-01-01 to a day of the Gregorian calendar; years are counted from March, so that a leap day ends its year.
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void day_parts(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - DAYS_OF_400_YEARS + 1) / DAYS_OF_400_YEARS;
    const int64_t of_era = days - era * DAYS_OF_400_YEARS;
    const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

static bool digits(const char *text, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

static bool parse_day(const char *text, int64_t *seconds)
{
    int year, month, day, same_month, same_day;
    int64_t same_year;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return false;
    if (!digits(text, 4, &year) || !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day)) return false;
    if (month < 1 || month > 12 || day < 1 || day > 31) return false;
    const int64_t days = days_of(year, month, day);
    day_parts(days, &same_year, &same_month, &same_day);
    if (same_month != month || same_day != day) return false;    // 30 February
    *seconds = days * DAY;
    return true;
}

static bool parse_seconds(const char *text, int64_t *seconds)
{
    const char *at = text + (*text == '-');
    const size_t length = strlen(at);
    if (!length || length > 18 || strspn(at, "0123456789") != length) return false;
    *seconds = strtoll(text, NULL, 10);
    return true;
}

bool pm_date_parse(const char *text, int64_t *seconds)
{
    return parse_day(text, seconds) || parse_seconds(text, seconds);
}

void pm_date_text(int64_t seconds, char text[PM_DATE_SIZE])
{
    int64_t year;
    int month, day;
    day_parts(seconds / DAY - (seconds % DAY < 0), &year, &month, &day);
    snprintf(text, PM_DATE_SIZE, "%04" PRId64 "-%02d-%02d", year, month, day);
}
