/* probing.h - real probes from YAML, run by the real engine, watched on a test's loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_PROBING_H
#define FD_FAKES_PROBING_H

#include "../../probes/engine.h"

enum { PROBING_PROBES = 8, PROBING_SAMPLES = 20000 };

struct Probing {
    struct Loop *loop; /* the test's: servers of it run there */
    uint16_t port;     /* what PORT stands for in the texts */
    struct Arena *arena;
    struct Problems *problems;
    struct Environment *environment;
    struct ProbeSpec specs[PROBING_PROBES];
    struct BoundProbe bound[PROBING_PROBES];
    size_t probe_count;
    struct Plan plan;
    struct Prober *prober;
    struct Timer *look;
    struct Sample *samples;
    size_t count, of[PROBING_PROBES]; /* all; the attempts that were made, by probe */
    struct Census census[3000];
    size_t census_count;
    char detail[PROBING_PROBES][120]; /* the last one */
    bool (*until)(struct Probing *probing, void *data);
    void *until_data;
    struct Mono until_end;
    bool (*place)(void *data, uint32_t probe, const char *host, uint16_t port,
                  struct Endpoint *out);
};
void probing_open(struct Probing *probing);
/* YAML of an environment file. Stops the program where it does not decode. */
void probing_environment(struct Probing *probing, const char *text);
/* `text`: a probe as it stands in a scenario, "{redis: redis, ok: {under: 50ms}}"; times apart. */
uint32_t probing_add(struct Probing *probing, const char *text, int64_t interval_ns,
                     int64_t timeout_ns);
bool probing_start(struct Probing *probing, struct Err *err);
/* Runs the test's loop until so many attempts of the probe were made (a busy machine skips some),
 * or until `until` says so; 120 s at most. */
void probing_take(struct Probing *probing, uint32_t probe, size_t count);
void probing_run(struct Probing *probing, bool (*until)(struct Probing *probing, void *data),
                 void *data);
/* Forgets what was taken so far. */
void probing_clear(struct Probing *probing);
/* The last attempt that was made. */
const struct Sample *probing_last(const struct Probing *probing, uint32_t probe);
void probing_close(struct Probing *probing);

#endif
