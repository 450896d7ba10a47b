/* json_report.c - a report for machines: all that the page shows, and more. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../runner/base/text.h"
#include "json_out.h"
#include "kinds.h"
#include "say.h"

/* ---- The run ---- */

static void put_run(struct JsonOut *out)
{
    const struct RunRecord *run = out->run;
    struct Json *json = &out->json;
    out_object(out, "run");
    json_put_text(json, "id", run->id);
    json_put_text(json, "scenario", run->scenario);
    json_put_text(json, "environment", run->environment);
    json_put_bool(json, "protected", run->is_protected);
    json_put_text(json, "hypothesis", run->hypothesis);
    json_put_text(json, "owner", run->owner);
    json_put_text(json, "runbook", run->runbook);
    json_put_text(json, "who", run->who);
    json_put_text(json, "version", run->version);
    out_wall(out, "started", run->started);
    out_wall(out, "ended", run->ended);
    out_ns(out, "took_ns", mono_since(run->mono_started, run->mono_ended));
    out_count(out, "seed", run->seed);
    json_put_text(json, "text_hash", run->text_hash);
    json_put_text(json, "behaviour_hash", run->behaviour_hash);
    json_put_text(json, "plan_hash", run->plan_hash);
    json_put_text(json, "bytes_hash", run->bytes_hash);
    json_put_bool(json, "finished", run->finished);
    json_put_bool(json, "steady_after_the_undo", !run->not_steady);
    out_ns(out, "suspended_ns", run->suspended_ns);
    out_at(out, "baseline_at_ns", run->baseline_began);
    out_at(out, "steps_at_ns", run->steps_began);
    out_at(out, "observing_ended_at_ns", run->observing_ended);
    out_at(out, "undo_at_ns", run->undo_began);
    out_at(out, "settled_at_ns", run->settled);
    json_put_text(json, "text", run->text);
    if (run->cycle.of > 1) {
        json_put_text(json, "repeat", run->cycle.first);
        out_count(out, "cycle", run->cycle.number);
        out_count(out, "cycles", run->cycle.of);
    }
    json_end(json);
}

static void put_fault(struct JsonOut *out, const struct RunFault *fault)
{
    struct Json *json = &out->json;
    char letter[2] = {fault->class_letter, '\0'};
    json_open_object(json);
    out_count(out, "number", fault->number);
    json_put_text(json, "step", fault->step);
    json_put_text(json, "kind", fault->kind);
    json_put_text(json, "host", fault->host);
    json_put_text(json, "role", fault->role);
    json_put_text(json, "class", letter);
    out_moment(out, "t0", fault->t0);
    out_moment(out, "undone", fault->undone);
    out_at(out, "ended_early_at_ns", fault->ended_early);
    json_put_bool(json, "clear", fault->clear);
    json_put_text(json, "proof", fault->proof);
    json_put_text(json, "apply", fault->apply_text);
    json_put_text(json, "undo", fault->undo_text);
    json_put_text(json, "stays", fault->stays);
    json_end(json);
}

/* ---- The probes ---- */

static void put_failures(struct JsonOut *out, const char *key, const uint32_t failures[16])
{
    out_object(out, key);
    for (unsigned n = FAILURE_REFUSED; n <= FAILURE_OTHER; n++) {
        if (failures[n] > 0)
            out_count(out, failure_name((enum Failure)n), failures[n]);
    }
    json_end(&out->json);
}

static void put_latency(struct JsonOut *out, const char *key, const struct Latency *latency)
{
    out_object(out, key);
    out_count(out, "answered", latency->count);
    out_ns(out, "p50_ns", latency->p50_ns);
    out_ns(out, "p95_ns", latency->p95_ns);
    out_ns(out, "p99_ns", latency->p99_ns);
    out_ns(out, "max_ns", latency->max_ns);
    json_end(&out->json);
}

