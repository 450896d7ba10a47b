/* schema_sample.h - a small language with one of each kind of field, for tests of the schema. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_SCHEMA_SAMPLE_H
#define FD_TESTS_SCHEMA_SAMPLE_H

#include <string.h>

#include "../../runner/schema/decode.h"
#include "../../runner/schema/describe.h"

enum Colour { COLOUR_RED = 3, COLOUR_GREEN = 7 };

struct Limit {
    int64_t within_ns;
    struct Loss max_lost;
    bool must_notice;
};
struct Check {
    const char *name;
    const struct Node *node;
    struct Chosen kind;
    int64_t every_ns, timeout_ns;
};
struct Web {
    const char *url;
    const char *method;
    const struct Limit *ok;
};
struct Store {
    const char *role;
    const char *password;
    struct List hosts;
};
struct Shell {
    const char *script;
};
struct Host {
    const char *name;
    const char *address;
};
struct Sample {
    const char *title, *owner;
    enum Colour colour;
    int64_t count, rate_ns, size_bytes, share;
    struct Pick pick;
    struct List tags, days, checks, steps, hosts, vars;
    const struct Limit *limit, *always;
    const struct Node *any;
    bool loud;
    struct Chosen reach;
};

static const struct Choice sample_colours[] = {
    {.name = "red", .value = COLOUR_RED, .doc = "Like roses."},
    {.name = "green", .value = COLOUR_GREEN, .doc = "Like grass."},
    {.name = NULL},
};
static const struct Choice sample_days[] = {{.name = "Mon"}, {.name = "Tue"}, {.name = NULL}};

static const struct Field limit_fields[] = {
    {.name = "within",
     .type = FIELD_DURATION,
     .offset = offsetof(struct Limit, within_ns),
     .flags = FIELD_UNSET,
     .min = 1,
     .max = INT64_MAX,
     .example = "10s",
     .doc = "How long it may take."},
    {.name = "max_lost",
     .type = FIELD_LOSS,
     .offset = offsetof(struct Limit, max_lost),
     .example = "0",
     .doc = "Writes that may be lost."},
    {.name = "must_notice",
     .type = FIELD_BOOL,
     .offset = offsetof(struct Limit, must_notice),
     .fallback = "false",
     .doc = "It has to fail once."},
    {.name = NULL},
};
static void limit_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct Limit *limit = record;
    if (limit->must_notice && limit->within_ns == FIELD_NOT_GIVEN)
        problems_say(decode->problems, ERR_RULE, node_key(node, "must_notice")->where, NULL,
                     "`must_notice` needs `within`");
}
static const struct Record limit_record = {.name = "limit",
                                           .doc = "A limit.",
                                           .size = sizeof(struct Limit),
                                           .fields = limit_fields,
                                           .check = limit_check};

static const struct Field web_fields[] = {
    {.name = "url",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Web, url),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "http://127.0.0.1/",
     .doc = "Where."},
    {.name = "method",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Web, method),
     .fallback = "GET",
     .doc = "How."},
    {.name = "ok",
     .type = FIELD_RECORD,
     .offset = offsetof(struct Web, ok),
     .of = &limit_record,
     .doc = "What is good."},
    {.name = NULL},
};
static const struct Field store_fields[] = {
    {.name = "role",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Store, role),
     .flags = FIELD_REQUIRED,
     .example = "redis",
     .doc = "Whose."},
    {.name = "password",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Store, password),
     .flags = FIELD_SECRET,
     .doc = "How to log in."},
    {.name = "hosts", .type = FIELD_LIST, .offset = offsetof(struct Store, hosts), .doc = "Which."},
    {.name = NULL},
};
static const struct Field shell_fields[] = {
    {.name = "script",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Shell, script),
     .flags = FIELD_SUBJECT | FIELD_SCRIPT,
     .doc = "What the shell runs."},
    {.name = NULL},
};
static const struct Field nothing_fields[] = {{.name = NULL}};
static const struct Record web_record = {
    .name = "http", .size = sizeof(struct Web), .fields = web_fields};
static const struct Record store_record = {
    .name = "store", .size = sizeof(struct Store), .fields = store_fields};
static const struct Record shell_record = {
    .name = "run", .size = sizeof(struct Shell), .fields = shell_fields};
static const struct Record nothing_record = {.name = "local", .size = 1, .fields = nothing_fields};
static const struct Variant check_kinds[] = {
    {.name = "http", .summary = "Asks a web server.", .record = &web_record},
    {.name = "store", .summary = "Asks a database.", .record = &store_record},
    {.name = "run", .summary = "Runs a command.", .record = &shell_record},
};
static const struct Variant reach_kinds[] = {
    {.name = "local", .summary = "This machine.", .record = &nothing_record},
    {.name = "store", .summary = "Another.", .record = &store_record},
};
static const struct VariantSet sample_sets[] = {
    {.name = "check", .at = check_kinds, .count = COUNT_OF(check_kinds)},
    {.name = "reach", .at = reach_kinds, .count = COUNT_OF(reach_kinds)},
};

static const struct Field check_fields[] = {
    {.name = "", .type = FIELD_NAME, .offset = offsetof(struct Check, name)},
    {.name = "", .type = FIELD_NODE, .offset = offsetof(struct Check, node)},
    {.name = "every",
     .type = FIELD_DURATION,
     .offset = offsetof(struct Check, every_ns),
     .fallback = "1s",
     .min = 1000000,
     .max = 3600000000000,
     .example = "50ms",
     .doc = "Time between two attempts."},
    {.name = "timeout",
     .type = FIELD_DURATION,
     .offset = offsetof(struct Check, timeout_ns),
     .fallback = "2s",
     .doc = "When an attempt is too late."},
    {.name = NULL},
};
static const struct Record check_record = {.name = "check",
                                           .doc = "A check.",
                                           .size = sizeof(struct Check),
                                           .fields = check_fields,
                                           .variants = "check",
                                           .variant_offset = offsetof(struct Check, kind)};
static const struct Field host_fields[] = {
    {.name = "", .type = FIELD_NAME, .offset = offsetof(struct Host, name), .flags = FIELD_HOST},
    {.name = "address",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Host, address),
     .doc = "Where it is."},
    {.name = NULL},
};
static const struct Record host_record = {
    .name = "host", .size = sizeof(struct Host), .fields = host_fields};

static const struct Field sample_fields[] = {
    {.name = "sample",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Sample, title),
     .flags = FIELD_REQUIRED | FIELD_SNAKE,
     .example = "my_sample",
     .doc = "Its name."},
    {.name = "owner",
     .type = FIELD_TEXT,
     .offset = offsetof(struct Sample, owner),
     .flags = FIELD_PROSE,
     .doc = "Who answers for it."},
    {.name = "colour",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct Sample, colour),
     .fallback = "green",
     .choices = sample_colours,
     .doc = "Of its paint."},
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct Sample, count),
     .fallback = "1",
     .min = 1,
     .max = 10,
     .doc = "How many."},
    {.name = "rate",
     .type = FIELD_RATE,
     .offset = offsetof(struct Sample, rate_ns),
     .doc = "How often."},
    {.name = "size",
     .type = FIELD_SIZE,
     .offset = offsetof(struct Sample, size_bytes),
     .max = 1 << 30,
     .doc = "How large."},
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct Sample, share),
     .flags = FIELD_UNSET,
     .max = 1000000,
     .doc = "How much."},
    {.name = "pick",
     .type = FIELD_PICK,
     .offset = offsetof(struct Sample, pick),
     .doc = "Which of them."},
    {.name = "tags",
     .type = FIELD_LIST,
     .offset = offsetof(struct Sample, tags),
     .doc = "Words to find it by."},
    {.name = "days",
     .type = FIELD_LIST,
     .offset = offsetof(struct Sample, days),
     .choices = sample_days,
     .doc = "When."},
    {.name = "checks",
     .type = FIELD_MAP,
     .offset = offsetof(struct Sample, checks),
     .of = &check_record,
     .doc = "What is asked."},
    {.name = "steps",
     .type = FIELD_LIST,
     .offset = offsetof(struct Sample, steps),
     .of = &check_record,
     .min = 1,
     .max = 3,
     .doc = "What is done."},
    {.name = "hosts",
     .type = FIELD_MAP,
     .offset = offsetof(struct Sample, hosts),
     .of = &host_record,
     .doc = "The machines."},
    {.name = "vars",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct Sample, vars),
     .doc = "Any names."},
    {.name = "limit",
     .type = FIELD_RECORD,
     .offset = offsetof(struct Sample, limit),
     .flags = FIELD_JUDGE,
     .of = &limit_record,
     .doc = "What is good."},
    {.name = "always",
     .type = FIELD_RECORD,
     .offset = offsetof(struct Sample, always),
     .flags = FIELD_ALWAYS,
     .of = &limit_record,
     .doc = "What is good in any case."},
    {.name = "any",
     .type = FIELD_ANY,
     .offset = offsetof(struct Sample, any),
     .doc = "Whatever you like."},
    {.name = "loud",
     .type = FIELD_BOOL,
     .offset = offsetof(struct Sample, loud),
     .doc = "Whether it makes noise."},
    {.name = NULL},
};
static const struct Record sample_record = {.name = "sample",
                                            .doc = "A sample of all fields.",
                                            .size = sizeof(struct Sample),
                                            .fields = sample_fields,
                                            .variants = "reach",
                                            .variant_offset = offsetof(struct Sample, reach),
                                            .variant_optional = true};
static const struct FileKind sample_file = {
    .name = "sample", .summary = "A file for tests.", .record = &sample_record};

static inline enum RefAnswer sample_reference(void *data, const char *ns, const char *name,
                                              const char **value, const char *const **names,
                                              size_t *count)
{
    static const char *const params[] = {"pace", "machines"};
    static const char *const values[] = {"250ms", "2"};
    (void)data;
    if (strcmp(ns, "env") == 0)
        return REF_LATER;
    if (strcmp(ns, "secret") == 0)
        return strcmp(name, "redis") == 0 ? REF_LATER : REF_UNKNOWN;
    if (strcmp(ns, "param") != 0)
        return REF_NO_SPACE;
    for (size_t n = 0; n < COUNT_OF(params); n++) {
        if (strcmp(name, params[n]) == 0) {
            *value = values[n];
            return REF_VALUE;
        }
    }
    *names = params;
    *count = COUNT_OF(params);
    return REF_UNKNOWN;
}

#endif
