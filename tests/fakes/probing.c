/* probing.c - real probes from YAML, run by the real engine, watched on a test's loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "probing.h"

#include <stdio.h>
#include <string.h>

#include "../../runner/model/kinds.h"
#include "../../runner/schema/describe.h"

extern const struct Kinds faildrill_kinds; /* runner/main.c */

static void stop_where_wrong(const struct Probing *probing)
{
    if (problems_errors(probing->problems) > 0)
        bug("the test's YAML: %s", problems_at(probing->problems, 0)->message);
}

/* `text` with each PORT as its number. */
static const struct Document *read_text(struct Probing *probing, const char *text)
{
    struct Buf out = BUF(4096);
    for (const char *at = text; *at != '\0';) {
        const char *next = strstr(at, "PORT");
        buf_add(&out, at, next != NULL ? (size_t)(next - at) : strlen(at));
        if (next != NULL)
            buf_printf(&out, "%u", (unsigned)probing->port);
        at = next != NULL ? next + strlen("PORT") : at + strlen(at);
    }
    const char *copy = arena_text(probing->arena, out.text);
    buf_free(&out);
    return document_parse("test.yaml", copy, strlen(copy), probing->arena, probing->problems);
}

void probing_open(struct Probing *probing)
{
    memset(probing, 0, sizeof(*probing));
    probing->loop = loop_new();
    probing->arena = arena_new("probing", 64u << 20);
    probing->problems = problems_new();
    probing->samples = arena_zero(probing->arena, PROBING_SAMPLES, sizeof(*probing->samples));
    snprintf(probing->plan.token.text, sizeof(probing->plan.token.text), "%s", "01testtoken");
}

void probing_environment(struct Probing *probing, const char *text)
{
    const struct Document *document = read_text(probing, text);
    probing->environment = environment_new(document, &faildrill_kinds, "/", probing->problems);
    stop_where_wrong(probing);
    probing->plan.environment = probing->environment;
}

struct ProbeText {
    struct Chosen kind;
};

uint32_t probing_add(struct Probing *probing, const char *text, int64_t interval_ns,
                     int64_t timeout_ns)
{
    static const struct Field none[] = {{.name = NULL}};
    static const struct Record record = {.name = "probe",
                                         .doc = "A probe.",
                                         .size = sizeof(struct ProbeText),
                                         .fields = none,
                                         .variants = "probe",
                                         .variant_offset = offsetof(struct ProbeText, kind)};
    struct Decode decode = {.arena = probing->arena, .problems = probing->problems};
    decode.sets = kinds_sets(&faildrill_kinds, probing->arena, &decode.set_count);
    const struct Document *document = read_text(probing, text);
    struct ProbeText *out = arena_zero(probing->arena, 1, sizeof(*out));
    stop_where_wrong(probing);
    (void)decode_record(&decode, document->root, &record, out);
    stop_where_wrong(probing);
    uint32_t index = (uint32_t)probing->probe_count++;
    struct ProbeSpec *spec = &probing->specs[index];
    const struct ProbeKind *kind = out->kind.variant->kind;
    *spec = (struct ProbeSpec){.name = kind->name,
                               .kind = kind,
                               .config = out->kind.config,
                               .interval_ns = interval_ns,
                               .timeout_ns = timeout_ns};
    const char *config = out->kind.config;
    if (kind->needs_role)
        spec->role = *(const char *const *)(config + kind->role_offset);
    if (kind->under_offset != 0)
        spec->under_ns = *(const int64_t *)(config + kind->under_offset - 1);
    probing->bound[index].spec = spec;
    if (spec->role != NULL)
        probing->bound[index].role = environment_role(probing->environment, spec->role);
    return index;
}

static void take_all(struct Probing *probing)
{
    struct Flight flight;
    while (prober_take(probing->prober, &flight)) {
        if (flight.type == FLIGHT_DETAIL)
            snprintf(probing->detail[flight.detail.probe], sizeof(probing->detail[0]), "%s",
                     flight.detail.text);
        else if (flight.type == FLIGHT_CENSUS && probing->census_count < COUNT_OF(probing->census))
            probing->census[probing->census_count++] = flight.census;
        else if (flight.type == FLIGHT_SAMPLE && probing->count < PROBING_SAMPLES) {
            probing->samples[probing->count++] = flight.sample;
            probing->of[flight.sample.probe] += flight.sample.outcome != OUTCOME_SKIPPED;
        }
    }
}

static void look(void *data, int events)
{
    (void)events;
    struct Probing *probing = data;
    take_all(probing);
    if (probing->until(probing, probing->until_data)) {
        loop_stop(probing->loop);
        return;
    }
    if (mono_before(probing->until_end, mono_now()))
        bug("waited 120 s in vain");
    loop_timer_at(probing->look, mono_add(mono_now(), NS_PER_MS));
}

bool probing_start(struct Probing *probing, struct Err *err)
{
    probing->plan.probes = (struct List){.items = probing->bound, .count = probing->probe_count};
    probing->look = loop_timer(probing->loop, look, probing);
    const struct ProberInput input = {
        .plan = &probing->plan, .place = probing->place, .place_data = probing};
    probing->prober = prober_start(&input, err);
    return probing->prober != NULL;
}

void probing_run(struct Probing *probing, bool (*until)(struct Probing *probing, void *data),
                 void *data)
{
    probing->until = until;
    probing->until_data = data;
    probing->until_end = mono_add(mono_now(), 120 * NS_PER_S);
    loop_timer_at(probing->look, mono_now());
    loop_run(probing->loop);
    loop_timer_off(probing->look);
}

struct Enough {
    uint32_t probe;
    size_t count;
};

static bool enough(struct Probing *probing, void *data)
{
    const struct Enough *wanted = data;
    return probing->of[wanted->probe] >= wanted->count;
}

void probing_take(struct Probing *probing, uint32_t probe, size_t count)
{
    struct Enough wanted = {.probe = probe, .count = probing->of[probe] + count};
    probing_run(probing, enough, &wanted);
}

void probing_clear(struct Probing *probing)
{
    probing->count = probing->census_count = 0;
    memset(probing->of, 0, sizeof(probing->of));
    memset(probing->detail, 0, sizeof(probing->detail));
}

const struct Sample *probing_last(const struct Probing *probing, uint32_t probe)
{
    for (size_t n = probing->count; n > 0; n--)
        if (probing->samples[n - 1].probe == probe &&
            probing->samples[n - 1].outcome != OUTCOME_SKIPPED)
            return &probing->samples[n - 1];
    bug("probe %u made no attempt", probe);
}

void probing_close(struct Probing *probing)
{
    prober_stop(probing->prober);
    loop_timer_free(probing->look);
    environment_free(probing->environment);
    problems_free(probing->problems);
    arena_free(probing->arena);
    loop_free(probing->loop);
}
