/* probes_sql.h - what the tests of sql probes beside a real server share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_PROBES_SQL_H
#define FD_TESTS_PROBES_SQL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../fakes/probing.h"

static struct Probing *probing_of(uint16_t port, const char *environment)
{
    struct Probing *probing = calloc(1, sizeof(*probing));
    probing_open(probing);
    probing->port = port;
    probing_environment(probing, environment);
    return probing;
}

static int end(void **state)
{
    probing_close(*state);
    free(*state);
    return 0;
}

/* Far apart: each attempt has a connection of its own, and the server has room for a hundred. */
static uint32_t add(struct Probing *probing, const char *text)
{
    return probing_add(probing, text, 500 * NS_PER_MS, 20 * NS_PER_S);
}

static void start(struct Probing *probing)
{
    struct Err err;
    if (!probing_start(probing, &err))
        fail_msg("%s", err.message);
}

/* The first attempt that was made: a busy machine skips some. */
static const struct Sample *first_of(const struct Probing *probing, uint32_t probe)
{
    for (size_t n = 0; n < probing->count; n++)
        if (probing->samples[n].probe == probe && probing->samples[n].outcome != OUTCOME_SKIPPED)
            return &probing->samples[n];
    return NULL;
}

static bool was_made(struct Probing *probing, void *probe)
{
    return first_of(probing, *(const uint32_t *)probe) != NULL;
}

static void is(struct Probing *probing, uint32_t probe, enum Outcome outcome, enum Failure failure)
{
    probing_run(probing, was_made, &probe);
    const struct Sample *sample = first_of(probing, probe);
    assert_int_equal(sample->outcome, outcome);
    assert_int_equal(sample->failure, failure);
}

#endif
