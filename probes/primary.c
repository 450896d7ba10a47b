/* primary.c - asks every host of a role directly who it is, so that two primaries are seen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>

#include "../runner/base/arena.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "reply.h"

struct PrimaryConfig {
    const char *role;
};

static const struct Field primary_fields[] = {
    {.name = "role",
     .type = FIELD_TEXT,
     .offset = offsetof(struct PrimaryConfig, role),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "redis",
     .doc = "The role whose hosts are asked, each by itself."},
    {.name = NULL}};

static void *primary_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void primary_start(void *probe, void *slot, struct Attempt *attempt);
static void primary_cancel(void *probe, void *slot);
static void primary_close(void *probe);
static void primary_say(const void *config, struct Buf *out);

/* A host that is being asked. */
struct Asked {
    struct PrimarySlot *slot;
    uint32_t host; /* index in the role */
    bool leads;
};
struct PrimarySlot {
    struct PrimaryProbe *probe;
    struct PrimarySlot *next; /* of all that were used */
    struct Attempt *attempt;
    void *system; /* one a slot: a system asks a host one question at a time */
    struct Asked *asked;
    size_t waiting, primaries, answered;
    const struct Target *primary;
    char names[100];
};
struct PrimaryProbe {
    const struct ProbeInput *input;
    const struct Role *role;
    struct Loop *loop;
    struct PrimarySlot *used;
};

const struct ProbeKind primary_probe = {
    .name = "primary",
    .summary = "asks every host who leads",
    .config = {.name = "primary",
               .doc = "Asks every host of a role directly; exactly one primary is good.",
               .size = sizeof(struct PrimaryConfig),
               .fields = primary_fields},
    .needs_role = true,
    .is_primary = true,
    .role_offset = offsetof(struct PrimaryConfig, role),
    .slot_size = sizeof(struct PrimarySlot),
    .open = primary_open,
    .start = primary_start,
    .cancel = primary_cancel,
    .close = primary_close,
    .say = primary_say,
};

static void primary_say(const void *data, struct Buf *out)
{
    const struct PrimaryConfig *config = data;
    buf_printf(out, "who leads, to every host of %s", config->role);
}

static void *primary_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    if (input->role->system == NULL) {
        err_set(err, ERR_RULE, NOWHERE, "role '%s' is no system that has a primary",
                input->role->name);
        return NULL;
    }
    if (input->from != NULL) {
        err_set(err, ERR_RULE, NOWHERE, "a primary probe asks from here, not from '%s'",
                input->from->name);
        return NULL;
    }
    struct PrimaryProbe *probe = mem_zero(1, sizeof(*probe));
    *probe = (struct PrimaryProbe){.input = input, .role = input->role, .loop = loop};
    return probe;
}

static void primary_close(void *data)
{
    struct PrimaryProbe *probe = data;
    for (struct PrimarySlot *slot = probe->used; slot != NULL; slot = slot->next) {
        if (slot->system != NULL)
            probe->role->system->close(slot->system);
        mem_free(slot->asked);
    }
    mem_free(probe);
}

/* "primary: one and two", in the order of the role. */
static void name_primaries(struct PrimarySlot *slot)
{
    const struct Role *role = slot->probe->role;
    struct Buf names = BUF(sizeof(slot->names) - 1);
    for (size_t n = 0; n < role->host_count; n++)
        if (slot->asked[n].leads)
            buf_printf(&names, "%s%s",
                       names.size > 0 ? " and " : "primary: ", role->hosts[n]->name);
    snprintf(slot->names, sizeof(slot->names), "%s", names.text);
    buf_free(&names);
}

/* Who did not answer may be a primary too: that is the census's to say, not this verdict's. */
static void end_attempt(struct PrimarySlot *slot)
{
    struct Reply reply = {.outcome = OUTCOME_OK,
                          .code = (int)slot->primaries,
                          .connected = slot->answered > 0,
                          .by = "",
                          .detail = slot->names};
    name_primaries(slot);
    if (slot->primaries == 0) {
        reply.outcome = OUTCOME_FAILED;
        reply.failure = FAILURE_UNAVAILABLE;
        reply.detail =
            slot->answered > 0 ? "no host says that it is the primary" : "no host answers";
    } else if (slot->primaries > 1) {
        reply.outcome = OUTCOME_FAILED;
        reply.failure = FAILURE_WRONG_RANK;
    } else {
        reply.by = target_address(slot->primary);
    }
    struct Attempt *attempt = slot->attempt;
    slot->attempt = NULL;
    attempt_done(attempt, &reply);
}

static void on_standing(void *data, const struct Standing *standing)
{
    struct Asked *asked = data;
    struct PrimarySlot *slot = asked->slot;
    const struct ProbeInput *input = slot->probe->input;
    struct Census census = {.host = asked->host,
                            .asked = standing->asked,
                            .answered = standing->answered,
                            .rank = (int32_t)standing->rank};
    snprintf(census.epoch, sizeof(census.epoch), "%s", standing->epoch);
    snprintf(census.identity, sizeof(census.identity), "%s", standing->identity);
    if (input->census != NULL)
        input->census(input->census_data, &census);
    slot->answered += standing->rank != RANK_UNKNOWN;
    if (standing->rank == RANK_PRIMARY) {
        asked->leads = true;
        slot->primary = slot->probe->role->hosts[asked->host];
        slot->primaries++;
    }
    if (--slot->waiting == 0)
        end_attempt(slot);
}

static bool use_slot(struct PrimarySlot *slot, struct PrimaryProbe *probe, struct Err *err)
{
    const struct Role *role = probe->role;
    if (slot->probe == NULL) {
        *slot = (struct PrimarySlot){.probe = probe, .next = probe->used};
        probe->used = slot;
        slot->asked = mem_zero(role->host_count, sizeof(*slot->asked));
    }
    if (slot->system == NULL)
        slot->system = role->system->open(role->system_config, role, probe->loop, err);
    return slot->system != NULL;
}

static void primary_start(void *data, void *memory, struct Attempt *attempt)
{
    struct PrimaryProbe *probe = data;
    struct PrimarySlot *slot = memory;
    struct Err err = {.code = ERR_OWN};
    if (!use_slot(slot, probe, &err)) {
        struct Reply reply = {.outcome = OUTCOME_BROKEN, .by = "", .detail = err.message};
        attempt_done(attempt, &reply);
        return;
    }
    slot->attempt = attempt;
    slot->waiting = probe->role->host_count;
    slot->primaries = slot->answered = 0;
    slot->primary = NULL;
    for (uint32_t n = 0; n < probe->role->host_count; n++) {
        slot->asked[n] = (struct Asked){.slot = slot, .host = n};
        probe->role->system->ask_standing(slot->system, probe->role->hosts[n],
                                          attempt_deadline(attempt), on_standing, &slot->asked[n]);
    }
}

static void primary_cancel(void *data, void *memory)
{
    struct PrimaryProbe *probe = data;
    struct PrimarySlot *slot = memory;
    probe->role->system->cancel(slot->system);
    slot->attempt = NULL;
}
