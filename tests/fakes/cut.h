/* cut.h - a transport that loses its link at a chosen moment. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_CUT_H
#define FD_TESTS_CUT_H

#include "space.h"

enum CutAt {
    CUT_NEVER,
    CUT_BEFORE_SEND, /* the command runs, nothing of its input arrives */
    CUT_MID_SEND,    /* half of it arrives */
    CUT_BEFORE_REPLY /* all of it arrives, no answer comes back */
};
/* The space's target, by the prefix transport behind one that cuts; of one thread. */
struct Target cut_target(const struct Space *space);
/* From now on; CUT_NEVER mends the link. */
void cut_at(enum CutAt when);

#endif
