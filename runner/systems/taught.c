/* taught.c - a system that the user teaches: five commands say who leads, and move it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/text.h"
#include "../schema/decode.h"
#include "kinds.h"
#include "taught.h"

static const struct Field RUN_FIELDS[] = {
    {.name = "rank",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TaughtRun, rank),
     .flags = FIELD_REQUIRED,
     .example = "shopdb-ctl rank",
     .doc = "Prints `primary`, `replica` or `other` for the host it runs on, and behind it, where "
            "there is one, the epoch (term, timeline), a number that grows with each failover; a "
            "host for which it prints anything else, ends with another status than 0, or is "
            "silent, is unknown."},
    {.name = "redundancy",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TaughtRun, redundancy),
     .example = "shopdb-ctl redundancy",
     .doc = "Run on the primary: prints `whole`, or `lacking` and why; anything else is unknown; "
            "without it one primary and no host but replicas beside it are whole."},
    {.name = "failover",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TaughtRun, failover),
     .example = "shopdb-ctl hand-over",
     .doc = "Run on the primary, for the step `failover`: moves the primary as an operator would; "
            "status 0 says that it was accepted, any other that it was not, with its first line as "
            "the reason."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TaughtRun, config),
     .example = "shopdb-ctl knobs",
     .doc =
         "Run on the primary, when a drill is planned: a line a knob, `NAME VALUE`; these are "
         "understood: `failover 2s 8s` and `planned 0s 1s` (the expected range), `durable TEXT` "
         "(what a killed primary comes back with; without it none is killed), `loss TEXT`, "
         "`cool_down 30s` (no failover starts before), `not_ready TEXT` (the drill is refused)."},
    {.name = "rejoin",
     .type = FIELD_TEXT,
     .offset = offsetof(struct TaughtRun, rejoin),
     .example = "shopdb-ctl start --as-replica",
     .doc = "Run on a former primary as root, by the undo and by the host's own guard, in place of "
            "the service's start: starts it so that it comes back as a replica; the boot of a "
            "machine does not run it."},
    {.name = NULL}};
static const struct Record RUN_RECORD = {
    .name = "system_run",
    .doc =
        "Lines for sh on the hosts, with the host's name as $1 and its address as $2; run as the "
        "user that logs in there, every 250 ms and by each look of a `primary` probe, so they "
        "are to be quick and to change nothing; a host whose key runs `doctor --helper` refuses "
        "them, and its rank is unknown.",
    .size = sizeof(struct TaughtRun),
    .fields = RUN_FIELDS,
};
static const struct Field TAUGHT_FIELDS[] = {
    {.name = "run",
     .type = FIELD_RECORD,
     .offset = offsetof(struct TaughtConfig, run),
     .flags = FIELD_REQUIRED,
     .of = &RUN_RECORD,
     .example = "{rank: shopdb-ctl rank, failover: shopdb-ctl hand-over}",
     .doc = "The commands."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct TaughtConfig, port),
     .min = 1,
     .max = 65535,
     .example = "7070",
     .doc = "The port where clients connect to the primary."},
    PLAIN_START_FIELD(struct TaughtConfig),
    {.name = NULL}};

static void *taught_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err);
static void taught_close(void *system);
static bool taught_plan_rejoin(const void *config, const struct PlanInput *input,
                               struct Arena *arena, struct Commands *out, struct Err *err);
static bool taught_returns_safely(const void *config, bool by_boot);

#define NAMES_NOBODY "its command `failover:` names nobody"

const struct SystemKind taught_system = {
    .name = "system",
    .summary = "a system of your own, taught by five commands",
    .config = {.name = "system",
               .doc = "A system of your own: five commands say who leads and move it.",
               .size = sizeof(struct TaughtConfig),
               .fields = TAUGHT_FIELDS},
    .open = taught_open,
    .ask_standing = elected_ask_standing,
    .ask_control = elected_ask_control,
    .ask_redundancy = taught_ask_redundancy,
    .ask_prospect = taught_ask_prospect,
    .acts_on_hosts = true,
    .takes_no_host = NAMES_NOBODY,
    .never_back = NAMES_NOBODY,
    .failover = taught_failover,
    .plan_rejoin = taught_plan_rejoin,
    .returns_safely = taught_returns_safely,
    .find_primary = elected_find_primary,
    .cancel = elected_cancel,
    .close = taught_close,
};

/* ---- opening and closing ---- */