static void put_stretch(struct JsonOut *out, const struct Stretch *stretch)
{
    json_open_object(&out->json);
    out_at(out, "last_good_at_ns", stretch->last_good);
    out_at(out, "first_bad_at_ns", stretch->first_bad_started);
    out_at(out, "first_bad_ended_at_ns", stretch->first_bad_ended);
    out_at(out, "last_bad_at_ns", stretch->last_bad_started);
    out_at(out, "first_good_ended_at_ns", stretch->first_good_ended);
    out_span(out, "length", stretch->length);
    out_count(out, "failed", stretch->attempts);
    put_failures(out, "failures", stretch->failures);
    json_end(&out->json);
}

static void put_cause_results(struct JsonOut *out, const struct ProbeResult *probe, size_t count)
{
    out_array(out, "faults");
    for (size_t n = 0; n < count; n++) {
        const struct CauseResult *cause = &probe->causes[n];
        json_open_object(&out->json);
        json_put_bool(&out->json, "unaffected", cause->unaffected);
        json_put_bool(&out->json, "censored", cause->censored);
        out_span(out, "down", cause->down);
        out_span(out, "recovered", cause->recovered);
        out_span(out, "first_recovered", cause->first_recovered);
        out_span(out, "healed", cause->healed);
        json_end(&out->json);
    }
    json_end(&out->json);
}

static void put_probe_setup(struct JsonOut *out, const struct RunProbe *probe)
{
    json_put_text(&out->json, "name", probe->name);
    json_put_text(&out->json, "kind", probe->kind);
    json_put_text(&out->json, "asks", probe->asks);
    json_put_text(&out->json, "from", probe->from);
    json_put_bool(&out->json, "control", probe->control);
    out_ns(out, "interval_ns", probe->interval_ns);
    out_ns(out, "timeout_ns", probe->timeout_ns);
    out_ns(out, "under_ns", probe->under_ns);
    out_ns(out, "hold_ns", probe->hold_ns);
    out_ns(out, "gap_ns", probe->gap_ns);
}

static void put_probe(struct JsonOut *out, const struct Report *report,
                      const struct ProbeResult *probe)
{
    struct Json *json = &out->json;
    json_open_object(json);
    put_probe_setup(out, probe->probe);
    out_count(out, "attempts", probe->attempts);
    out_count(out, "ok", probe->ok);
    out_count(out, "failed", probe->failed);
    out_count(out, "skipped", probe->skipped);
    out_count(out, "broken", probe->broken);
    out_count(out, "during_attempts", probe->during_attempts);
    out_count(out, "during_failed", probe->during_failed);
    put_failures(out, "failures", probe->failures);
    json_put_bool(json, "unaffected", probe->unaffected);
    json_put_bool(json, "censored", probe->censored);
    json_put_bool(json, "froze", probe->froze);
    json_put_bool(json, "silent", probe->silent);
    json_put_bool(json, "failing_at_t0", probe->failing_at_t0);
    out_ns(out, "resolution_ns", probe->resolution_ns);
    out_span(out, "down", probe->down);
    out_span(out, "recovered", probe->recovered);
    out_span(out, "first_recovered", probe->first_recovered);
    out_span(out, "healed", probe->healed);
    out_span(out, "downtime", probe->downtime);
    out_span(out, "outage", probe->outage);
    put_cause_results(out, probe, report->cause_count);
    put_latency(out, "before", &probe->before);
    put_latency(out, "during", &probe->during);
    put_latency(out, "after", &probe->after);
    out_array(out, "stretches");
    for (size_t n = 0; n < probe->stretch_count; n++)
        put_stretch(out, &probe->stretches[n]);
    json_end(json);
    json_end(json);
}

/* ---- Ledgers and primaries ---- */

static const char *known_name(enum Known known)
{
    return known == KNOWN_YES ? "yes" : known == KNOWN_NO ? "no" : "unknown";
}

