/* sides.h - whom a network fault is between, as a file says it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_SIDES_H
#define FD_MODEL_SIDES_H

#include "../schema/decode.h"

enum CutShape {
    SHAPE_NONE,
    SHAPE_HALVES,
    SHAPE_MAJORITY,
    SHAPE_MINORITY,
    SHAPE_RING,
    SHAPE_BRIDGE
};

/* The value of `cut:`. */
struct CutFields {
    const struct Node *between, *from, *to;
    int shape; /* enum CutShape */
    const char *of;
};
extern const struct Record CUT_RECORD;

/* Targets, roles, or the rest of the role of the other side. */
struct SideSpec {
    struct List names; /* of const char * */
    bool peers;
    struct Where where;
};
/* `cut`: two sides, or a shape of a role. */
struct BetweenSpec {
    struct SideSpec a, b;
    bool one_way; /* b stops hearing a */
    enum CutShape shape;
    const char *of;
    struct Where where;
};

#endif
