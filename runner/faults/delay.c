/* delay.c - what a machine sends arrives late: by tc netem, or else by a line of ours. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "../schema/decode.h"
#include "kinds.h"
#include "network.h"

/* A packet more for each 10 us of delay may be held: 1.2 Gbit/s of large ones. */
enum { HELD_LEAST = 1000, HELD_NS = 10 * 1000, DRAIN_MOST_MS = 500 };

struct DelayConfig {
    const struct Node *target;
    int64_t by_ns, jitter_ns;
    int64_t reorder, duplicate, corrupt; /* millionths */
};

static const char delay_sh[] = {
#include "runner/faults/delay.sh.h"
    0};
static const char delay_line_py[] = {
#include "runner/faults/delay_line.py.h"
    0};

static void delay_check(const void *record, const struct Node *node, struct Decode *decode);
static bool delay_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Procedure *out, struct Err *err);

static const struct Field delay_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct DelayConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Whose packets: the name of a target, or a target written in place."},
    {.name = "by",
     .type = FIELD_DURATION,
     .offset = offsetof(struct DelayConfig, by_ns),
     .flags = FIELD_REQUIRED,
     .min = 0,
     .max = 10 * NS_PER_S,
     .example = "200ms",
     .doc = "How much later each packet leaves; a round trip takes that much longer."},
    {.name = "jitter",
     .type = FIELD_DURATION,
     .offset = offsetof(struct DelayConfig, jitter_ns),
     .fallback = "0s",
     .min = 0,
     .max = 10 * NS_PER_S,
     .example = "20ms",
     .doc = "Each packet up to that much more or less, so that some overtake others."},
    {.name = "reorder",
     .type = FIELD_SHARE,
     .offset = offsetof(struct DelayConfig, reorder),
     .fallback = "0%",
     .min = 0,
     .max = 1000000,
     .example = "5%",
     .doc = "How many leave at once, before those that are held."},
    {.name = "duplicate",
     .type = FIELD_SHARE,
     .offset = offsetof(struct DelayConfig, duplicate),
     .fallback = "0%",
     .min = 0,
     .max = 1000000,
     .example = "1%",
     .doc = "How many leave twice."},
    {.name = "corrupt",
     .type = FIELD_SHARE,
     .offset = offsetof(struct DelayConfig, corrupt),
     .fallback = "0%",
     .min = 0,
     .max = 1000000,
     .example = "0.1%",
     .doc = "How many leave with a bit turned over, for their receiver to throw away."},
    {.name = NULL}};

const struct FaultKind delay_fault = {
    .name = "delay",
    .summary = "what a machine sends arrives late, in another order, twice or damaged",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_filter = true,
    .needs_delay = true,
    .config = {.name = "delay",
               .doc = "A slow or bad line. Our ssh is not slowed; a kernel timer ends it.",
               .size = sizeof(struct DelayConfig),
               .fields = delay_fields,
               .check = delay_check},
    .plan = delay_plan,
};

static void delay_check(const void *record, const struct Node *node, struct Decode *decode)
{
    const struct DelayConfig *delay = record;
    const struct Node *by = node_get(node, "by");
    const struct Node *jitter = node_get(node, "jitter"), *reorder = node_get(node, "reorder");
    if (delay->jitter_ns > delay->by_ns)
        problems_say(decode->problems, ERR_RULE, (jitter != NULL ? jitter : node)->where,
                     "take `by` at most", "`jitter` is more than `by`: no packet leaves early");
    if (delay->reorder > 0 && delay->by_ns == 0)
        problems_say(decode->problems, ERR_RULE, (reorder != NULL ? reorder : node)->where,
                     "say `by` as well", "nothing is overtaken where nothing is held");
    if (delay->by_ns == 0 && delay->duplicate == 0 && delay->corrupt == 0)
        problems_say(decode->problems, ERR_RULE, (by != NULL ? by : node)->where,
                     "write it like 200ms", "a delay by nothing");
}

/* ---- The two ways. ---- */

/* Others' marks stay; what was held already has one too. A broadcast has no route to come back to.
 */
static const char line_verdict[] =
    "meta mark != 0 return\n"
    "fib daddr type != unicast return\n"
    "oifname { $(tr \"\\n\" , <devices) } counter meta mark set 0xfd1d";

/* Behind the lines that say what the file is. */
static const char *behind_comments(const char *text)
{
    while (*text == '#')
        text = strchr(text, '\n') + 1;
    return text;
}

static const char *share_word(struct Arena *arena, int64_t millionths)
{
    return arena_printf(arena, "%" PRId64 ".%04" PRId64 "%%", millionths / 10000,
                        millionths % 10000);
}

/* netem's own words, and the line's; each ends with NULL. */
static void netem_words(const struct DelayConfig *delay, const char *held, struct Arena *arena,
                        const char **words)
{
    const struct {
        const char *name;
        int64_t share;
    } shares[] = {
        {"reorder", delay->reorder}, {"duplicate", delay->duplicate}, {"corrupt", delay->corrupt}};
    size_t count = 0;
    words[count++] = "limit";
    words[count++] = held;
    words[count++] = "delay";
    words[count++] = arena_printf(arena, "%" PRId64 "us", delay->by_ns / 1000);
    if (delay->jitter_ns > 0)
        words[count++] = arena_printf(arena, "%" PRId64 "us", delay->jitter_ns / 1000);
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        if (shares[i].share > 0) {
            words[count++] = shares[i].name;
            words[count++] = share_word(arena, shares[i].share);
        }
    words[count] = NULL;
}