static const char *host_of(const struct JsonOut *out, uint32_t by)
{
    return by > 0 && by <= out->run->host_count ? out->run->hosts[by - 1] : NULL;
}

static void put_lost(struct JsonOut *out, const struct LostWrite *lost)
{
    json_open_object(&out->json);
    out_count(out, "writer", lost->writer);
    out_count(out, "number", lost->number);
    json_put_text(&out->json, "by", host_of(out, lost->by));
    out_at(out, "acked_at_ns", lost->acked);
    json_end(&out->json);
}

static void put_ledger(struct JsonOut *out, const struct LedgerResult *ledger)
{
    struct Json *json = &out->json;
    json_open_object(json);
    json_put_text(json, "probe", ledger->probe->name);
    json_put_text(json, "read_back_complete", known_name(ledger->complete));
    out_count(out, "acked", ledger->acked);
    out_count(out, "unknown", ledger->unknown);
    out_count(out, "failed", ledger->failed);
    out_count(out, "read", ledger->read);
    out_count(out, "lost", ledger->lost);
    out_count(out, "lost_before", ledger->lost_before);
    out_count(out, "lost_inside", ledger->lost_inside);
    out_count(out, "lost_after", ledger->lost_after);
    out_count(out, "lost_found_elsewhere", ledger->lost_found_elsewhere);
    out_count(out, "ghosts", ledger->ghosts);
    out_count(out, "refused_but_there", ledger->refused_but_there);
    out_count(out, "duplicated", ledger->duplicated);
    out_count(out, "unexpected", ledger->unexpected);
    out_count(out, "acked_in_last_second", ledger->acked_in_last_second);
    json_put_bool(json, "acked_by_target_before_t0", ledger->acked_by_target_before_t0);
    out_span(out, "lost_span", ledger->lost_span);
    out_ns(out, "loss_age_ns", ledger->loss_age_ns);
    out_ns(out, "zombie_ns", ledger->zombie_ns);
    json_put_bool(json, "holes", ledger->holes);
    out_ns(out, "spacing_ns", ledger->spacing_ns);
    out_count(out, "back_acked", ledger->back_acked);
    out_count(out, "back_lost", ledger->back_lost);
    json_put_bool(json, "back_holes", ledger->back_holes);
    out_array(out, "first_lost");
    for (size_t n = 0; n < ledger->first_lost_count; n++)
        put_lost(out, &ledger->first_lost[n]);
    json_end(json);
    json_end(json);
}

static void put_primary(struct JsonOut *out, const struct PrimaryResult *primary)
{
    struct Json *json = &out->json;
    json_open_object(json);
    json_put_text(json, "probe", primary->probe->name);
    json_put_text(json, "before", primary->before);
    json_put_text(json, "after", primary->after);
    out_span(out, "failover", primary->failover);
    out_count(out, "failovers", primary->failover_count);
    out_span(out, "detected", primary->detected);
    out_span(out, "redundant", primary->redundant);
    json_put_bool(json, "census", primary->seen);
    out_span(out, "split", primary->split);
    out_span(out, "split_after_undo", primary->split_after_undo);
    out_span(out, "back_split", primary->back_split);
    json_put_bool(json, "split_proven", primary->split_proven);
    out_ns(out, "unasked_ns", primary->unasked_ns);
    out_span(out, "gray", primary->gray);
    json_put_text(json, "gray_of", primary->gray_of != NULL ? primary->gray_of->name : NULL);
    if (primary->system != NULL) {
        json_put_text(json, "system", primary->system->system);
        json_put_text(json, "knobs", primary->system->knobs);
        out_span(out, "expected", primary->system->expected);
    }
    json_end(json);
}

/* ---- Verdicts ---- */

