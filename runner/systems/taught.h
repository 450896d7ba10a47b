/* taught.h - what the files of a taught system share; nobody else includes it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_TAUGHT_H
#define FD_SYSTEMS_TAUGHT_H

#include "elected.h"
#include "remote.h"

struct TaughtRun {
    const char *rank, *redundancy, *failover, *config, *rejoin;
};
struct TaughtConfig {
    const struct TaughtRun *run;
    int64_t port;
    int plain_start;
};
struct Taught {
    struct Elected elected; /* first */
    const struct TaughtConfig *config;
    struct Remote *remote;
};

/* One of its lines, on a host. */
struct Call *taught_call(struct Taught *system, size_t host, const char *line, struct Mono deadline,
                         CallDone *done, void *data);

/* ---- by file: taught_ask.c ---- */
void taught_ask_redundancy(void *system, struct Mono deadline, RedundancyFn *done, void *data);
void taught_ask_prospect(void *system, struct Mono deadline, ProspectFn *done, void *data);
void taught_failover(void *system, const struct FailoverWish *wish, struct Mono deadline,
                     void (*done)(void *data, enum Known accepted, const char *why), void *data);

#endif
