/* faults_bench.h - what a network fault tells the kernel of one host, by its plan. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_FAULTS_BENCH_H
#define FD_TESTS_FAULTS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runner/faults/kinds.h"
#include "../../runner/faults/network.h"
#include "../../runner/model/sides.h"

static const struct Target host = {.name = "redis-1", .where = {.file = NULL}};
static const struct Target other = {.name = "redis-2", .where = {.file = NULL}};
static const struct Token token = {"01k2"};

/* As the kinds lay their configs out: loss and rate_limit alike. */
struct LineWords {
    const struct Node *target;
    int64_t amount;
    int direction;
    const struct Node *to;
    struct List ports;
};
struct CutWords {
    const struct CutFields *sides;
    struct List ports;
    int with;
};
struct DnsWords {
    const struct Node *target;
    int with;
};

struct Bench {
    struct Arena *arena;
    struct HostFacts facts;
    struct PlanInput input;
    struct LineWords line;
    struct DnsWords dns;
    struct CutWords cut;
    struct Procedure procedure;
    struct Err err;
    const char *apply;
};

static struct Bench bench_on(struct HostFacts facts)
{
    return (struct Bench){.arena = arena_new("test", 1 << 22),
                          .facts = facts,
                          .input = {.target = &host,
                                    .token = &token,
                                    .number = 1,
                                    .hold_ns = -1,
                                    .lease_ns = 30 * NS_PER_S,
                                    .cap_ns = 75 * NS_PER_S}};
}

static bool plan_of(struct Bench *bench, const struct FaultKind *kind, const void *config)
{
    bench->input.facts = &bench->facts;
    bool planned = kind->plan(config, &bench->input, bench->arena, &bench->procedure, &bench->err);
    if (planned) {
        assert_true(procedure_check(kind, &bench->procedure, &bench->err));
        bench->apply = commands_shell(&bench->procedure.apply, bench->arena);
    }
    return planned;
}

static void has(const struct Bench *bench, const char *text)
{
    if (strstr(bench->apply, text) == NULL)
        print_error("no '%s' in:\n%s\n", text, bench->apply);
    assert_non_null(strstr(bench->apply, text));
}

static void lacks(const struct Bench *bench, const char *text)
{
    assert_null(strstr(bench->apply, text));
}

#endif
