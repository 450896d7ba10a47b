/* duration_say.c - durations, shares and counts as people read them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "duration.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { NUMBER_SIZE = 24 };

enum Round { ROUND_DOWN, ROUND_NEAREST, ROUND_UP };

static int64_t divide(int64_t value, int64_t by, enum Round round)
{
    int64_t times = value / by, rest = value % by;
    if ((round == ROUND_UP && rest > 0) || (round == ROUND_NEAREST && rest >= by - rest))
        times++;
    return times;
}

/* How a duration is shown: in milliseconds, seconds with one decimal, or two larger units. */
enum Scale { SCALE_MS, SCALE_S, SCALE_LARGE };

/* From two minutes on, tenths of a second tell nothing. */
static enum Scale scale_of(int64_t ns)
{
    if (ns < NS_PER_S)
        return SCALE_MS;
    return ns < 120 * NS_PER_S ? SCALE_S : SCALE_LARGE;
}

/* Rounded to the smaller of the two units that it shows. */
static void say_two(int64_t ns, enum Round round, char out[32])
{
    int64_t unit = ns < 3600 * NS_PER_S ? 1 : ns < 48 * 3600 * NS_PER_S ? 60 : 3600;
    long long s = divide(ns, unit * NS_PER_S, round) * unit;
    if (s < 3600 && s % 60 == 0)
        snprintf(out, 32, "%lld min", s / 60);
    else if (s < 3600)
        snprintf(out, 32, "%lld min %02lld s", s / 60, s % 60);
    else if (s < 48 * 3600LL && s % 3600 == 0)
        snprintf(out, 32, "%lld h", s / 3600);
    else if (s < 48 * 3600LL)
        snprintf(out, 32, "%lld h %02lld min", s / 3600, s % 3600 / 60);
    else if (s % 86400 == 0)
        snprintf(out, 32, "%lld d", s / 86400);
    else
        snprintf(out, 32, "%lld d %02lld h", s / 86400, s % 86400 / 3600);
}

/* The number alone, without its unit. */
static void say_number(int64_t ns, enum Scale scale, enum Round round, char out[NUMBER_SIZE])
{
    if (scale == SCALE_S) {
        long long tenths = divide(ns, 100 * NS_PER_MS, round);
        snprintf(out, NUMBER_SIZE, "%lld.%lld", tenths / 10, tenths % 10);
        return;
    }
    long long tenths = divide(ns, 100 * NS_PER_US, round);
    if (tenths < 100 && tenths % 10 != 0)
        snprintf(out, NUMBER_SIZE, "%lld.%lld", tenths / 10, tenths % 10);
    else
        snprintf(out, NUMBER_SIZE, "%lld", (long long)divide(ns, NS_PER_MS, round));
}

void duration_say(int64_t ns, char out[32])
{
    if (ns == NS_NEVER) {
        snprintf(out, 32, "for ever");
        return;
    }
    if (ns < 0)
        ns = 0;
    char number[NUMBER_SIZE];
    if (ns < NS_PER_S - NS_PER_MS / 2) {
        say_number(ns, SCALE_MS, ROUND_NEAREST, number);
        snprintf(out, 32, "%s ms", number);
    } else if (ns < 60 * NS_PER_S && ns % NS_PER_S == 0) {
        snprintf(out, 32, "%lld s", (long long)(ns / NS_PER_S));
    } else if (ns < 60 * NS_PER_S - 50 * NS_PER_MS) {
        say_number(ns, SCALE_S, ROUND_NEAREST, number);
        snprintf(out, 32, "%s s", number);
    } else {
        say_two(ns, ROUND_NEAREST, out);
    }
}

static void span_open(int64_t low_ns, char out[64])
{
    char low[32];
    if (low_ns < 120 * NS_PER_S) {
        say_number(low_ns, SCALE_S, ROUND_DOWN, low);
        snprintf(out, 64, "> %s s", low);
    } else {
        say_two(low_ns, ROUND_DOWN, low);
        snprintf(out, 64, "> %s", low);
    }
}

static void span_large(int64_t low_ns, int64_t high_ns, char out[64])
{
    char low[28], high[28], wide[32];
    say_two(low_ns, ROUND_DOWN, wide);
    snprintf(low, sizeof(low), "%.27s", wide);
    say_two(high_ns, ROUND_UP, wide);
    snprintf(high, sizeof(high), "%.27s", wide);
    if (strcmp(low, high) == 0)
        snprintf(out, 64, "%s", high);
    else
        snprintf(out, 64, "%s to %s", low, high);
}

void span_say(int64_t low_ns, int64_t high_ns, char out[64])
{
    low_ns = low_ns < 0 ? 0 : low_ns;
    high_ns = high_ns < low_ns ? low_ns : high_ns;
    enum Scale scale = scale_of(high_ns);
    if (high_ns == NS_NEVER) {
        span_open(low_ns, out);
        return;
    }
    if (scale == SCALE_LARGE) {
        span_large(low_ns, high_ns, out);
        return;
    }
    char low[NUMBER_SIZE], high[NUMBER_SIZE];
    const char *unit = scale == SCALE_MS ? "ms" : "s";
    say_number(low_ns, scale, ROUND_DOWN, low);
    say_number(high_ns, scale, ROUND_UP, high);
    if (low_ns == high_ns || strcmp(low, high) == 0)
        snprintf(out, 64, "%s %s", high, unit);
    else
        snprintf(out, 64, "%s-%s %s", low, high, unit);
}

void share_say(int64_t millionths, char out[16])
{
    int64_t value = millionths < 0 ? 0 : millionths;
    if (value > 9999 * 1000000LL) {
        snprintf(out, 16, "> 999900 %%");
    } else if (value == 0) {
        snprintf(out, 16, "0 %%");
    } else if (value < 100) {
        snprintf(out, 16, "< 0.01 %%");
    } else if (value < 1000) {
        snprintf(out, 16, "0.%02d %%", (int)divide(value, 100, ROUND_DOWN));
    } else {
        int tenths = (int)divide(value, 1000, ROUND_NEAREST);
        if (value < 1000000 && tenths == 1000) /* almost all is not all */
            tenths = 999;
        if (tenths % 10 == 0)
            snprintf(out, 16, "%d %%", tenths / 10);
        else
            snprintf(out, 16, "%d.%d %%", tenths / 10, tenths % 10);
    }
}

void count_say(uint64_t count, char out[32])
{
    char digits[24];
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int n = 0; n < size; n++) {
        if (n > 0 && (size - n) % 3 == 0)
            out[used++] = ' ';
        out[used++] = digits[n];
    }
    out[used] = '\0';
}
