/* run_sample.c - makes records of runs whose truth is known: what was down, when, and how. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "run_sample.h"

#include "../../runner/base/text.h"

#define MS NS_PER_MS
#define RUN_NS (100 * NS_PER_S)

static struct Mono at(int64_t ns)
{
    return (struct Mono){.ns = SAMPLE_BEGAN_NS + ns};
}

/* splitmix64 */
uint64_t run_sample_random(struct RunSample *run, uint64_t below)
{
    run->random += 0x9e3779b97f4a7c15u;
    uint64_t z = run->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

struct RunSample *run_sample_new(struct Arena *arena, uint64_t seed)
{
    struct RunSample *run = arena_zero(arena, 1, sizeof(*run));
    run->arena = arena;
    run->random = seed;
    run->record = (struct RunRecord){
        .id = "01kabcdefghjkmnpqrstv4k2p9",
        .scenario = "lose_an_api_machine",
        .environment = "staging",
        .hypothesis = "Users hardly notice when one API machine vanishes.",
        .owner = "team-platform",
        .runbook = "https://wiki.example.net/runbooks/api-node-loss",
        .who = "ana",
        .version = "0.1.0",
        .tags = "",
        .started = {.ns = 1763289000LL * NS_PER_S},
        .ended = {.ns = 1763289000LL * NS_PER_S + RUN_NS},
        .mono_started = at(0),
        .mono_ended = at(RUN_NS),
        .text = "scenario: lose_an_api_machine\n",
        .text_hash = "8f14e45fceea167a5a36dedd4bea2543b5f1f1a7a3d1b7a9a0d8a55a3c2a3f10",
        .behaviour_hash = "c9f0f895fb98ab9159f51fd0297e236d1f3a0c0a4d35a1d1b92d1dbe0d63c3ab",
        .plan_hash = "45c48cce2e2d7fbdea1afc51c7c6ad26b5b2f8f5a2d2a1e9a7f7b2a0b9a3d8e1",
        .bytes_hash = "d3d9446802a44259755d38e6d163e820c8e7f1c9d3b2a1f0e9d8c7b6a5f4e3d2",
        .seed = 41,
        .ended_as = VERDICT_PASS,
        .why = "",
        .finished = true,
        .baseline_began = at(0),
        .steps_began = at(15 * NS_PER_S),
        .observing_ended = at(80 * NS_PER_S),
        .undo_began = at(80 * NS_PER_S),
        .settled = at(95 * NS_PER_S),
    };
    return run;
}

struct RunProbe *run_sample_probe(struct RunSample *run, const char *name, const char *kind)
{
    struct RunProbe *probe = list_add(&run->probes, run->arena, sizeof(*probe));
    *probe = (struct RunProbe){.name = name,
                               .kind = kind,
                               .asks = "GET https://api.staging.example.net/healthz",
                               .interval_ns = 50 * MS,
                               .timeout_ns = 2000 * MS,
                               .hold_ns = 10 * NS_PER_S,
                               .gap_ns = NS_PER_S,
                               .is_ledger = text_equal(kind, "ledger"),
                               .is_primary = text_equal(kind, "primary"),
                               .is_alert = text_equal(kind, "alert")};
    *(enum Known *)list_add(&run->read_back, run->arena, sizeof(enum Known)) = KNOWN_UNKNOWN;
    return probe;
}

struct RunFault *run_sample_fault(struct RunSample *run, int64_t sent_ns, int64_t undo_ns)
{
    struct RunFault *fault = list_add(&run->faults, run->arena, sizeof(*fault));
    *fault = (struct RunFault){
        .number = (uint32_t)run->faults.count,
        .step = "isolate api-2",
        .kind = "isolate",
        .host = "api-2",
        .role = "api",
        .t0 = {at(sent_ns), at(sent_ns + 40 * MS)},
        .undone = {at(undo_ns), at(undo_ns + 60 * MS)},
        .class_letter = 'K',
        .clear = true,
        .proof = "table loaded, a connect from here times out",
        .apply_text = "nft -f - <<'END'\ntable inet fd_01kabc_1 { ... }\nEND\n",
        .undo_text = "nft delete table inet fd_01kabc_1\n",
        .guard_acts_by = "2025-11-16 10:31:45.000 UTC",
    };
    return fault;
}

void run_sample_expect(struct RunSample *run, const char *probe, const char *word, int64_t limit)
{
    struct RunExpectation *one = list_add(&run->expectations, run->arena, sizeof(*one));
    *one = (struct RunExpectation){.probe = probe, .word = word, .limit = limit};
}

void run_sample_event(struct RunSample *run, int64_t at_ns, const char *subject, const char *text)
{
    struct RunEvent *event = list_add(&run->events, run->arena, sizeof(*event));
    *event = (struct RunEvent){.at = at(at_ns), .subject = subject, .text = text};
}

uint32_t run_sample_host(struct RunSample *run, const char *name)
{
    *(const char **)list_add(&run->hosts, run->arena, sizeof(const char *)) = name;
    return (uint32_t)run->hosts.count;
}

/* ---- Attempts ---- */

static const struct Outage *outage_at(const struct Outage *outages, size_t count, int64_t ns)
{
    for (size_t n = 0; n < count; n++) {
        if (ns >= outages[n].from_ns && ns < outages[n].to_ns)
            return &outages[n];
    }
    return NULL;
}

/* A frozen service answers when it thaws; of a dropped connection the request is sent again after 1
 * and 3 s. */
static int64_t answered_at(const struct Outage *outage, int64_t sent_ns)
{
    if (outage->how == DOWN_FROZEN)
        return outage->to_ns;
    for (int64_t again = NS_PER_S; again <= 15 * NS_PER_S; again = 2 * again + NS_PER_S) {
        if (sent_ns + again >= outage->to_ns)
            return sent_ns + again;
    }
    return NS_NEVER;
}

static void answer(const struct RunProbe *probe, const struct Outage *outage, struct Sample *sample)
{
    int64_t sent = sample->started.ns - SAMPLE_BEGAN_NS;
    int64_t latency = mono_since(sample->started, sample->ended);
    if (outage == NULL)
        return;
    if (outage->how == DOWN_REFUSED) {
        sample->outcome = OUTCOME_FAILED;
        sample->failure = FAILURE_REFUSED;
        sample->code = 111;
        sample->ended = mono_add(sample->started, 400 * NS_PER_US);
        return;
    }
    sample->connected = outage->how == DOWN_FROZEN;
    int64_t waited = answered_at(outage, sent);
    waited = waited == NS_NEVER ? NS_NEVER : waited - sent + latency;
    if (waited > probe->timeout_ns) {
        sample->outcome = OUTCOME_TIMEOUT;
        sample->failure = FAILURE_TIMEOUT;
        sample->ended = mono_add(sample->started, probe->timeout_ns);
        return;
    }
    sample->ended = mono_add(sample->started, waited);
    if (probe->under_ns > 0 && waited > probe->under_ns) {
        sample->outcome = OUTCOME_FAILED;
        sample->failure = FAILURE_SLOW;
    }
}

void run_sample_attempts(struct RunSample *run, uint32_t index, const struct Outage *outages,
                         size_t count)
{
    const struct RunProbe *probe = &((const struct RunProbe *)run->probes.items)[index];
    int64_t end = mono_since(run->record.mono_started, run->record.mono_ended);
    int64_t first = (int64_t)run_sample_random(run, (uint64_t)probe->interval_ns);
    uint32_t sequence = 0;
    for (int64_t due = first; due < end; due += probe->interval_ns) {
        struct Sample *sample = list_add(&run->samples, run->arena, sizeof(*sample));
        int64_t sent = due + (int64_t)run_sample_random(run, 300 * NS_PER_US);
        int64_t latency = 2 * MS + (int64_t)run_sample_random(run, 6 * MS);
        *sample = (struct Sample){.probe = index,
                                  .sequence = sequence++,
                                  .intended = at(due),
                                  .started = at(sent),
                                  .ended = at(sent + latency),
                                  .outcome = OUTCOME_OK,
                                  .code = 200,
                                  .writer = probe->is_ledger ? 1 : 0,
                                  .number = probe->is_ledger ? ++run->next_number : 0};
        answer(probe, outage_at(outages, count, sent + 200 * NS_PER_US), sample);
    }
}

void run_sample_by(struct RunSample *run, uint32_t probe, uint32_t by, int64_t from_ns,
                   int64_t until_ns)
{
    struct Sample *samples = run->samples.items;
    for (size_t n = 0; n < run->samples.count; n++) {
        if (samples[n].probe == probe && samples[n].outcome == OUTCOME_OK &&
            samples[n].ended.ns >= at(from_ns).ns && samples[n].ended.ns < at(until_ns).ns)
            samples[n].by = by;
    }
}

void run_sample_found(struct RunSample *run, uint32_t probe,
                      bool (*lost)(const struct Sample *sample, void *data), void *data)
{
    const struct Sample *samples = run->samples.items;
    for (size_t n = 0; n < run->samples.count; n++) {
        if (samples[n].probe != probe || samples[n].outcome != OUTCOME_OK ||
            (lost != NULL && lost(&samples[n], data)))
            continue;
        struct Found *found = list_add(&run->found, run->arena, sizeof(*found));
        *found = (struct Found){
            .probe = probe, .writer = samples[n].writer, .number = samples[n].number};
    }
    ((enum Known *)run->read_back.items)[probe] = KNOWN_YES;
}

struct RunRecord *run_sample_done(struct RunSample *run)
{
    struct RunRecord *record = &run->record;
    record->probes = run->probes.items;
    record->probe_count = run->probes.count;
    record->faults = run->faults.items;
    record->fault_count = run->faults.count;
    record->events = run->events.items;
    record->event_count = run->events.count;
    record->expectations = run->expectations.items;
    record->expectation_count = run->expectations.count;
    record->systems = run->systems.items;
    record->system_count = run->systems.count;
    record->hosts = run->hosts.items;
    record->host_count = run->hosts.count;
    record->samples = run->samples.items;
    record->sample_count = run->samples.count;
    record->census = run->census.items;
    record->census_count = run->census.count;
    record->found = run->found.items;
    record->found_count = run->found.count;
    record->read_back = run->read_back.items;
    return record;
}
