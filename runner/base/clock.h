/* clock.h - two clocks, two types, so that the compiler refuses to mix them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_CLOCK_H
#define FD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL
#define NS_NEVER INT64_MAX

struct Mono { int64_t ns; }; /* CLOCK_MONOTONIC of the runner: order and differences */
struct Wall { int64_t ns; }; /* CLOCK_REALTIME since 1970: for people; never subtracted */

/* It happened between these; T0 is one: [sent, proven]. */
struct Moment { struct Mono low, high; };
/* A duration known to lie between; high NS_NEVER = not seen to end. */
struct Span { int64_t low_ns, high_ns; };
/* Silence is KNOWN_UNKNOWN, never KNOWN_NO. */
enum Known { KNOWN_UNKNOWN, KNOWN_NO, KNOWN_YES };

struct Mono mono_now(void);
struct Wall wall_now(void);
int64_t boottime_now_ns(void); /* CLOCK_BOOTTIME: its drift from Mono is time spent suspended */
struct Mono mono_add(struct Mono from, int64_t ns);
int64_t mono_since(struct Mono earlier, struct Mono later); /* later - earlier */
bool mono_before(struct Mono a, struct Mono b);
struct Mono mono_min(struct Mono a, struct Mono b);

/* RFC 3339 in UTC with milliseconds, "2026-11-16T10:30:02.114Z"; out must hold 32 bytes. */
void wall_utc(struct Wall wall, char out[32]);
/* Local time with zone abbreviation, "2026-11-16 11:30:02.114 CET"; out must hold 48 bytes.
 * Conductor only. */
void wall_local(struct Wall wall, char out[48]);
/* The reverse of wall_utc. */
bool wall_parse(const char *text, struct Wall *out);

#endif