static struct Call *ask_rank(struct Elected *system, size_t host, struct Mono deadline,
                             CallDone *done, void *data);
static void hear_rank(struct Elected *system, size_t host, const struct Answer *answer,
                      struct Standing *out);

static const struct ElectedKind taught = {.ask = ask_rank, .hear = hear_rank};

static void *taught_open(const void *config, const struct Role *role, struct Loop *loop,
                         struct Err *err)
{
    struct Taught *system = mem_zero(1, sizeof(*system));
    system->config = config;
    system->elected.port = (uint16_t)system->config->port;
    if (!elected_open(&system->elected, &taught, role, loop, err)) {
        mem_free(system);
        return NULL;
    }
    system->remote = remote_open(loop, role);
    return system;
}

static void taught_close(void *data)
{
    struct Taught *system = data;
    elected_cancel(system);
    remote_close(system->remote);
    mem_free(system);
}

/* ---- who leads ---- */

struct Call *taught_call(struct Taught *system, size_t host, const char *line, struct Mono deadline,
                         CallDone *done, void *data)
{
    const struct Target *target = system->elected.role->hosts[host];
    const char *const argv[] = {
        "sh", "-c", line, "faildrill", target->name, elected_address(target), NULL};
    return remote_call(system->remote, host, argv, deadline, done, data);
}

static struct Call *ask_rank(struct Elected *data, size_t host, struct Mono deadline,
                             CallDone *done, void *done_data)
{
    struct Taught *system = (struct Taught *)data;
    return taught_call(system, host, system->config->run->rank, deadline, done, done_data);
}

static void hear_rank(struct Elected *system, size_t host, const struct Answer *answer,
                      struct Standing *out)
{
    (void)system;
    (void)host;
    char rank[16] = "", epoch[64] = "";
    if (answer->end != CALL_ANSWERED || answer->code != 0 ||
        sscanf(answer->bytes, "%15s %63s", rank, epoch) < 1)
        return;
    out->rank = text_equal(rank, "primary")   ? RANK_PRIMARY
                : text_equal(rank, "replica") ? RANK_REPLICA
                : text_equal(rank, "other")   ? RANK_OTHER
                                              : RANK_UNKNOWN;
    if (out->rank == RANK_UNKNOWN)
        return;
    out->writable = out->rank == RANK_PRIMARY ? KNOWN_YES : KNOWN_NO;
    snprintf(out->epoch, sizeof(out->epoch), "%s", epoch);
}

/* ---- how a former primary is started ---- */

enum { REJOIN_MOST_S = 30 };

static bool taught_plan_rejoin(const void *data, const struct PlanInput *input, struct Arena *arena,
                               struct Commands *out, struct Err *err)
{
    const struct TaughtConfig *config = data;
    (void)err;
    *out = (struct Commands){.at = NULL};
    if (config->run->rejoin == NULL || input->leave_stopped)
        return true;
    const char *const words[] = {"sh",
                                 "-c",
                                 config->run->rejoin,
                                 "faildrill",
                                 input->target->name,
                                 elected_address(input->target),
                                 NULL};
    const char **argv = arena_zero(arena, COUNT_OF(words), sizeof(*argv));
    memcpy(argv, words, sizeof(words));
    struct Command *command = arena_zero(arena, 1, sizeof(*command));
    *command = (struct Command){.what = "start it as the system's `rejoin:` says",
                                .argv = argv,
                                .timeout_ns = REJOIN_MOST_S * NS_PER_S};
    *out = (struct Commands){.at = command, .count = 1};
    return true;
}

static bool taught_returns_safely(const void *data, bool by_boot)
{
    const struct TaughtConfig *config = data;
    return config->plain_start == 1 || (!by_boot && config->run->rejoin != NULL);
}
