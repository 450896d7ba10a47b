/* ledger.c - acknowledged against found: what was lost, when, and who had acknowledged it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../runner/base/text.h"
#include "analyse_parts.h"

enum { FIRST_LOST = 50 };

enum Answer { ANSWER_ACKED, ANSWER_UNKNOWN, ANSWER_FAILED };
struct Write {
    uint32_t writer, by;
    uint64_t number;
    enum Answer answer;
    struct Mono acked;
    uint32_t found; /* how often on the primary */
    bool elsewhere; /* on another host */
};
struct Account {
    const struct Analysis *analysis;
    uint32_t probe;
    struct Write *at; /* by writer and number */
    size_t count;
    struct Mono back; /* since then writes belong to the way back of the role */
    struct LedgerResult *out;
};

/* Only an answer that means "not done" is a failure: a reset or a late one may have been done. A
 * write that was acknowledged later than `under` is acknowledged. */
static enum Answer answer_of(const struct Sample *sample)
{
    if (sample->outcome == OUTCOME_OK)
        return ANSWER_ACKED;
    if (sample->outcome != OUTCOME_FAILED)
        return ANSWER_UNKNOWN;
    switch ((enum Failure)sample->failure) {
    case FAILURE_SLOW:
        return ANSWER_ACKED;
    case FAILURE_REFUSED:
    case FAILURE_READ_ONLY:
    case FAILURE_WRONG_RANK:
    case FAILURE_CONTENT:
    case FAILURE_UNRESOLVED:
    case FAILURE_TLS:
        return ANSWER_FAILED;
    case FAILURE_NONE:
    case FAILURE_RESET:
    case FAILURE_STALE:
    case FAILURE_UNAVAILABLE:
    case FAILURE_TIMEOUT:
    case FAILURE_OTHER:
        return ANSWER_UNKNOWN;
    }
    return ANSWER_UNKNOWN;
}