static void line_words(const struct DelayConfig *delay, const char *held, struct Arena *arena,
                       const char **words)
{
    const int64_t values[] = {delay->by_ns / 1000, delay->jitter_ns / 1000, delay->reorder,
                              delay->duplicate, delay->corrupt};
    size_t count = 0;
    words[count++] = behind_comments(delay_line_py);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        words[count++] = arena_printf(arena, "%" PRId64, values[i]);
    words[count++] = held;
    words[count] = NULL;
}

/* `sh -c TEXT delay VERB WAY WORD...`; the words end with NULL. */
static void structure_add(struct Commands *commands, struct Arena *arena, const char *what,
                          const char *verb, const char *way, const char *const *words)
{
    const char *const first[] = {"sh", "-c", behind_comments(delay_sh), "delay", verb, way};
    size_t count = 0;
    while (words != NULL && words[count] != NULL)
        count++;
    const char **argv = arena_zero(arena, COUNT_OF(first) + count + 1, sizeof *argv);
    memcpy(argv, first, sizeof first);
    for (size_t i = 0; i < count; i++)
        argv[COUNT_OF(first) + i] = words[i];
    commands_add_argv(commands, arena, what, 20, argv);
}

/* Whom it is about: the ways to these are slowed, all that lead out where there are none. */
static const char *const *addresses(const struct PlanInput *input, struct Arena *arena)
{
    struct List all = {.items = NULL};
    for (size_t i = 0; i < input->peer_count; i++)
        for (size_t k = 0; k < input->peers[i].address_count; k++)
            *(const char **)list_add(&all, arena, sizeof(char *)) = input->peers[i].addresses[k];
    *(const char **)list_add(&all, arena, sizeof(char *)) = NULL;
    return all.items;
}

/* How long undo waits for what is held: seconds for netem, tenths for the line, which says itself
 * when it is empty. */
static const char *drain_word(int64_t longest_ns, bool netem, struct Arena *arena)
{
    int64_t ms = longest_ns / NS_PER_MS;
    if (ms > DRAIN_MOST_MS)
        ms = DRAIN_MOST_MS;
    if (netem)
        return arena_printf(arena, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
    return arena_printf(arena, "%" PRId64, ms / 100 + 2);
}

static bool can_delay(const struct PlanInput *input, struct Err *err)
{
    const struct HostFacts *facts = input->facts;
    const struct Target *target = input->target;
    if (!facts->netem && !facts->tun) {
        err_set(err, ERR_NOT_READY, target->where, "'%s' can delay nothing: %s", target->name,
                facts->no_delay != NULL ? facts->no_delay : "it was not asked");
        return err_hint(err, "It takes the kernel's sch_netem and sch_prio; or /dev/net/tun and "
                             "python3.");
    }
    if (facts->netem && facts->root_qdisc != NULL && facts->root_qdisc[0] != '\0') {
        err_set(err, ERR_REFUSED, target->where,
                "'%s' has a root qdisc of its own, %s: it is not replaced", target->name,
                facts->root_qdisc);
        return err_hint(err, "Drill another host, or take the qdisc away for the drill.");
    }
    return true;
}

static bool delay_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                       struct Procedure *out, struct Err *err)
{
    const struct DelayConfig *delay = config;
    if (!can_delay(input, err))
        return false;
    bool netem = input->facts->netem;
    struct NetFault fault = {
        .what = netem ? "send all packets but our ssh's by our class fd1d:4"
                      : "mark all packets but our ssh's for our line",
        .peers = input->peers,
        .peer_count = input->peer_count,
        .catches = {{.hook = netem ? NET_SAYS : NET_STEERS,
                     .verdict = {.nft =
                                     netem ? "counter meta priority set fd1d:4" : line_verdict}}},
        .catch_count = 1};
    if (!network_plan(&fault, input, arena, out, err))
        return false;
    int64_t longest_ns = delay->by_ns + delay->jitter_ns;
    int64_t most = longest_ns / HELD_NS > HELD_LEAST ? longest_ns / HELD_NS : HELD_LEAST;
    const char *held = arena_printf(arena, "%" PRId64, most);
    const char *words[16], *way = netem ? "netem" : "line";
    structure_add(&out->save, arena, "find the devices, and no qdisc or line of another's", "save",
                  way, addresses(input, arena));
    if (netem)
        netem_words(delay, held, arena, words);
    else
        line_words(delay, held, arena, words);
    structure_add(&out->apply, arena,
                  netem ? "netem as class fd1d:4 of each device"
                        : "a line: python3 holds the packets in the device fd1d",
                  "apply", way, words);
    structure_add(&out->in_place, arena, netem ? "netem is there" : "the line is there", "place",
                  way, NULL);
    structure_add(&out->undo, arena,
                  netem ? "let what is held leave, delete the qdisc fd1d:"
                        : "let what is held leave, delete the device fd1d and its rule",
                  "undo", way, (const char *const[]){drain_word(longest_ns, netem, arena), NULL});
    structure_add(&out->all_clear, arena,
                  netem ? "there is no qdisc fd1d:" : "there is no device fd1d and no rule",
                  "clear", way, NULL);
    return true;
}