static void put_head(struct JsonOut *out, const struct Report *report)
{
    struct Json *json = &out->json;
    json_put_text(json, "verdict", verdict_name(report->verdict));
    json_put_int(json, "status", verdict_status(report->verdict));
    json_put_text(json, "why", report->why);
    json_put_bool(json, "unaffected", report->unaffected);
    json_put_bool(json, "cut_side_unmeasured", report->cut_side_unmeasured);
    out_count(out, "faults_sent", report->fault_count);
    out_count(out, "faults_undone", report->undone_count);
    out_moment(out, "t0", report->t0);
    out_moment(out, "undone", report->undone);
    out_array(out, "spoiled");
    for (size_t n = 0; n < report->spoiled_count; n++)
        json_text(json, report->spoiled[n]);
    json_end(json);
    out_array(out, "findings");
    for (size_t n = 0; n < report->finding_count; n++)
        json_text(json, report->findings[n].text);
    json_end(json);
}

static void put_overrides(struct JsonOut *out)
{
    out_array(out, "overrides");
    for (size_t n = 0; n < out->run->event_count; n++)
        if (text_equal(out->run->events[n].subject, EVENT_OVERRIDE))
            json_text(&out->json, out->run->events[n].text);
    json_end(&out->json);
}

static void put_events(struct JsonOut *out)
{
    out_array(out, "events");
    for (size_t n = 0; n < out->run->event_count; n++) {
        const struct RunEvent *event = &out->run->events[n];
        json_open_object(&out->json);
        out_at(out, "at_ns", event->at);
        json_put_text(&out->json, "subject", event->subject);
        json_put_text(&out->json, "text", event->text);
        json_end(&out->json);
    }
    json_end(&out->json);
}

static void put_figures(struct JsonOut *out)
{
    out_array(out, "figures");
    for (size_t n = 0; n < out->run->figure_count; n++) {
        const struct RunFigure *figure = &out->run->figures[n];
        bool is_time = text_equal(figure->type, "clock") || text_equal(figure->type, "seconds");
        json_open_object(&out->json);
        json_put_text(&out->json, "name", figure->name);
        json_put_text(&out->json, "type", figure->type);
        if (is_time) {
            json_put_int(&out->json, "low_ns", figure->value.low_ns);
            json_put_int(&out->json, "high_ns", figure->value.high_ns);
        }
        json_put_text(&out->json, "text", figure->text);
        json_end(&out->json);
    }
    json_end(&out->json);
}

static bool write(const struct Report *report, struct Buf *text, struct Err *err)
{
    struct JsonOut out = {.json = json_begin(text, true), .run = report->run};
    json_open_object(&out.json);
    put_head(&out, report);
    out_advice(&out, report);
    put_overrides(&out);
    put_run(&out);
    out_array(&out, "expectations");
    for (size_t n = 0; n < report->judged_count; n++)
        out_judged(&out, &report->judged[n]);
    json_end(&out.json);
    out_array(&out, "faults");
    for (size_t n = 0; n < report->run->fault_count; n++)
        put_fault(&out, &report->run->faults[n]);
    json_end(&out.json);
    out_array(&out, "probes");
    for (size_t n = 0; n < report->probe_count; n++)
        put_probe(&out, report, &report->probes[n]);
    json_end(&out.json);
    out_array(&out, "ledgers");
    for (size_t n = 0; n < report->ledger_count; n++)
        put_ledger(&out, &report->ledgers[n]);
    json_end(&out.json);
    out_array(&out, "primaries");
    for (size_t n = 0; n < report->primary_count; n++)
        put_primary(&out, &report->primaries[n]);
    json_end(&out.json);
    out_switch_backs(&out);
    put_figures(&out);
    put_events(&out);
    out_people(&out, report);
    json_end(&out.json);
    buf_char(text, '\n');
    return text->cut ? err_set(err, ERR_OWN, NOWHERE, "the report does not fit") : true;
}

const struct ReportFormat report_json = {
    .name = "json",
    .summary = "all that the page shows, for machines",
    .extension = "json",
    .write = write,
};
