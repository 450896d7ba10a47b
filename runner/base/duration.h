/* duration.h - the units that people write: durations, sizes, shares, rates. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_DURATION_H
#define FD_BASE_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each parse returns false for anything that is not wholly one value; a bare number is none.
 * `why` (may be NULL) gets a constant sentence part such as "a duration needs a unit, like 30s". */
bool duration_parse(const char *text, int64_t *ns, const char **why); /* 500ms 30s 1m30s 2h 7d */
bool size_parse(const char *text, int64_t *bytes, const char **why);  /* 64MiB 10MB 512 B */
bool share_parse(const char *text, int64_t *millionths, const char **why); /* 34% 0.5% */
bool rate_parse(const char *text, int64_t *ns_between, const char **why);  /* 20/s = 50 ms */
bool bits_parse(const char *text, int64_t *bits, const char **why); /* 1Mbit/s: bits a second */
bool int_parse(const char *text, int64_t *value, const char **why); /* decimal, optional minus */

/* bits_parse's own form, exact: "1500kbit/s". */
void bits_write(int64_t bits, char out[32]);
/* As written in files, shortest exact form: "1m30s", "250ms". out must hold 32 bytes,
 * which is enough for any that is not negative. */
void duration_write(int64_t ns, char out[32]);
/* For people: "3.2 s", "450 ms", "2 min 05 s", "1 h 04 min". out must hold 32 bytes. */
void duration_say(int64_t ns, char out[32]);
/* An interval for people: "3.2-4.1 s", "8.9 s" where both ends round alike, "> 30.0 s" where it
 * was not seen to end. out must hold 64 bytes. The upper end is rounded up, the lower down. */
void span_say(int64_t low_ns, int64_t high_ns, char out[64]);
void share_say(int64_t millionths, char out[16]); /* "2.2 %" */
void count_say(uint64_t count, char out[32]);     /* "41 210" */

#endif
