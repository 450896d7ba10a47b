/* ledger.c - numbered writes to the primary, and what is left of them at the end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>

#include "../runner/base/arena.h"
#include "../runner/schema/decode.h"
#include "kinds.h"
#include "leader.h"
#include "reply.h"

struct LedgerConfig {
    const char *role;
};

static const struct Field ledger_fields[] = {
    {.name = "role",
     .type = FIELD_TEXT,
     .offset = offsetof(struct LedgerConfig, role),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "redis",
     .doc = "The role whose primary is written to; with `from:` a host of it, that host itself."},
    {.name = NULL}};

static void *ledger_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err);
static void ledger_start(void *probe, void *slot, struct Attempt *attempt);
static void ledger_cancel(void *probe, void *slot);
static void ledger_read_back(void *probe, const struct Target *host, struct Mono deadline,
                             struct ReadBack *to);
static void ledger_tidy(void *probe, struct Mono deadline, struct ReadBack *to);
static void ledger_close(void *probe);
static void ledger_say(const void *config, struct Buf *out);

/* A writer: its connection goes to the primary of the moment it was made. */
struct LedgerSlot {
    struct LedgerProbe *probe;
    struct LedgerSlot *next; /* of all that were used */
    struct Attempt *attempt;
    struct Leader leader;
    void *ledger; /* the system's */
    struct Endpoint at;
    char address[256];
    const struct Target *host;
    bool writing; /* else the primary is looked for */
};
struct LedgerProbe {
    struct Loop *loop;
    const struct Role *role;
    const struct LedgerKind *kind;
    struct LedgerInput input;
    struct Ways ways;          /* to write */
    struct Ways direct, front; /* to read back: from the host that leads; through its proxy */
    struct LedgerSlot *used;
    uint32_t writers; /* the highest that wrote */
    struct Leader leader, by_front;
    void *reader;
    struct ReadBack *reading;
    bool tidying, of_primary, through_front, any_found;
    struct Mono read_deadline; /* of all ways */
    struct ProbeInput direct_input;
};

const struct ProbeKind ledger_probe = {
    .name = "ledger",
    .summary = "numbered writes, read back at the end",
    .config = {.name = "ledger",
               .doc = "Numbered writes with their acknowledgements, read back at the end: what was "
                      "acknowledged and is missing is lost.",
               .size = sizeof(struct LedgerConfig),
               .fields = ledger_fields},
    .needs_role = true,
    .is_ledger = true,
    .role_offset = offsetof(struct LedgerConfig, role),
    .slot_size = sizeof(struct LedgerSlot),
    .open = ledger_open,
    .start = ledger_start,
    .cancel = ledger_cancel,
    .read_back = ledger_read_back,
    .tidy = ledger_tidy,
    .close = ledger_close,
    .say = ledger_say,
};

static void ledger_say(const void *data, struct Buf *out)
{
    const struct LedgerConfig *config = data;
    buf_printf(out, "numbered writes to %s", config->role);
}

/* ---- opening and closing ---- */

static void *ledger_open(const struct ProbeInput *input, struct Loop *loop, struct Err *err)
{
    const struct Role *role = input->role;
    if (role->system == NULL || role->system->ledger == NULL) {
        err_set(err, ERR_RULE, NOWHERE, "role '%s' is no system that takes numbered writes",
                role->name);
        return NULL;
    }
    struct LedgerProbe *probe = mem_zero(1, sizeof(*probe));
    *probe = (struct LedgerProbe){.loop = loop, .role = role, .kind = role->system->ledger};
    probe->input = (struct LedgerInput){
        .config = role->system_config, .loop = loop, .run = input->run, .probe = input->index};
    probe->direct_input = *input;
    probe->direct_input.from = NULL;
    probe->leader = (struct Leader){.ways = &probe->direct, .loop = loop};
    probe->by_front = (struct Leader){.ways = &probe->front, .loop = loop};
    bool good = ways_open(&probe->ways, input, err) &&
                ways_open_direct(&probe->direct, &probe->direct_input, err) &&
                ways_open(&probe->front, &probe->direct_input, err);
    if (good)
        probe->reader = probe->kind->open(&probe->input, err);
    if (probe->reader != NULL)
        return probe;
    ledger_close(probe);
    return NULL;
}

