/* elected.h - systems of which each host says for itself whether it leads. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_ELECTED_H
#define FD_SYSTEMS_ELECTED_H

#include <stddef.h>

#include "../model/system.h"
#include "asking.h"

enum { ELECTED_HOSTS_MAX = 50, ELECTED_KNOBS_MAX = 24, ELECTED_VALUE_MAX = 80 };

/* `plain_start:` of a system that does not see to it by itself: an int, 1 = safe. */
extern const struct Choice plain_start_choices[];
#define PLAIN_START_FIELD(record)                                                                  \
    {                                                                                              \
        .name = "plain_start", .type = FIELD_CHOICE, .offset = offsetof(record, plain_start),      \
        .choices = plain_start_choices, .fallback = "unsafe", .example = "safe",                   \
        .doc = "What becomes of a former primary that is started as it is, by its service or by "  \
               "the boot of its machine; where it is not known to be safe, no drill that would "   \
               "do so takes the primary away."                                                     \
    }

struct Elected;
struct ElectedKind {
    /* Asks one host; done gets the answer. */
    struct Call *(*ask)(struct Elected *system, size_t host, struct Mono deadline, CallDone *done,
                        void *data);
    /* What the answer says of rank, epoch and so on; a rank that it does not say stays unknown. */
    void (*hear)(struct Elected *system, size_t host, const struct Answer *answer,
                 struct Standing *out);
    /* What it says beside that, for those who asked alone: another question has its own. NULL:
     * nothing. `kept`: zeroed, `kept_size` bytes; see roll_kept. */
    void (*keep)(const struct Answer *answer, void *kept);
    size_t kept_size;
};
/* The first member of such a system's own struct. */
struct Elected {
    const struct ElectedKind *kind;
    const struct Role *role;
    struct Asking asking;
    uint16_t port; /* where clients connect to its hosts */
};
/* False, with *err, where the role has more hosts than can be asked. */
bool elected_open(struct Elected *system, const struct ElectedKind *kind, const struct Role *role,
                  struct Loop *loop, struct Err *err);
void elected_cancel(void *system);
const char *elected_address(const struct Target *host);

/* ---- all hosts at once ---- */

/* Freed after `told`. A kind that asks more of them goes on by asks of its own. */
struct Roll {
    struct Ask ask; /* first */
    struct Elected *system;
    struct Standing said[ELECTED_HOSTS_MAX];
    bool hasty; /* a primary that is known is enough: who is silent is not waited for long */
    void (*told)(struct Roll *roll);
    union {
        StandingFn *standing;
        RedundancyFn *redundancy;
        ProspectFn *prospect;
        void (*found)(void *data, const char *address, uint16_t port);
        void (*act)(void *data, enum Known accepted, const char *why);
    } done; /* the question's own */
    void *data;
    void *kept; /* by host; behind the question's own struct */
};
/* What the kind's `keep` made of a host's answer to this question. */
void *roll_kept(const struct Roll *roll, size_t host);
/* size: of a struct with a Roll first. */
void *roll_begin(struct Elected *system, size_t size, struct Mono deadline,
                 void (*told)(struct Roll *roll));
void roll_go(struct Roll *roll); /* asks all of them */
/* The one that leads: the only one that says so, or of several that of the highest epoch; else
 * host_count. */
size_t roll_leader(const struct Roll *roll);
size_t roll_primaries(const struct Roll *roll);
/* One leads, and all others follow. `why` holds 300 bytes, and outlives it. */
void roll_judge(const struct Roll *roll, struct Redundancy *out, char *why);

/* ---- what a prospect is made of ---- */

struct Outlook {
    struct Roll roll; /* first */
    struct Knob knobs[ELECTED_KNOBS_MAX];
    char values[ELECTED_KNOBS_MAX][2][ELECTED_VALUE_MAX];
    size_t knob_count;
    char not_ready[300], loss[160], durable[80];
    struct Prospect prospect;
};
/* Further knobs are left out. */
void outlook_knob(struct Outlook *outlook, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The first trap counts. */
void outlook_trap(struct Outlook *outlook, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Who leads, and that somebody could: traps where not. */
void outlook_judge(struct Outlook *outlook);
void outlook_tell(struct Outlook *outlook); /* to the question's own done, as a ProspectFn */
struct Outlook *outlook_begin(struct Elected *system, size_t size, struct Mono deadline,
                              void (*told)(struct Roll *roll), ProspectFn *done, void *data);

/* ---- a planned move: the leader itself is asked, once, to let another one lead ---- */

struct ElectedMove {
    int64_t look_ns; /* who is silent for so long is not waited for */
    /* How much of the log a host has, by what was kept of it. */
    int64_t (*log_index)(const void *kept);
    /* The host of the leader, what was kept of who is to lead; done is ask_answered of the part. */
    struct Call *(*ask)(struct Elected *system, size_t leader, const void *next,
                        struct Mono deadline, struct AskPart *part);
    /* What it answered: whether it was accepted, and why not. */
    enum Known (*hear)(const struct Answer *answer, char *why, size_t size);
};
/* To whom the wish names, else to the follower that has most of the log. */
void elected_move(struct Elected *system, const struct ElectedMove *move,
                  const struct FailoverWish *wish, struct Mono deadline,
                  void (*done)(void *data, enum Known accepted, const char *why), void *data);

/* ---- for the kind's table ---- */

void elected_ask_standing(void *system, const struct Target *host, struct Mono deadline,
                          StandingFn *done, void *data);
void elected_ask_control(void *system, struct Mono deadline, StandingFn *done, void *data);
void elected_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void elected_find_primary(void *system, struct Mono deadline,
                          void (*done)(void *data, const char *address, uint16_t port), void *data);

#endif
