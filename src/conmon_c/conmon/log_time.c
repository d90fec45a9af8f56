/* Times in logs. Written by hand: strftime and snprintf would cost more than the rest of a short line. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "context.h"

static char *digits(char *to, unsigned value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

/* Converts days since 1970 to a Gregorian date; years begin in March, so that leap days come last. */
static void civil(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * of_year + 2) / 153;

    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = (unsigned)((int64_t)year_of_era + era * 400 + (*month <= 2));
}

/* "YYYY-MM-DDTHH:MM:SS.NNNNNNNNN" */
static char *write_time(char *to, int64_t seconds, long nanoseconds)
{
    unsigned year, month, day;
    unsigned rest = (unsigned)(seconds % 86400);

    civil(seconds / 86400, &year, &month, &day);
    to = digits(to, year, 4);
    *to++ = '-';
    to = digits(to, month, 2);
    *to++ = '-';
    to = digits(to, day, 2);
    *to++ = 'T';
    to = digits(to, rest / 3600, 2);
    *to++ = ':';
    to = digits(to, rest / 60 % 60, 2);
    *to++ = ':';
    to = digits(to, rest % 60, 2);
    *to++ = '.';
    return digits(to, (unsigned)nanoseconds, 9);
}

/* Time zones change their offset only at quarters of an hour. */
static int local_offset(struct log *log, time_t now)
{
    struct tm local;

    if (now < log->offset_valid_until)
        return log->offset;
    log->offset = localtime_r(&now, &local) != NULL ? (int)local.tm_gmtoff : 0;
    log->offset_valid_until = (now / 900 + 1) * 900;
    return log->offset;
}

void log_time_local(struct log *log, char *to)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    int offset = local_offset(log, now.tv_sec);
    unsigned distance = (unsigned)abs(offset);
    to = write_time(to, now.tv_sec + offset, now.tv_nsec);
    *to++ = offset < 0 ? '-' : '+';
    to = digits(to, distance / 3600, 2);
    *to++ = ':';
    digits(to, distance / 60 % 60, 2);
}

void log_time_utc(char *to)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    *write_time(to, now.tv_sec, now.tv_nsec) = 'Z';
}
