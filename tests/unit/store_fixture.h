/* store_fixture.h - a state folder of its own and a plan built by hand, for tests of the store. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_STORE_FIXTURE_H
#define FD_TESTS_STORE_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runner/store/store.h"

#define FIXTURE_MONO 1000000000000LL /* when its run begins */
#define FIXTURE_WALL 1790000000000000000LL

struct FakeReach {
    const char *user, *key;
    int64_t port;
};
static const struct Field fake_reach_fields[] = {
    {.name = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct FakeReach, user),
     .example = "ops",
     .doc = "Who."},
    {.name = "key",
     .type = FIELD_TEXT,
     .offset = offsetof(struct FakeReach, key),
     .example = "/k",
     .doc = "Which key."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct FakeReach, port),
     .fallback = "22",
     .example = "22",
     .doc = "Which port."},
    {.name = NULL},
};
static const struct TransportKind fake_reach = {
    .name = "fake",
    .summary = "Reaches nothing.",
    .config = {.name = "fake",
               .doc = "A fake.",
               .size = sizeof(struct FakeReach),
               .fields = fake_reach_fields},
};
static const struct FakeReach fake_reach_config = {.user = "o'ps", .key = "/k: [é]", .port = 2222};
static const struct TransportKind *const fake_transports[] = {&fake_reach, NULL};
static const struct Kinds fake_kinds = {.transports = fake_transports};

static inline void fake_say(const void *config, struct Buf *out)
{
    (void)config;
    buf_put(out, "GET http://api/healthz");
}
static const struct ProbeKind fake_http = {.name = "http", .say = fake_say};
static const struct ProbeKind fake_ledger = {.name = "ledger", .is_ledger = true};
static const struct FaultKind fake_isolate = {.name = "isolate"};

struct Fixture {
    char folder[64];
    struct Arena *arena;
    struct Target hosts[2];
    const struct Target *host_list[2];
    struct Role role;
    struct ProbeSpec probes[2];
    struct BoundProbe bound[2];
    struct Expectation expectations[2];
    const char *tags[2];
    struct StepSpec step;
    struct Command commands[2];
    struct PlannedFault faults[2];
    struct Scenario scenario;
    struct Environment environment;
    struct Plan plan;
    struct Err err;
};

static inline void fixture_hosts(struct Fixture *f)
{
    for (size_t i = 0; i < 2; i++) {
        f->hosts[i] = (struct Target){
            .name = i == 0 ? "db-1" : "db-2",
            .address = i == 0 ? "10.0.0.1" : "10.0.0.2",
            .host_key = i == 0 ? "SHA256:abc" : NULL,
            .reach = &fake_reach,
            .reach_config = &fake_reach_config,
        };
        f->host_list[i] = &f->hosts[i];
    }
    f->role = (struct Role){.name = "db", .hosts = f->host_list, .host_count = 2};
    f->environment =
        (struct Environment){.name = "staging", .is_protected = false, .hosts = {f->host_list, 2}};
}

static inline void fixture_scenario(struct Fixture *f)
{
    f->probes[0] = (struct ProbeSpec){.name = "api",
                                      .kind = &fake_http,
                                      .interval_ns = 100 * NS_PER_MS,
                                      .timeout_ns = NS_PER_S,
                                      .under_ns = 5,
                                      .hold_ns = 7,
                                      .gap_ns = 9,
                                      .control = true};
    f->probes[1] = (struct ProbeSpec){.name = "writes",
                                      .kind = &fake_ledger,
                                      .role = "db",
                                      .interval_ns = 50 * NS_PER_MS,
                                      .timeout_ns = NS_PER_S};
    f->bound[0] = (struct BoundProbe){.spec = &f->probes[0], .from = &f->hosts[1]};
    f->bound[1] = (struct BoundProbe){.spec = &f->probes[1], .role = &f->role};
    f->expectations[0] =
        (struct Expectation){.probe = "api", .word = BOUND_RECOVER_WITHIN, .limit = 30 * NS_PER_S};
    f->expectations[1] =
        (struct Expectation){.probe = "writes", .word = BOUND_MAX_LOST, .limit = 0};
    f->tags[0] = "db";
    f->tags[1] = "weekly";
    f->scenario = (struct Scenario){.name = "primary_dies",
                                    .hypothesis = "It comes back.",
                                    .owner = "ana",
                                    .text_hash = "aaaa",
                                    .behaviour_hash = "bbbb",
                                    .tags = {f->tags, 2},
                                    .expectations = {f->expectations, 2},
                                    .text = "scenario: primary_dies\n",
                                    .canonical = "{\"scenario\":\"primary_dies\"}"};
}

