/* model_case.h - a scenario and an environment made of texts, for tests of the model. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_MODEL_CASE_H
#define FD_TESTS_MODEL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../runner/model/plan.h"
#include "../../runner/schema/describe.h"

extern const struct Kinds faildrill_kinds; /* runner/main.c */

#define STAGING                                                                                    \
    "environment: staging\n"                                                                       \
    "ssh: {user: drill, config: lab/ssh_config}\n"                                                 \
    "roles:\n"                                                                                     \
    "  api: {hosts: [api-1, api-2, api-3], unit: shop-api.service}\n"                              \
    "  web: {hosts: [api-1], process: /usr/bin/web}\n"                                             \
    "  redis:\n"                                                                                   \
    "    hosts: {redis-1: {address: 10.0.0.11}, redis-2: {address: 10.0.0.12}}\n"                  \
    "    service: {pidfile: /run/redis.pid, start: \"redis start\", stop: \"redis stop\"}\n"       \
    "    redis_sentinel: {master: shop, sentinels: [redis-1, redis-2]}\n"                          \
    "endpoints: {api: \"http://10.0.0.21:8080\"}\n"                                                \
    "vars: {region: eu-1, it's: \"a 'b'\"}\n"                                                      \
    "secrets: {token: {env: FD_TEST_TOKEN}}\n"

#define DRILL                                                                                      \
    "scenario: drill\n"                                                                            \
    "params: {machines: {type: int, default: 1, max: 2}, path: /healthz}\n"                        \
    "targets: {victim: {role: api, pick: \"${param.machines}\"}}\n"                                \
    "probes: {shop: {http: \"${endpoint.api}${param.path}\", every: 50ms}}\n"                      \
    "steps: [{isolate: victim, for: 60s}]\n"                                                       \
    "halt: {shop: {max_outage: 45s}}\n"                                                            \
    "expect: {shop: {recover_within: 20s}}\n"

struct Case {
    struct Arena *arena;
    struct Problems *problems;
    struct Environment *environment;
    struct Scenario *scenario;
    struct Buf said; /* what problems_write makes of the problems */
};

static const struct Document *case_document(struct Case *c, const char *path, const char *text)
{
    return document_parse(path, text, strlen(text), c->arena, c->problems);
}

static void case_say(struct Case *c, const struct Document *const *documents, size_t count)
{
    problems_sort(c->problems);
    problems_write(c->problems, documents, count, &c->said);
}

/* Either text may be NULL. What is wrong is in `said`; then the value is NULL. */
__attribute__((unused)) static struct Case case_with(const char *environment, const char *scenario,
                                                     const struct ParamValue *params, size_t count)
{
    struct Case c = {.arena = arena_new("test", 64u << 20), .problems = problems_new()};
    c.said = BUF(1 << 20);
    const struct Document *documents[2];
    size_t read = 0;
    if (environment != NULL) {
        documents[read] = case_document(&c, "staging.yaml", environment);
        assert_non_null(documents[read]->root);
        c.environment =
            environment_new(documents[read++], &faildrill_kinds, "/project", c.problems);
    }
    if (scenario != NULL) {
        documents[read] = case_document(&c, "drill.yaml", scenario);
        assert_non_null(documents[read]->root);
        struct ScenarioInput input = {
            .document = documents[read++],
            .kinds = &faildrill_kinds,
            .environment = c.environment,
            .params = params,
            .param_count = count,
        };
        c.scenario = scenario_new(&input, c.problems);
    }
    case_say(&c, documents, read);
    return c;
}

__attribute__((unused)) static struct Case case_of(const char *environment, const char *scenario)
{
    return case_with(environment, scenario, NULL, 0);
}

/* The same, and there is nothing wrong. */
__attribute__((unused)) static struct Case good_case(const char *environment, const char *scenario)
{
    struct Case c = case_of(environment, scenario);
    assert_string_equal(c.said.text, "");
    return c;
}

__attribute__((unused)) static void case_close(struct Case *c)
{
    scenario_free(c->scenario);
    environment_free(c->environment);
    buf_free(&c->said);
    problems_free(c->problems);
    arena_free(c->arena);
}

#endif
