/* duration_say.c - durations, shares and counts as people read them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "duration.h"

#include <stdio.h>

#include "clock.h"

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

static void say_two(int64_t ns, enum Round round, char *out, size_t room)
{
    long long s = divide(ns, NS_PER_S, round);
    if (s < 3600 && s % 60 == 0)
        snprintf(out, room, "%lld min", s / 60);
    else if (s < 3600)
        snprintf(out, room, "%lld min %02lld s", s / 60, s % 60);
    else if (s < 48 * 3600LL && s % 3600 < 60)
        snprintf(out, room, "%lld h", s / 3600);
    else if (s < 48 * 3600LL)
        snprintf(out, room, "%lld h %02lld min", s / 3600, s % 3600 / 60);
    else if (s % 86400 < 3600)
        snprintf(out, room, "%lld d", s / 86400);
    else
        snprintf(out, room, "%lld d %02lld h", s / 86400, s % 86400 / 3600);
}

/* The number alone, without its unit. */
static void say_number(int64_t ns, enum Scale scale, enum Round round, char out[32])
{
    if (scale == SCALE_S) {
        long long tenths = divide(ns, 100 * NS_PER_MS, round);
        snprintf(out, 32, "%lld.%lld", tenths / 10, tenths % 10);
        return;
    }
    long long tenths = divide(ns, 100 * NS_PER_US, round);
    if (tenths < 100 && tenths % 10 != 0)
        snprintf(out, 32, "%lld.%lld", tenths / 10, tenths % 10);
    else
        snprintf(out, 32, "%lld", (long long)divide(ns, NS_PER_MS, round));
}

void duration_say(int64_t ns, char out[32])
{
    if (ns == NS_NEVER) {
        snprintf(out, 32, "for ever");
        return;
    }
    if (ns < 0)
        ns = 0;
    char number[32];
    if (ns < NS_PER_S - NS_PER_MS / 2) {
        say_number(ns, SCALE_MS, ROUND_NEAREST, number);
        snprintf(out, 32, "%s ms", number);
    } else if (ns < 60 * NS_PER_S && ns % NS_PER_S == 0) {
        snprintf(out, 32, "%lld s", (long long)(ns / NS_PER_S));
    } else if (ns < 60 * NS_PER_S - 50 * NS_PER_MS) {
        say_number(ns, SCALE_S, ROUND_NEAREST, number);
        snprintf(out, 32, "%s s", number);
    } else {
        say_two(ns, ROUND_NEAREST, out, 32);
    }
}

static void span_open(int64_t low_ns, char out[64])
{
    char number[32];
    if (low_ns < 120 * NS_PER_S) {
        say_number(low_ns, SCALE_S, ROUND_DOWN, number);
        snprintf(out, 64, "> %s s", number);
    } else {
        say_two(low_ns, ROUND_DOWN, number, sizeof(number));
        snprintf(out, 64, "> %s", number);
    }
}

void span_say(int64_t low_ns, int64_t high_ns, char out[64])
{
    char low[32], high[32];
    low_ns = low_ns < 0 ? 0 : low_ns;
    high_ns = high_ns < low_ns ? low_ns : high_ns;
    if (high_ns == NS_NEVER) {
        span_open(low_ns, out);
        return;
    }
    enum Scale scale = scale_of(high_ns);
    if (scale == SCALE_LARGE) {
        say_two(low_ns, ROUND_DOWN, low, sizeof(low));
        say_two(divide(high_ns, NS_PER_S, ROUND_UP) * NS_PER_S, ROUND_DOWN, high, sizeof(high));
    } else {
        say_number(low_ns, scale, ROUND_DOWN, low);
        say_number(high_ns, scale, ROUND_UP, high);
    }
    bool alike = low_ns == high_ns || __builtin_strcmp(low, high) == 0;
    const char *unit = scale == SCALE_MS ? " ms" : scale == SCALE_S ? " s" : "";
    if (alike)
        snprintf(out, 64, "%s%s", high, unit);
    else
        snprintf(out, 64, "%s%s%s%s", low, scale == SCALE_LARGE ? " to " : "-", high, unit);
}

void share_say(int64_t millionths, char out[16])
{
    long long value = millionths < 0 ? 0 : millionths;
    if (value > 0 && value < 100) {
        snprintf(out, 16, "< 0.01 %%");
    } else if (value < 1000) {
        long long hundredths = divide(value, 100, ROUND_NEAREST);
        snprintf(out, 16, hundredths == 0 ? "0 %%" : "%lld.%02lld %%", hundredths / 100,
                 hundredths % 100);
    } else {
        long long tenths = divide(value, 1000, ROUND_NEAREST);
        if (value < 1000000 && tenths == 1000) /* almost all is not all */
            tenths = 999;
        if (tenths % 10 == 0)
            snprintf(out, 16, "%lld %%", tenths / 10);
        else
            snprintf(out, 16, "%lld.%lld %%", tenths / 10, tenths % 10);
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
