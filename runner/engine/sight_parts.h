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
    struct Mono back_sent;          /* it is given back to who led before since; 0 = it is not */
    struct Moment back, back_whole; /* that one leads again; redundancy is whole again */
    uint32_t lost_again; /* how often it led again, and another did before it was whole */
    struct Ranking ranking;
};
struct Sight {
    struct Arena *arena;
    struct SightRole *roles;
    size_t count;
    struct Mono fault, undo, asked;
    struct Mono back; /* the first role was given back: what is lacking from now on is its doing */
};

/* NULL: nobody asks it. */
struct SightRole *sight_role(const struct Sight *sight, const struct Role *role);
/* sight_back.c: who leads since a switch back of the role, and its redundancy; false: none was
 * sent.
 */
bool sight_back_leads(struct SightRole *role, struct Mono answered);
bool sight_back_whole(struct SightRole *role, enum Known complete);

#endif
