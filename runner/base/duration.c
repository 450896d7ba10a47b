/* duration.c - the units that people write: durations, sizes, shares, rates. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "duration.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "err.h"

struct Unit {
    const char *name;
    int64_t worth;
};

/* Largest first: the order in which they may stand in one duration. */
static const struct Unit durations[] = {
    {"d", 86400 * NS_PER_S},
    {"h", 3600 * NS_PER_S},
    {"m", 60 * NS_PER_S},
    {"s", NS_PER_S},
    {"ms", NS_PER_MS},
    {"us", NS_PER_US},
    {"ns", 1},
};
static const struct Unit sizes[] = {
    {"TiB", 1LL << 40}, {"GiB", 1LL << 30},      {"MiB", 1LL << 20},
    {"KiB", 1LL << 10}, {"TB", 1000000000000LL}, {"GB", 1000000000LL},
    {"MB", 1000000LL},  {"kB", 1000LL},          {"B", 1},
};
static const struct Unit speeds[] = {
    {"Gbit", 1000000000LL}, {"Mbit", 1000000LL}, {"kbit", 1000LL}, {"bit", 1}};
static const struct Unit periods[] = {
    {"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};

static bool no(const char **why, const char *sentence)
{
    if (why != NULL)
        *why = sentence;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number: `whole` and `tenths` / `scale`. */
struct Decimal {
    int64_t whole, part, scale;
};

enum Taken { TAKEN_NONE, TAKEN_NUMBER, TAKEN_TOO_LARGE, TAKEN_TOO_FINE };

static enum Taken take_decimal(const char **text, struct Decimal *out)
{
    *out = (struct Decimal){.scale = 1};
    if (!is_digit(**text))
        return TAKEN_NONE;
    for (; is_digit(**text); (*text)++) {
        if (__builtin_mul_overflow(out->whole, 10, &out->whole) ||
            __builtin_add_overflow(out->whole, **text - '0', &out->whole))
            return TAKEN_TOO_LARGE;
    }
    if (**text != '.' || !is_digit((*text)[1]))
        return TAKEN_NUMBER;
    for ((*text)++; is_digit(**text); (*text)++) {
        if (out->scale >= NS_PER_S)
            return TAKEN_TOO_FINE;
        out->part = out->part * 10 + (**text - '0');
        out->scale *= 10;
    }
    return TAKEN_NUMBER;
}

static bool no_number(enum Taken taken, const char **why)
{
    return no(why, taken == TAKEN_TOO_FINE ? "it is finer than can be kept" : "it is too large");
}

/* Adds number * worth to *sum; false where it is too large or no whole number of the least unit. */
static bool add_worth(struct Decimal number, int64_t worth, int64_t *sum, const char **why)
{
    int64_t whole = 0;
    if (__builtin_mul_overflow(number.whole, worth, &whole) ||
        __builtin_add_overflow(*sum, whole, sum))
        return no(why, "it is too large");
    __int128 part = (__int128)number.part * worth;
    if (part % number.scale != 0)
        return no(why, "it is finer than can be kept");
    if (__builtin_add_overflow(*sum, (int64_t)(part / number.scale), sum))
        return no(why, "it is too large");
    return true;
}

/* The unit that is written at *text as a whole word, its index, or `count`. */
static size_t take_unit(const char **text, const struct Unit *units, size_t count)
{
    size_t size = 0;
    while ((text[0][size] >= 'a' && text[0][size] <= 'z') ||
           (text[0][size] >= 'A' && text[0][size] <= 'Z'))
        size++;
    for (size_t n = 0; n < count; n++) {
        if (strlen(units[n].name) == size && memcmp(units[n].name, *text, size) == 0) {
            *text += size;
            return n;
        }
    }
    return count;
}

bool duration_parse(const char *text, int64_t *ns, const char **why)
{
    if (*text == '-')
        return no(why, "a duration is not negative");
    int64_t sum = 0;
    size_t least = 0; /* the first unit that may still come */
    do {
        struct Decimal number;
        enum Taken taken = take_decimal(&text, &number);
        if (taken == TAKEN_NONE)
            return no(why, "a duration is a number and a unit, like 30s");
        if (taken != TAKEN_NUMBER)
            return no_number(taken, why);
        if (*text == '\0')
            return no(why, "a duration needs a unit, like 30s");
        size_t unit = take_unit(&text, durations, COUNT_OF(durations));
        if (unit == COUNT_OF(durations))
            return no(why, "the units are ms, s, m, h and d");
        if (unit < least)
            return no(why, "larger units come first, like 1m30s");
        if (number.scale > 1 && *text != '\0')
            return no(why, "only the last number may have a point");
        if (!add_worth(number, durations[unit].worth, &sum, why))
            return false;
        least = unit + 1;
    } while (*text != '\0');
    *ns = sum;
    return true;
}

bool size_parse(const char *text, int64_t *bytes, const char **why)
{
    struct Decimal number;
    enum Taken taken = take_decimal(&text, &number);
    if (taken == TAKEN_NONE)
        return no(why, "a size is a number and a unit, like 64MiB");
    if (taken != TAKEN_NUMBER && taken != TAKEN_NONE)
        return no_number(taken, why);
    if (*text == '\0')
        return no(why, "a size needs a unit, like 64MiB");
    if (*text == ' ')
        text++;
    size_t unit = take_unit(&text, sizes, COUNT_OF(sizes));
    if (unit == COUNT_OF(sizes) || *text != '\0')
        return no(why, "the units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB");
    int64_t sum = 0;
    if (!add_worth(number, sizes[unit].worth, &sum, why))
        return false;
    *bytes = sum;
    return true;
}

bool share_parse(const char *text, int64_t *millionths, const char **why)
{
    struct Decimal number;
    enum Taken taken = take_decimal(&text, &number);
    if (taken != TAKEN_NUMBER && taken != TAKEN_NONE)
        return no_number(taken, why);
    if (taken == TAKEN_NONE || strcmp(text, "%") != 0)
        return no(why, "a share is a number and a percent sign, like 34%");
    int64_t sum = 0;
    if (!add_worth(number, 10000, &sum, why))
        return false;
    *millionths = sum;
    return true;
}

bool rate_parse(const char *text, int64_t *ns_between, const char **why)
{
    struct Decimal number;
    enum Taken taken = take_decimal(&text, &number);
    if (taken != TAKEN_NUMBER && taken != TAKEN_NONE)
        return no_number(taken, why);
    if (taken == TAKEN_NONE || *text != '/')
        return no(why, "a rate is a number per time, like 20/s");
    text++;
    size_t unit = take_unit(&text, periods, COUNT_OF(periods));
    if (unit == COUNT_OF(periods) || *text != '\0')
        return no(why, "a rate is per s, m or h, like 20/s");
    __int128 times = (__int128)number.whole * number.scale + number.part;
    if (times == 0)
        return no(why, "a rate is more than nothing");
    __int128 between = ((__int128)periods[unit].worth * number.scale + times / 2) / times;
    if (between == 0)
        return no(why, "it is too large");
    *ns_between = (int64_t)between;
    return true;
}

bool bits_parse(const char *text, int64_t *bits, const char **why)
{
    struct Decimal number;
    enum Taken taken = take_decimal(&text, &number);
    if (taken != TAKEN_NUMBER && taken != TAKEN_NONE)
        return no_number(taken, why);
    size_t unit = taken == TAKEN_NUMBER ? take_unit(&text, speeds, COUNT_OF(speeds)) : 0;
    if (taken == TAKEN_NONE || unit == COUNT_OF(speeds) || strcmp(text, "/s") != 0)
        return no(why, "it is a number of bit/s, kbit/s, Mbit/s or Gbit/s, like 1Mbit/s");
    int64_t sum = 0;
    if (!add_worth(number, speeds[unit].worth, &sum, why))
        return false;
    *bits = sum;
    return true;
}

void bits_write(int64_t bits, char out[32])
{
    size_t unit = 0;
    while (unit + 1 < COUNT_OF(speeds) && (bits == 0 || bits % speeds[unit].worth != 0))
        unit++;
    snprintf(out, 32, "%lld%s/s", (long long)(bits / speeds[unit].worth), speeds[unit].name);
}

bool int_parse(const char *text, int64_t *value, const char **why)
{
    bool negative = *text == '-';
    const char *digits = text + negative;
    if (!is_digit(*digits))
        return no(why, "a number is written in digits, like 3");
    if (digits[0] == '0' && digits[1] != '\0')
        return no(why, "a number has no zeros before it");
    int64_t sum = 0;
    for (; is_digit(*digits); digits++) {
        int digit = negative ? '0' - *digits : *digits - '0';
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return no(why, "it is too large");
    }
    if (*digits != '\0')
        return no(why, "it must be a whole number, like 3");
    if (negative && sum == 0)
        return no(why, "zero is written 0");
    *value = sum;
    return true;
}

void duration_write(int64_t ns, char out[32])
{
    if (ns == 0) {
        snprintf(out, 32, "0s");
        return;
    }
    /* Without its sign as unsigned: INT64_MIN has no positive twin. */
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    size_t used = 0;
    if (ns < 0)
        out[used++] = '-';
    for (size_t n = 0; n < COUNT_OF(durations) && left > 0; n++) {
        uint64_t worth = (uint64_t)durations[n].worth, times = left / worth;
        left %= worth;
        if (times > 0)
            used += (size_t)snprintf(out + used, 32 - used, "%llu%s", (unsigned long long)times,
                                     durations[n].name);
    }
}