static inline void fixture_faults(struct Fixture *f)
{
    static const char *const argv[] = {"nft", "delete", "table", "ip", "it's", NULL};
    f->commands[0] = (struct Command){.what = "table loaded", .argv = argv, .timeout_ns = 1};
    f->commands[1] = (struct Command){.what = "no answer", .argv = argv, .timeout_ns = 1};
    f->step = (struct StepSpec){.name = "isolate victim", .kind = &fake_isolate};
    for (uint32_t i = 0; i < 2; i++) {
        f->faults[i] = (struct PlannedFault){.step = &f->step,
                                             .target = &f->hosts[i],
                                             .role = &f->role,
                                             .number = i + 1,
                                             .chosen = true};
        f->faults[i].procedure = (struct Procedure){.apply = {f->commands, 1},
                                                    .undo = {f->commands, 2},
                                                    .in_place = {f->commands, 2},
                                                    .all_clear = {f->commands, 1},
                                                    .ends_by = CLASS_KERNEL,
                                                    .lease_ns = 30 * NS_PER_S,
                                                    .cap_ns = 60 * NS_PER_S,
                                                    .stays = "the primary moved"};
    }
}

/* `token` names the run. */
static inline void fixture_plan(struct Fixture *f, const char *token)
{
    fixture_hosts(f);
    fixture_scenario(f);
    fixture_faults(f);
    f->plan = (struct Plan){.scenario = &f->scenario,
                            .environment = &f->environment,
                            .seed = UINT64_MAX - 1,
                            .hash = "cccc",
                            .bytes_hash = "dddd",
                            .faults = {f->faults, 2},
                            .probes = {f->bound, 2}};
    snprintf(f->plan.token.text, sizeof(f->plan.token.text), "%s", token);
}

static inline bool fixture_begin(struct Fixture *f, struct Store *store, const char *token)
{
    fixture_plan(f, token);
    struct RunBegin begin = {.plan = &f->plan,
                             .who = "ana@drillbox",
                             .version = "0.1.0",
                             .now = {FIXTURE_MONO},
                             .wall = {FIXTURE_WALL},
                             .boottime_ns = FIXTURE_MONO + 5};
    return store_run_begin(store, &begin, &f->err);
}

static inline bool fixture_arm(struct Fixture *f, struct Store *store, uint32_t number)
{
    struct Arming arming = {.fault = &f->faults[number - 1],
                            .token = &f->plan.token,
                            .boot_id = "boot-1",
                            .at = {FIXTURE_MONO + 10},
                            .wall = {FIXTURE_WALL + 10}};
    return undolog_arming(store, &arming, &f->err);
}

static inline bool fixture_end(struct Fixture *f, struct Store *store, enum Verdict ended_as)
{
    struct RunEnd end = {.ended_as = ended_as,
                         .why = ended_as == VERDICT_PASS ? "" : "because",
                         .now = {FIXTURE_MONO + 1000},
                         .wall = {FIXTURE_WALL + 1000},
                         .suspended_ns = 3};
    return store_run_end(store, &end, &f->err);
}

static inline void fixture_open(struct Fixture *f)
{
    *f = (struct Fixture){.folder = "/tmp/faildrill-store.XXXXXX"};
    if (mkdtemp(f->folder) == NULL)
        bug("no folder for the test");
    f->arena = arena_new("fixture", (size_t)1 << 28);
}

/* What the test only needs to be true. */
static inline void must(const struct Fixture *f, bool ok)
{
    if (!ok)
        bug("%s", f->err.message);
}

static inline struct Store *fixture_store(struct Fixture *f)
{
    struct Store *store = store_open(f->folder, &f->err);
    must(f, store != NULL);
    return store;
}

/* What another process would read of the run now. */
static inline struct RunRecord fixture_read(struct Fixture *f)
{
    struct RunRecord run;
    struct Store *reader = fixture_store(f);
    must(f, store_read_run(reader, f->plan.token.text, f->arena, &run, &f->err));
    store_close(reader);
    return run;
}

/* Everything in the open folder, which it closes. */
static inline void fixture_empty(int fd)
{
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) != 0) {
            fixture_empty(openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY));
            unlinkat(fd, entry->d_name, AT_REMOVEDIR);
        }
    }
    if (folder != NULL)
        closedir(folder);
}

static inline void fixture_close(struct Fixture *f)
{
    arena_free(f->arena);
    fixture_empty(open(f->folder, O_RDONLY | O_DIRECTORY));
    rmdir(f->folder);
}

#endif