static int by_number(const void *a, const void *b)
{
    const struct Write *left = a, *right = b;
    if (left->writer != right->writer)
        return left->writer < right->writer ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static int by_time(const void *a, const void *b)
{
    const struct LostWrite *left = a, *right = b;
    if (left->acked.ns != right->acked.ns)
        return left->acked.ns < right->acked.ns ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static bool is_write(const struct Account *account, const struct Sample *sample)
{
    return sample->probe == account->probe && sample->writer != 0 && sample->number != 0;
}

static void gather(struct Account *account)
{
    const struct RunRecord *run = account->analysis->run;
    size_t room = 0;
    for (size_t n = 0; n < run->sample_count; n++)
        room += is_write(account, &run->samples[n]) ? 1 : 0;
    account->at = arena_zero(account->analysis->arena, room + 1, sizeof(*account->at));
    for (size_t n = 0; n < run->sample_count; n++) {
        const struct Sample *sample = &run->samples[n];
        if (!is_write(account, sample))
            continue;
        account->at[account->count++] = (struct Write){.writer = sample->writer,
                                                       .number = sample->number,
                                                       .by = sample->by,
                                                       .answer = answer_of(sample),
                                                       .acked = sample->ended};
    }
    if (account->count > 1)
        qsort(account->at, account->count, sizeof(*account->at), by_number);
}

static void look_up(struct Account *account)
{
    const struct RunRecord *run = account->analysis->run;
    for (size_t n = 0; n < run->found_count; n++) {
        const struct Found *found = &run->found[n];
        if (found->probe != account->probe || found->number == 0)
            continue;
        const struct Write key = {.writer = found->writer, .number = found->number};
        struct Write *write = account->count == 0 ? NULL
                                                  : bsearch(&key, account->at, account->count,
                                                            sizeof(*account->at), by_number);
        if (found->host != 0) {
            if (write != NULL)
                write->elsewhere = true;
        } else if (write == NULL) {
            account->out->unexpected++;
        } else {
            write->found++;
        }
    }
}

static void count_found(const struct Write *write, struct LedgerResult *out)
{
    out->read++;
    out->duplicated += write->found > 1 ? 1 : 0;
    out->ghosts += write->answer == ANSWER_UNKNOWN ? 1 : 0;
    out->refused_but_there += write->answer == ANSWER_FAILED ? 1 : 0;
}

static void count_lost(const struct Account *account, const struct Write *write)
{
    const struct Moment *t0 = &account->analysis->out->t0;
    struct LedgerResult *out = account->out;
    struct Mono high = t0->high.ns != 0 ? t0->high : t0->low;
    out->lost++;
    out->lost_found_elsewhere += write->elsewhere ? 1 : 0;
    if (mono_before(write->acked, t0->low))
        out->lost_before++;
    else if (!mono_before(high, write->acked))
        out->lost_inside++;
    else
        out->lost_after++;
}

static bool is_back(const struct Account *account, const struct Write *write)
{
    return !mono_before(write->acked, account->back);
}

static void count_back(struct Account *account)
{
    struct LedgerResult *out = account->out;
    struct Mono first = {0}, last = {0};
    for (size_t n = 0; n < account->count; n++) {
        const struct Write *write = &account->at[n];
        if (write->answer != ANSWER_ACKED || !is_back(account, write))
            continue;
        out->back_acked++;
        if (write->found > 0)
            continue;
        out->back_lost++;
        first = first.ns != 0 ? mono_min(first, write->acked) : write->acked;
        last = mono_before(last, write->acked) ? write->acked : last;
    }
    int64_t length = mono_since(first, last);
    out->back_lost_span = (struct Span){length, length};
}

static void count_all(struct Account *account)
{
    struct LedgerResult *out = account->out;
    for (size_t n = 0; n < account->count; n++) {
        const struct Write *write = &account->at[n];
        bool acked = write->answer == ANSWER_ACKED && !is_back(account, write);
        out->acked += acked ? 1 : 0;
        out->unknown += write->answer == ANSWER_UNKNOWN ? 1 : 0;
        out->failed += write->answer == ANSWER_FAILED ? 1 : 0;
        if (write->found > 0)
            count_found(write, out);
        else if (acked)
            count_lost(account, write);
    }
}

/* ---- Shape of the loss ---- */

/* A tail is what a replica that lagged behind has not got: the last ones that one host acknowledged
 * to one writer. A loss with a later survivor of the same writer and host is a hole. Where nobody
 * is named, a write that was not acknowledged ends the host's turn. */
static bool has_holes(const struct Account *account, bool back)
{
    bool lost = false;
    const struct Write *last = NULL;
    for (size_t n = 0; n < account->count; n++) {
        const struct Write *write = &account->at[n];
        if (last != NULL && last->writer != write->writer)
            last = NULL;
        if (write->answer != ANSWER_ACKED) {
            if (last != NULL && last->by == 0)
                last = NULL;
            continue;
        }
        if (last == NULL || last->by != write->by)
            lost = false;
        if (write->found == 0)
            lost = lost || is_back(account, write) == back;
        else if (lost)
            return true;
        last = write;
    }
    return false;
}

static void spans(struct LedgerResult *out, const struct LostWrite *lost, const struct Moment *t0)
{
    struct Mono high = t0->high.ns != 0 ? t0->high : t0->low;
    struct Mono first_after = {0}, last_after = {0};
    out->lost_by = lost[0].by;
    for (size_t n = 0; n < out->lost; n++) {
        if (lost[n].by != out->lost_by)
            out->lost_by = 0;
        if (!mono_before(high, lost[n].acked))
            continue;
        first_after = first_after.ns == 0 ? lost[n].acked : first_after;
        last_after = lost[n].acked;
    }
    int64_t length = mono_since(lost[0].acked, lost[out->lost - 1].acked);
    out->lost_span = (struct Span){length, length};
    if (mono_before(lost[0].acked, t0->low))
        out->loss_age_ns = mono_since(lost[0].acked, high);
    if (last_after.ns != 0)
        out->zombie_ns = mono_since(first_after, last_after);
}

static void shape(struct Account *account)
{
    struct LedgerResult *out = account->out;
    out->loss_age_ns = out->zombie_ns = -1;
    out->back_holes = out->back_lost > 0 && has_holes(account, true);
    if (out->lost == 0)
        return;
    struct LostWrite *lost = arena_zero(account->analysis->arena, out->lost, sizeof(*lost));
    size_t count = 0;
    for (size_t n = 0; n < account->count; n++) {
        const struct Write *write = &account->at[n];
        if (write->answer == ANSWER_ACKED && write->found == 0 && !is_back(account, write))
            lost[count++] = (struct LostWrite){.writer = write->writer,
                                               .number = write->number,
                                               .by = write->by,
                                               .acked = write->acked};
    }
    qsort(lost, count, sizeof(*lost), by_time);
    spans(out, lost, &account->analysis->out->t0);
    out->first_lost = lost;
    out->first_lost_count = count < FIRST_LOST ? count : FIRST_LOST;
    out->holes = has_holes(account, false);
}

/* ---- Did the writer stand where the fault struck? ---- */

static bool is_host(const struct RunRecord *run, uint32_t by, const char *host)
{
    return by > 0 && by <= run->host_count && text_equal(run->hosts[by - 1], host);
}

/* Faults that strike who acknowledges: the primary of the ledger's role, or any of its hosts where
 * nobody is known to have led. */
static bool strikes(const struct Account *account, const struct RunFault *fault)
{
    const struct RunProbe *probe = account->out->probe;
    const struct RunSystem *system = system_of(account->analysis->run, probe->role);
    if (!text_equal(fault->role, probe->role))
        return false;
    return system == NULL || system->primary_before == NULL || system->primary_before[0] == '\0' ||
           text_equal(system->primary_before, fault->host);
}

struct LastSecond {
    bool struck, by_target, unnamed;
};

static void look_at(struct Account *account, const struct Write *write, struct LastSecond *seen)
{
    const struct Cause *cause = &account->analysis->out->causes[0];
    account->out->acked_in_last_second++;
    seen->unnamed |= write->by == 0;
    for (size_t n = 0; n < cause->fault_count; n++)
        seen->by_target |= strikes(account, cause->faults[n]) &&
                           is_host(account->analysis->run, write->by, cause->faults[n]->host);
}

static void last_second(struct Account *account)
{
    struct LedgerResult *out = account->out;
    if (!account->analysis->any_sent) {
        out->acked_by_target_before_t0 = true;
        return;
    }
    const struct Cause *cause = &account->analysis->out->causes[0];
    struct LastSecond seen = {.struck = false};
    int64_t second = out->spacing_ns * 2 > NS_PER_S ? out->spacing_ns * 2 : NS_PER_S;
    for (size_t n = 0; n < cause->fault_count; n++)
        seen.struck |= strikes(account, cause->faults[n]);
    for (size_t n = 0; n < account->count; n++) {
        const struct Write *write = &account->at[n];
        if (write->answer == ANSWER_ACKED && !mono_before(cause->t0.low, write->acked) &&
            mono_since(write->acked, cause->t0.low) <= second)
            look_at(account, write, &seen);
    }
    out->acked_by_target_before_t0 =
        out->acked_in_last_second > 0 && (!seen.struck || seen.by_target);
    if (out->acked_by_target_before_t0)
        return;
    out->not_by_target =
        out->acked_in_last_second == 0 ? "nothing was acknowledged in the second before the fault"
        : seen.unnamed ? "who acknowledged in the second before the fault is unknown"
                       : "the host that was hit acknowledged nothing in the second before";
}

void analyse_ledger(const struct Analysis *analysis, uint32_t probe, struct LedgerResult *out)
{
    const struct RunRecord *run = analysis->run;
    struct Account account = {.analysis = analysis, .probe = probe, .out = out};
    out->probe = &run->probes[probe];
    account.back = back_began_of(run, out->probe->role);
    out->spacing_ns = out->probe->interval_ns;
    out->complete = run->read_back != NULL ? run->read_back[probe] : KNOWN_UNKNOWN;
    gather(&account);
    look_up(&account);
    count_all(&account);
    count_back(&account);
    shape(&account);
    last_second(&account);
}
