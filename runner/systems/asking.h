/* asking.h - several calls at once, to several servers, and one end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_ASKING_H
#define FD_SYSTEMS_ASKING_H

#include "../clients/call.h"

/* What a system has under way; zeroed but for the loop. */
struct Asking {
    struct Loop *loop;
    struct Ask *asks;
};
/* One question. A kind of question has a struct of its own with this first. Freed after finish. */
struct Ask {
    struct Asking *all;
    struct Ask *next;
    struct AskPart *parts;
    struct Timer *timer;
    bool (*after)(struct Ask *ask); /* when the timer fires */
    struct Mono asked, deadline;
    size_t waiting; /* parts, and the timer */
    /* Nothing is waited for any more, or a part knew enough: says what came of it. It may ask anew,
     * cancel all, and close the system. */
    void (*finish)(struct Ask *ask);
};
/* False: enough is known, and who has not answered is not waited for. May ask and wait for more. */
typedef bool AskFn(struct Ask *ask, size_t index, const struct Answer *answer);

void *ask_begin(struct Asking *all, size_t size, struct Mono deadline,
                void (*finish)(struct Ask *ask));
/* A call that is about to begin: its done is ask_answered, its data the part. `release` (may be
 * NULL) gives back `owned` once the call has ended. */
struct AskPart {
    struct Ask *ask;
    struct AskPart *next;
    struct Call *call; /* to be set at once by whoever begins it */
    AskFn *fn;
    size_t index;
    void *owned;
    void (*release)(void *owned);
};
struct AskPart *ask_part(struct Ask *ask, size_t index, AskFn *fn);
void ask_answered(void *part, const struct Answer *answer);
/* `after` in so many nanoseconds, at the deadline at the latest; false: enough is known. */
void ask_wait(struct Ask *ask, int64_t ns, bool (*after)(struct Ask *ask));
/* All that is asked at first was asked: where nobody could be, it ends soon. */
void ask_go(struct Ask *ask);
void asks_cancel(struct Asking *all);

#endif