static void ledger_close(void *data)
{
    struct LedgerProbe *probe = data;
    for (struct LedgerSlot *slot = probe->used; slot != NULL; slot = slot->next) {
        if (slot->ledger != NULL)
            probe->kind->close(slot->ledger);
        leader_close(&slot->leader);
    }
    leader_close(&probe->leader);
    leader_close(&probe->by_front);
    if (probe->reader != NULL)
        probe->kind->close(probe->reader);
    ways_close(&probe->ways);
    ways_close(&probe->direct);
    ways_close(&probe->front);
    mem_free(probe);
}

/* ---- writing ---- */

static void end_attempt(struct LedgerSlot *slot, const struct Reply *reply)
{
    struct Attempt *attempt = slot->attempt;
    slot->attempt = NULL;
    attempt_done(attempt, reply);
}

static void on_written(void *data, const struct Reply *said)
{
    struct LedgerSlot *slot = data;
    struct Reply reply = *said;
    /* A forward's peer is this machine; where it was sent on, it is another host. */
    if (slot->host != NULL && reply.outcome == OUTCOME_OK &&
        role_host_at(slot->probe->role, reply.by) == NULL)
        reply.by = target_address(slot->host);
    end_attempt(slot, &reply);
    if (reply.outcome != OUTCOME_OK) /* who is read-only now answers for ever: look anew */
        slot->probe->kind->cancel(slot->ledger);
}

static void write_number(struct LedgerSlot *slot)
{
    slot->writing = true;
    uint32_t writer = attempt_writer(slot->attempt);
    if (writer > slot->probe->writers)
        slot->probe->writers = writer;
    slot->probe->kind->write(slot->ledger,
                             &(struct LedgerWrite){.to = &slot->at,
                                                   .writer = writer,
                                                   .number = attempt_number(slot->attempt),
                                                   .deadline = attempt_deadline(slot->attempt),
                                                   .may_follow = slot->probe->ways.at == NULL,
                                                   .done = on_written,
                                                   .data = slot});
}

static void on_leader(void *data, const struct Endpoint *at, const struct Target *host)
{
    struct LedgerSlot *slot = data;
    if (at == NULL) {
        end_attempt(slot, &nobody_leads);
        return;
    }
    slot->at = *at;
    snprintf(slot->address, sizeof(slot->address), "%.255s", at->host);
    slot->at.host = slot->address;
    slot->host = host;
    write_number(slot);
}

static bool use_slot(struct LedgerSlot *slot, struct LedgerProbe *probe, struct Err *err)
{
    if (slot->probe == NULL) {
        *slot = (struct LedgerSlot){.probe = probe, .next = probe->used};
        slot->leader = (struct Leader){.ways = &probe->ways, .loop = probe->loop};
        probe->used = slot;
    }
    if (slot->ledger == NULL)
        slot->ledger = probe->kind->open(&probe->input, err);
    return slot->ledger != NULL;
}

/* The number is drawn before anything is tried, so that each attempt has one of its own. */
static void ledger_start(void *data, void *memory, struct Attempt *attempt)
{
    struct LedgerProbe *probe = data;
    struct LedgerSlot *slot = memory;
    struct Err err = {.code = ERR_OWN};
    (void)attempt_number(attempt);
    if (!use_slot(slot, probe, &err)) {
        const struct Reply reply = {.outcome = OUTCOME_BROKEN, .by = "", .detail = err.message};
        attempt_done(attempt, &reply);
        return;
    }
    slot->attempt = attempt;
    slot->writing = false;
    if (probe->kind->connected(slot->ledger))
        write_number(slot);
    else
        leader_find(&slot->leader, attempt_deadline(attempt), on_leader, slot);
}

