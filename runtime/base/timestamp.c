/* RFC 3339 timestamps: see timestamp.h. */
#include "base/timestamp.h"

#include <stdio.h>

struct date {
    int64_t year;
    int month, day;
};

/* Gregorian calendar from days since 1970-01-01, counting years from March so that the leap day is the last
 * of one. */
static struct date date_from_days(int64_t days)
{
    int64_t shifted = days + 719468; /* days since 0000-03-01 */
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (int)((5 * day_of_year + 2) / 153);
    struct date date = {
        .year = year_of_era + era * 400,
        .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
        .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
    };

    if (date.month <= 2)
        date.year++;
    return date;
}

void timestamp_format(const struct timespec *time, char text[static TIMESTAMP_SIZE])
{
    int64_t days = time->tv_sec / 86400;
    int64_t seconds = time->tv_sec % 86400;
    struct date date;

    if (seconds < 0) {
        seconds += 86400;
        days--;
    }
    date = date_from_days(days);
    snprintf(text, TIMESTAMP_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d.%09ldZ", (long long)date.year % 10000,
             date.month, date.day, (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60),
             time->tv_nsec);
}

void timestamp_now(char text[static TIMESTAMP_SIZE])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    timestamp_format(&now, text);
}
