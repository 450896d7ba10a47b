/* run_step_kinds.c - steps that are no fault of a kind: a request, and a planned failover. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/duration.h"
#include "../base/text.h"
#include "../model/redact.h"
#include "foresee.h"
#include "run_parts.h"

/* ---- `http:` without `fault: true` ---- */

static bool status_is_good(const struct PlainRequest *request, int code)
{
    const char *const *texts = request->status.items;
    bool good = request->status.count == 0 && code >= 200 && code <= 299;
    for (size_t at = 0; at < request->status.count; at++) {
        int64_t number = 0;
        good = good || (int_parse(texts[at], &number, NULL) && number == code);
    }
    return good;
}

static bool is_good(const struct PlainRequest *request, const struct Answer *answer)
{
    return status_is_good(request, answer->code) &&
           (request->contains == NULL || strstr(answer->bytes, request->contains) != NULL);
}

/* Of an error that AWS answers in XML the code and what it begins to say; else of any answer its
 * begin. */
static void say_answer(const char *bytes, struct Buf *said)
{
    static const char *const parts[] = {"Code", "Message"};
    struct Buf whole = BUF(4096);
    redact(bytes, &whole);
    const char *all = whole.text != NULL ? whole.text : "";
    for (size_t at = 0; at < COUNT_OF(parts) && strstr(all, "<Error>") != NULL; at++) {
        char open[16], close[16];
        snprintf(open, sizeof open, "<%s>", parts[at]);
        snprintf(close, sizeof close, "</%s>", parts[at]);
        const char *from = strstr(all, open);
        const char *to = from != NULL ? strstr(from, close) : NULL;
        if (to == NULL)
            continue;
        from += strlen(open);
        size_t size = (size_t)(to - from);
        buf_put(said, said->size > 0 ? ": " : "");
        buf_visible(said, from, size < 120 ? size : 120, false);
    }
    if (said->size == 0)
        buf_visible(said, all, whole.size < 120 ? whole.size : 120, false);
    buf_free(&whole);
}

/* Whether AWS took a request that is signed; what it says is of AWS, not of the service. */
static const char *what_is_not_known(const struct Answer *answer)
{
    bool never_sent = answer->end == CALL_REFUSED || answer->end == CALL_UNRESOLVED ||
                      answer->end == CALL_TLS || answer->end == CALL_LOCAL;
    if (answer->end == CALL_ANSWERED ? answer->code < 500 : never_sent)
        return "";
    return "; it was sent, and what AWS did is not known";
}

static void say_unwanted(struct StepRun *step, const struct Answer *answer)
{
    const struct PlainRequest *request = step->spec->request;
    struct Buf said = BUF(300);
    char text[400];
    uint32_t number = step->index + 1;
    say_answer(answer->bytes, &said);
    const char *shown = said.text ? said.text : "", *open = "";
    enum Verdict as = step_verdict(step->run);
    if (request->signing != NULL) {
        as = VERDICT_INCONCLUSIVE;
        open = what_is_not_known(answer);
    }
    if (answer->end == CALL_ANSWERED && answer->cut && status_is_good(request, answer->code)) {
        as = VERDICT_INCONCLUSIVE;
        snprintf(text, sizeof text, "step %u: the answer is longer than is read, %s", number,
                 "what it must contain may stand in the rest");
    } else if (answer->end == CALL_ANSWERED) {
        snprintf(text, sizeof text, "step %u: %s answered %d: %s%s", number, request->method,
                 answer->code, shown, open);
    } else {
        snprintf(text, sizeof text, "step %u: %s got no answer: %s %s%s", number, request->method,
                 call_end_name(answer->end), shown, open);
    }
    buf_free(&said);
    step_fail(step, as, text);
}

static void answered(void *data, const struct Answer *answer)
{
    struct StepRun *step = data;
    if (!step_stands(step))
        return;
    if (answer->end != CALL_ANSWERED || !is_good(step->spec->request, answer)) {
        say_unwanted(step, answer);
        return;
    }
    run_event(step->run, "step", "%u answered %d", step->index + 1, answer->code);
    struct Buf body = {
        .text = (char *)(uintptr_t)answer->bytes, .size = answer->size, .cut = answer->cut};
    if (figures_capture(step, &body))
        step_done(step, NULL);
}

/* Sent once: whether it may be sent again, only its author knows. */
void step_request_begin(struct StepRun *step)
{
    struct Run *run = step->run;
    const struct PlainRequest *request = step->spec->request;
    const struct TextPair *pairs = request->headers.items;
    struct TextPair *headers = arena_zero(run->arena, request->headers.count + 1, sizeof *headers);
    struct Err err;
    for (size_t at = 0; at < request->headers.count; at++) {
        headers[at] = pairs[at];
        headers[at].value = environment_secret(pairs[at].value);
    }
    if (run->http == NULL)
        run->http = http_open(run->in.loop, &err);
    if (run->http == NULL) {
        step_fail(step, VERDICT_OWN_FAILURE, err.message);
        return;
    }
    const char *why = request->signing != NULL ? http_signing_fault(request->url) : NULL;
    if (why != NULL) {
        step_cannot(step,
                    arena_printf(run->arena, "a request to this URL cannot be signed: %s", why));
        return;
    }
    run->any_begun = true;
    if (request->signing != NULL)
        note_sent(run); /* from now on halts act, and that all is steady again is awaited */
    const struct HttpRequest *call = &(struct HttpRequest){.url = request->url,
                                                           .method = request->method,
                                                           .body = request->body,
                                                           .headers = headers,
                                                           .signing = request->signing,
                                                           .header_count = request->headers.count};
    (void)http_call(run->http, call, mono_add(mono_now(), step->spec->timeout_ns), answered, step);
}

