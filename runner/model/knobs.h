/* knobs.h - settings that decide a failover: what they promise, and what others would. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_KNOBS_H
#define FD_MODEL_KNOBS_H

#include <stddef.h>

#include "../base/clock.h"

enum { KNOB_ROWS_MAX = 8 };
#define KNOB_UNKNOWN (-1) /* a value that nobody read */

struct Knob { /* as read, for people */
    const char *name, *value;
};
/* "30000" is 30 s; "30 s" or "1.5 s"; "2s" or "500ms"; "3"; "on" or "off", "yes" or "no". Numbers
 * may have more text behind them. All times become ns, a switch 1 or 0. A word becomes its place in
 * `words`; one that is none of them, the last one's. */
enum KnobUnit { KNOB_MS, KNOB_S, KNOB_TIME, KNOB_COUNT, KNOB_SWITCH, KNOB_WORD };
struct KnobRow {
    const char *name; /* as the system's prospect has it */
    enum KnobUnit unit;
    int64_t least;  /* nothing below is advised: the makers' own least, or what they use */
    int64_t usual;  /* the makers' default: what lies above it is lowered first */
    int64_t better; /* 0, or the one value that is advised: `on`, a replica that confirms */
    const char *const *words; /* of KNOB_WORD, NULL behind the last: from what promises least on */
    const char *line;         /* what sets it, with %s for the value; NULL: it is read alone */
    enum KnobUnit written;    /* the value's form in it */
};
/* What a configuration promises of a failover that nobody asked for. */
struct Forecast {
    struct Span failover;
    /* How long a primary that is cut off from all others goes on acknowledging writes that will be
     * lost. low and high NS_NEVER: as long as it is cut off; high KNOB_UNKNOWN: nobody can tell. */
    struct Span acked;
    bool lossless;            /* what is acknowledged stands on another host as well, */
    const char *lossless_if;  /* NULL: always; else where it does: "as long as ..." */
    bool allowed;             /* the system takes these values together */
    enum Known stays_primary; /* cut off, it calls itself primary until the cut ends */
};
/* One of each kind of system that has such settings, in its own file. Pure. */
struct KnobTable {
    const struct KnobRow *rows; /* in the order in which they are advised */
    size_t row_count;
    /* values: by row; an unknown one makes unknown what it decides. `failover` may leave out what
     * these rows do not say, if the difference between two calls is right. */
    void (*foretell)(const int64_t *values, struct Forecast *out);
};

/* values: KNOB_ROWS_MAX of them. */
void knobs_read(const struct KnobTable *table, const struct Knob *knobs, size_t count,
                int64_t *values);
/* The same from one text: "ttl 30 s, loop_wait 10 s, ...". */
void knobs_read_text(const struct KnobTable *table, const char *text, int64_t *values);
/* `unit`: as people read it; `written`: as it stands in a file or a command of the system. */
void knob_write(const struct KnobRow *row, enum KnobUnit unit, int64_t value, char out[40]);

struct KnobWish {
    struct Span today;   /* the failover's range by the present values, as the plan had it */
    int64_t failover_ns; /* its upper end is to be at most so much; KNOB_UNKNOWN: not asked */
    int64_t acked_ns;    /* the same of `acked`; 0 is met by what is lossless, too */
};
struct KnobChange {
    const struct KnobRow *row;
    int64_t from, to;
};
/* The fewest knobs (three at most) whose new values grant the wish, changed as little as can be,
 * and what they promise together; 0 where none do. Same values, same answer. */
size_t knobs_grant(const struct KnobTable *table, const int64_t *values,
                   const struct KnobWish *wish, struct KnobChange out[3],
                   struct Forecast *promised);

#endif
