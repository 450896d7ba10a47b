/* doctor_mend.c - for each host and step what is missing, and the line that mends it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include "../base/duration.h"
#include "../base/text.h"

/* What kinds may lack; each has one line that mends it. */
enum Lack { LACK_NOTHING, LACK_SERVICE, LACK_FILTER, LACK_DELAY, LACK_COUNT };
static const char *const MENDS[LACK_COUNT] = {
    [LACK_SERVICE] =
        "say in the environment how the role is run: unit, service, process, container",
    [LACK_FILTER] = "apt-get install nftables",
    [LACK_DELAY] = "modprobe sch_netem; or apt-get install python3, and modprobe tun",
};

static enum Lack lack_of(const struct FaultKind *kind, const struct SurveyHost *host)
{
    const struct HostFacts *facts = &host->facts;
    const struct Service *service = &host->role->service;
    bool is_run = service->unit || service->pidfile || service->exe || service->container;
    if (kind->needs_service && !is_run)
        return LACK_SERVICE;
    if (kind->needs_filter && !facts->nft && !facts->iptables)
        return LACK_FILTER;
    if (kind->needs_delay && !facts->netem && !facts->tun)
        return LACK_DELAY;
    return LACK_NOTHING;
}

void doctor_say_kinds(const struct Doctor *of, const struct SurveyHost *host, struct Buf *out)
{
    for (int lack = LACK_SERVICE; host->facts.root && lack < LACK_COUNT; lack++) {
        struct Buf words = BUF(1000);
        for (const struct FaultKind *const *kind = of->kinds->faults; *kind != NULL; kind++)
            if (lack_of(*kind, host) == (enum Lack)lack)
                buf_printf(&words, "%s%s", words.size > 0 ? ", " : "", (*kind)->name);
        if (words.size > 0)
            buf_printf(out, "      = no %s: %s\n", words.text, MENDS[lack]);
        buf_free(&words);
    }
}

static bool is_forbidden(const struct Environment *environment, const struct FaultKind *kind)
{
    const char *const *words = environment->limits.forbidden_faults.items;
    for (size_t at = 0; at < environment->limits.forbidden_faults.count; at++)
        if (text_equal(words[at], kind->name))
            return true;
    return false;
}

void doctor_allow_lines(const struct Doctor *of, struct Buf *out)
{
    int64_t longest = of->environment->limits.longest_ns;
    buf_printf(out, "environment %s\nkinds", of->environment->name);
    for (const struct FaultKind *const *kind = of->kinds->faults; *kind != NULL; kind++)
        if (!(*kind)->takes_machine && !is_forbidden(of->environment, *kind))
            buf_printf(out, " %s", (*kind)->name);
    buf_printf(out, "\nlongest %llds\n",
               (long long)((longest > 0 ? longest : 300 * NS_PER_S) / NS_PER_S));
}

void doctor_say_opt_in(const struct Doctor *of, const struct HostFacts *facts, struct Buf *out)
{
    char longest[32];
    duration_say(facts->allow_longest_ns, longest);
    if (facts->no_allow == NULL) {
        buf_printf(out, "      = its own word: %s for %s, at most %s\n", facts->allow_kinds,
                   facts->allow_environments, longest);
        return;
    }
    struct Buf lines = BUF(4000);
    doctor_allow_lines(of, &lines);
    buf_printf(out, "      = lacks its opt-in (gate: {node_opt_in: true}): %s\n", facts->no_allow);
    buf_put(out, "      = fix: as root there, with the kinds that are wanted\n"
                 "          cat >/etc/faildrill.allow <<'END' && chmod 644 /etc/faildrill.allow\n");
    buf_printf(out, "%sEND\n", lines.text);
    buf_free(&lines);
}

void doctor_say_window(const struct Environment *environment, struct Buf *out)
{
    const struct GateTimes *times = &environment->times;
    struct Wall now = wall_now();
    char at[32];
    if (times->windows.count + times->freezes.count == 0)
        return;
    struct Wall next = times_next_open(times, now);
    times_say(times, next, at);
    if (next.ns == now.ns)
        buf_printf(out, "window: open now, %s %s\n", at, times->zone_name);
    else if (next.ns == 0)
        buf_put(out, "window: closed for the next 8 days\n");
    else
        buf_printf(out, "window: closed; next %s %s\n", at, times->zone_name);
}