/* ---- failover ---- */

static struct FaultRun *failover_fault(const struct StepRun *step)
{
    struct Run *run = step->run;
    for (size_t at = 0; at < run->fault_count; at++)
        if (run->faults[at].planned->step_index == step->index)
            return &run->faults[at];
    bug("a failover step without its row in the plan");
}

/* T0 is [asked, first sign that it was accepted]; a change of primary must follow. */
static void accepted(void *data, enum Known accepted_, const char *why)
{
    struct FaultRun *fault = data;
    struct Run *run = fault->run;
    struct Err err;
    fault->answered = true;
    if (run->state != RUN_STEPS || fault->state != FAULT_INJECTING)
        return;
    if (accepted_ == KNOWN_NO) {
        run_abort(run, VERDICT_INCONCLUSIVE, why ? why : "the failover was refused");
        return;
    }
    if (accepted_ == KNOWN_UNKNOWN) { /* only a change of primary can prove it now */
        if (why != NULL && why[0] != '\0')
            run_event(run, fault->planned->role->name, "the failover is not confirmed: %s", why);
        return;
    }
    fault->t0.high = mono_now();
    fault->state = FAULT_IN_EFFECT;
    (void)run_stored(run, undolog_in_effect(run->in.store, fault->planned->number, fault->t0, &err),
                     &err);
    run_event(run, fault->planned->role->name, "failover accepted");
}

/* Who led as the plan was made; NULL: nobody knew. */
static const struct Target *old_primary(const struct Plan *plan, const struct Role *role)
{
    const struct Foresight *rows = plan->foresights.items;
    for (size_t at = 0; at < plan->foresights.count; at++)
        if (rows[at].role == role)
            return rows[at].primary;
    return NULL;
}

bool run_keeps_down(const struct Run *run, const struct Role *role, const struct Target *host)
{
    for (size_t at = 0; at < run->fault_count; at++) {
        const struct FaultRun *fault = &run->faults[at];
        if (fault->planned->target == host && foresee_keeps_down(fault->planned, role) &&
            fault->state == FAULT_IN_EFFECT && !fault->ended_early)
            return true;
    }
    return false;
}

/* Forced past an old primary that nobody demotes: it is proven stopped, and kept so, or two would
 * stay two. */
static bool is_fenced(const struct Run *run, const struct FaultRun *failover)
{
    const struct Role *role = failover->planned->role;
    const struct Target *primary = old_primary(run->in.plan, role);
    return primary != NULL && run_keeps_down(run, role, primary);
}

/* Nothing holds it on a host, so there is no guard; the rows are written all the same, before it is
 * asked. */
void step_failover_begin(struct StepRun *step)
{
    struct Run *run = step->run;
    struct FaultRun *fault = failover_fault(step);
    struct Err err;
    uint32_t number = fault->planned->number;
    if (step->spec->forced && fault->planned->role->system->unwatched && !is_fenced(run, fault)) {
        step_cannot(step, "the old primary is not proven stopped yet, and there could be two");
        return;
    }
    const char *to = step->spec->promoted;
    const struct FailoverWish wish = {.to = to != NULL ? role_host(fault->planned->role, to) : NULL,
                                      .forced = step->spec->forced};
    if (to != NULL &&
        (wish.to == NULL || wish.to == sight_primary(run->sight, fault->planned->role))) {
        step_cannot(step,
                    arena_printf(run->arena,
                                 wish.to == NULL ? "there is no host '%s'" : "'%s' leads already",
                                 to));
        return;
    }
    if (!run_stored(run, log_arming(fault, &err), &err) ||
        !run_stored(run, undolog_armed(run->in.store, number, NULL, mono_now(), wall_now(), &err),
                    &err))
        return;
    fault->armed = undolog_injecting(run->in.store, number, NULL, mono_now(), &err);
    if (!run_stored(run, fault->armed != NULL, &err))
        return;
    fault->state = FAULT_INJECTING;
    note_sent(run);
    fault->t0.low = mono_now();
    sight_fault(run->sight, fault->t0.low);
    sight_undo(run->sight,
               fault->t0.low); /* nothing will be undone: redundant again counts from here */
    step->primary = sight_primary(run->sight, fault->planned->role);
    sight_failover(run->sight, fault->planned->role, &wish,
                   mono_add(fault->t0.low, FAILOVER_TIMEOUT_NS), accepted, fault);
}

void step_failover_close(struct StepRun *step)
{
    const struct FaultRun *fault = NULL;
    if (step->spec->type == STEP_FAILOVER && step->state == STEP_UNDER_WAY)
        fault = failover_fault(step);
    if (fault != NULL && fault->state == FAULT_INJECTING && !fault->answered)
        sight_drop(step->run->sight, fault->planned->role);
}

void step_failover_tick(struct StepRun *step, struct Mono now)
{
    struct Run *run = step->run;
    struct FaultRun *fault = failover_fault(step);
    struct Err err;
    const struct Target *primary = sight_primary(run->sight, fault->planned->role);
    if (primary == NULL || primary == step->primary)
        return;
    if (fault->state == FAULT_INJECTING) { /* the answer got lost, the change is the sign */
        fault->t0.high = now;
        fault->state = FAULT_IN_EFFECT;
        (void)run_stored(
            run, undolog_in_effect(run->in.store, fault->planned->number, fault->t0, &err), &err);
    }
    run_event(run, fault->planned->role->name, "the primary is %s now", primary->name);
    if (step->spec->promoted != NULL && !text_equal(primary->name, step->spec->promoted))
        step_fail(step, VERDICT_FAIL,
                  arena_printf(run->arena, "%s leads instead of the named %s", primary->name,
                               step->spec->promoted));
    else
        step_over(step);
}
