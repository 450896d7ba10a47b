/* sight_parts.h - what the files of sight share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_ENGINE_SIGHT_PARTS_H
#define FD_ENGINE_SIGHT_PARTS_H

#include "sight.h"

struct Ranking {
    struct SightRole *role;
    enum Rank *ranks;
    size_t pending;
    void (*done)(void *data);
    void *data;
};
struct RankAsked {
    struct Ranking *ranking;
    size_t at;
};
struct SightRole {
    struct Sight *sight;
    const struct Role *role;
    void *system;
    bool asking_control, asking_standing, asking_detected, asking_redundancy;
    struct Mono control_asked, detected_asked, redundancy_asked;
    const struct Target *primary; /* control plane and itself agree */
    const struct Target *named;   /* by the control plane, not yet by itself */
    const struct Target *before;  /* last one before the first fault */
    enum Known whole;
    bool redundancy_seen, was_whole;
    char why[160];
    struct RunSystem seen;
    const struct Target *leader; /* who took over last; before the first fault as `before` */
    struct Mono last_old;        /* asked when that one still led */
    struct List moves;           /* of struct RunMove */
    struct Mono last_undetected, last_lacking;
    struct Moment back, back_whole; /* it leads again; redundancy is whole again */
    struct Ranking ranking;
};
struct Sight {
    struct Arena *arena;
    struct SightRole *roles;
    size_t count;
    struct Mono fault, undo, asked;
    const struct Role *back_role; /* given back to who led before; NULL: none is */
    struct Mono back;             /* when that was sent; 0 = not: what is seen now is its doing */
};

/* NULL: nobody asks it. */
struct SightRole *sight_role(const struct Sight *sight, const struct Role *role);
/* sight_back.c: who led before leads again since a switch back; redundancy after one. */
void sight_returned(struct SightRole *role, struct Mono answered);
void sight_back_whole(struct SightRole *role, enum Known complete);

#endif