static void ledger_cancel(void *data, void *memory)
{
    struct LedgerProbe *probe = data;
    struct LedgerSlot *slot = memory;
    if (slot->writing)
        probe->kind->cancel(slot->ledger);
    else
        leader_cancel(&slot->leader);
    slot->attempt = NULL;
}

/* ---- reading back ---- */

/* A host that cannot be reached by itself leaves time for its proxy. */
static struct Mono half_way(struct Mono deadline)
{
    return mono_add(mono_now(), mono_since(mono_now(), deadline) / 2);
}

static void on_found(void *data, uint32_t writer, uint64_t number)
{
    struct LedgerProbe *probe = data;
    probe->any_found = true;
    readback_found(probe->reading, writer, number);
}

static void on_reading_leader(void *data, const struct Endpoint *at, const struct Target *host);

/* A proxy may lead to another primary than the host that leads, so it comes last, and is named. Not
 * behind a part of the numbers: who was read twice would be there twice. */
static void on_read(void *data, enum Known complete)
{
    struct LedgerProbe *probe = data;
    struct ReadBack *reading = probe->reading;
    bool several = probe->of_primary && !probe->tidying && probe->leader.primaries > 1;
    if (complete != KNOWN_YES && probe->of_primary && !probe->through_front && !probe->any_found &&
        !several && probe->front.front != NULL) {
        probe->through_front = true;
        leader_find(&probe->by_front, probe->read_deadline, on_reading_leader, probe);
        return;
    }
    if (probe->through_front && !probe->tidying && complete == KNOWN_YES)
        readback_note(reading, "read back through its proxy: the host that leads could not be "
                               "read itself");
    if (several)
        readback_note(reading,
                      complete == KNOWN_YES
                          ? "split brain: several hosts say that they are primary: what is lost is "
                            "what the one that was promoted last does not have"
                          : "split brain: several hosts say that they are primary, and the one "
                            "that was promoted last could not be read");
    probe->reading = NULL;
    readback_done(reading, complete);
}

static void on_reading_leader(void *data, const struct Endpoint *at, const struct Target *host)
{
    (void)host;
    struct LedgerProbe *probe = data;
    const struct LedgerRead to = {
        .of_primary = probe->of_primary, .found = on_found, .done = on_read, .data = probe};
    bool more = probe->of_primary && !probe->through_front && probe->front.front != NULL;
    struct Mono until = more ? half_way(probe->read_deadline) : probe->read_deadline;
    if (at == NULL)
        on_read(probe, KNOWN_NO);
    else if (probe->tidying)
        probe->kind->tidy(probe->reader, at, until, &to);
    else
        probe->kind->read(probe->reader, at, probe->writers, until, &to);
}

static void begin_reading(struct LedgerProbe *probe, bool of_primary, bool tidying,
                          struct Mono deadline, struct ReadBack *to)
{
    bool more = of_primary && probe->front.front != NULL;
    probe->reading = to;
    probe->read_deadline = deadline;
    probe->of_primary = of_primary;
    probe->tidying = tidying;
    probe->through_front = probe->any_found = false;
    if (of_primary)
        leader_find_last(&probe->leader, more ? half_way(deadline) : deadline, on_reading_leader,
                         probe);
}

/* Directly, also where writes went from another host: what it left behind is no part of the fault.
 */
static void ledger_read_back(void *data, const struct Target *host, struct Mono deadline,
                             struct ReadBack *to)
{
    struct LedgerProbe *probe = data;
    struct Endpoint at = {.host = NULL};
    begin_reading(probe, host == NULL, false, deadline, to);
    if (host == NULL)
        return;
    ways_to(&probe->direct, host, &at);
    on_reading_leader(probe, &at, host);
}

static void ledger_tidy(void *data, struct Mono deadline, struct ReadBack *to)
{
    struct LedgerProbe *probe = data;
    if (probe->kind->tidy != NULL) {
        begin_reading(probe, true, true, deadline, to);
        return;
    }
    probe->reading = NULL;
    readback_done(to, KNOWN_YES);
}
