/* network_chains.c - the iptables chains and ipset sets of a fault on a host without nft. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "network.h"

static const char chains_sh[] = {
#include "runner/transports/chains.sh.h"
    0};

/* Where a hook of nft is caught here. What comes in is met in the table raw, before connection
 * tracking and forwarding, but refused in the table filter, where alone that can be done; with what
 * goes to containers, by the addresses and ports that these have themselves. */
static const struct Hook {
    const char *chain, *side, *way; /* side: which end is in the set; way: as chains_spare has it */
    const char *builtin[2];         /* of filter */
    bool early;                     /* of raw: PREROUTING */
} HOOKS[] = {
    [NET_HEARS] = {"hears", "src", "in", {"INPUT", "FORWARD"}, true},
    [NET_SAYS] = {"says", "dst", "out", {"OUTPUT", "FORWARD"}, false},
    [NET_ASKS] = {"asks", "dst", "out", {"OUTPUT"}, false},
    [NET_FORWARDS] = {"goes", "dst", "out", {"FORWARD"}, false},
    [NET_STEERS] = {.chain = NULL},
};

static bool is_early(const struct NetCatch *caught)
{
    return HOOKS[caught->hook].early && !caught->verdict.refuses;
}

static void put_jump(struct Buf *out, const char *builtin, const char *chain)
{
    buf_printf(out, "-I %s 1 -m comment --comment fd_$FD_ID -j ${ours}_%s\n", builtin, chain);
}

static void put_verdict(struct Buf *out, const struct NetCatch *caught)
{
    const char *chain = HOOKS[caught->hook].chain;
    for (const char *line = caught->verdict.chains; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        buf_printf(out, "-A ${ours}_%s_c ", chain);
        for (size_t i = 0; i < size; i++)
            buf_char(out, line[i] == '@' ? chain[0] : line[i]);
        buf_char(out, '\n');
        line += size + (line[size] == '\n');
    }
}

/* The jump comes last; `1` is the family, as chains_rules has it. */
static void put_catch(struct Buf *out, const struct NetCatch *caught)
{
    const struct Hook *hook = &HOOKS[caught->hook];
    const char *match = caught->chains_matches != NULL ? caught->chains_matches : "\n";
    buf_printf(out, ":${ours}_%s - [0:0]\n:${ours}_%s_c - [0:0]\n", hook->chain, hook->chain);
    put_verdict(out, caught);
    buf_printf(out, "$(chains_spare \"$1\" \"${ours}_%s\" %s)\n", hook->chain, hook->way);
    while (*match != '\0') {
        int size = (int)strcspn(match, "\n");
        buf_printf(out, "-A ${ours}_%s %.*s%s-m set --match-set ${ours}_$1 %s -g ${ours}_%s_c\n",
                   hook->chain, size, match, size > 0 ? " " : "", hook->side, hook->chain);
        match += size + (match[size] == '\n');
    }
    if (is_early(caught))
        put_jump(out, "PREROUTING", hook->chain);
    for (size_t i = 0; !is_early(caught) && i < COUNT_OF(hook->builtin); i++)
        if (hook->builtin[i] != NULL)
            put_jump(out, hook->builtin[i], hook->chain);
}

static size_t jump_count(const struct NetFault *fault)
{
    size_t count = 0;
    for (size_t i = 0; i < fault->catch_count; i++) {
        const struct Hook *hook = &HOOKS[fault->catches[i].hook];
        count += is_early(&fault->catches[i]) || hook->builtin[1] == NULL ? 1 : 2;
    }
    return count;
}

static void put_table(struct Buf *out, const struct NetFault *fault, bool early)
{
    bool begun = false;
    for (size_t i = 0; i < fault->catch_count; i++) {
        if (is_early(&fault->catches[i]) != early)
            continue;
        buf_put(out, begun ? "" : early ? "*raw\n" : "*filter\n");
        put_catch(out, &fault->catches[i]);
        begun = true;
    }
    buf_put(out, begun ? "COMMIT\n" : "");
}

/* A set knows no /0. */
static const char *words(const struct NetFault *fault, bool six, struct Arena *arena)
{
    if (fault->peer_count == 0)
        return six ? "::/1 8000::/1" : "0.0.0.0/1 128.0.0.0/1";
    struct List all = network_addresses(fault, six, arena);
    const char *const *address = all.items;
    struct Buf out = BUF(NET_TEXT_MOST);
    for (size_t i = 0; i < all.count; i++)
        buf_printf(&out, "%s%s", i > 0 ? " " : "", address[i]);
    const char *text = arena_bytes(arena, out.text, out.size);
    buf_free(&out);
    return text;
}

/* All that chains.sh does, for this fault: the functions, whom it is about, then the one wanted. */
static const char *text_of(const struct NetFault *fault, const char *wanted, struct Arena *arena)
{
    const char *behind = chains_sh;
    while (*behind == '#')
        behind = strchr(behind, '\n') + 1;
    return arena_printf(arena, "%s\npeers4='%s' peers6='%s'\nchains_name \"$FD_ID\"\n%s\n", behind,
                        words(fault, false, arena), words(fault, true, arena), wanted);
}

static const char *apply_text(const struct NetFault *fault, bool cuts_link, bool flaps,
                              struct Arena *arena)
{
    struct Buf rules = BUF(NET_TEXT_MOST);
    if (cuts_link)
        buf_put(&rules, "[ -n \"$FD_PEER\" ] || { echo \"no ssh of ours could be cut\"; exit 1; }\n"
                        "spared=set spared_s=" NET_SPARED_S "\n");
    else
        buf_put(&rules, "spared=address\n");
    buf_put(&rules, flaps ? "flaps=1\n" : "flaps=0\n");
    buf_put(&rules, "chains_rules() {\ncat <<EOF\n");
    put_table(&rules, fault, true);
    put_table(&rules, fault, false);
    buf_put(&rules, "EOF\n}\nchains_apply");
    const char *text =
        rules.cut ? NULL : text_of(fault, arena_bytes(arena, rules.text, rules.size), arena);
    buf_free(&rules);
    return text;
}

static bool can_be_chains(const struct NetFault *fault, const struct PlanInput *input,
                          struct Err *err)
{
    const struct Target *target = input->target;
    if (!input->facts->iptables) {
        err_set(err, ERR_NOT_READY, target->where,
                "'%s' can load neither an nft table nor chains of iptables: %s", target->name,
                input->facts->no_filter != NULL ? input->facts->no_filter : "it was not asked");
        return err_hint(err, "It takes nftables; or iptables, ip6tables and ipset.");
    }
    for (size_t i = 0; i < fault->catch_count; i++)
        if (fault->catches[i].verdict.chains == NULL) {
            err_set(err, ERR_NOT_READY, target->where,
                    "'%s' has iptables alone: a delay is by nft only", target->name);
            return err_hint(err, "Install nftables there.");
        }
    if (input->flap.bad_ns % NS_PER_S != 0 ||
        (input->flap.bad_ns > 0 && input->flap.good_ns < 2 * NS_PER_S)) {
        err_set(err, ERR_NOT_READY, target->where,
                "'%s' has iptables alone, whose timers know whole seconds only: expected `bad` in "
                "whole seconds and `good` of 2s or more",
                target->name);
        return err_hint(err, "A bad phase may end up to a second late. Say so, or install nftables "
                             "there.");
    }
    return true;
}

bool network_chains_plan(const struct NetFault *fault, const struct PlanInput *input,
                         struct Arena *arena, struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_KERNEL);
    if (!can_be_chains(fault, input, err))
        return false;
    bool flaps = input->flap.bad_ns > 0, each_family = false;
    for (size_t i = 0; i < fault->catch_count; i++)
        each_family |= fault->catches[i].verdict.each_family;
    const char *apply = apply_text(fault, input->cuts_link, flaps, arena);
    size_t each = fault->peer_count == 0 ? 4
                                         : network_addresses(fault, false, arena).count +
                                               network_addresses(fault, true, arena).count;
    if (each == 0 || apply == NULL || strlen(apply) >= NET_TEXT_MOST)
        return err_set(err, ERR_LIMIT, input->target->where,
                       "a network fault on '%s' is about %zu addresses", input->target->name, each);
    const char *place = arena_printf(arena, "chains_place %zu", jump_count(fault));
    const char *peers = arena_printf(arena, "chains_peers %zu", jump_count(fault));
    const char *count = arena_printf(arena, "%zu", each);
    commands_add(&procedure.apply, arena,
                 arena_printf(arena, "%s, by iptables%s", fault->what,
                              each_family ? ": so much of IPv4, and as much again of IPv6" : ""),
                 20, "sh", "-c", apply, NULL);
    if (input->cuts_link)
        commands_add(&procedure.apply, arena, "our own ssh goes " NET_SPARED_S " s later", 5,
                     "true", NULL);
    commands_add(&procedure.undo, arena, "empty its sets, delete its chains and them", 30, "sh",
                 "-c", text_of(fault, "chains_undo", arena), NULL);
    commands_add(&procedure.all_clear, arena, "there is no chain and no set of this fault", 10,
                 "sh", "-c", text_of(fault, "chains_clear", arena), NULL);
    if (flaps) {
        const char *beat = text_of(fault, "chains_beat", arena);
        network_flap(&(struct NetRhythm){beat, beat, text_of(fault, peers, arena), count},
                     input->flap, &procedure, arena);
    } else {
        commands_add(&procedure.in_place, arena, "the kernel still does", 10, "sh", "-c",
                     text_of(fault, place, arena), NULL);
        commands_add(&procedure.renew, arena, "wind the kernel's timers up again", 10, "sh", "-c",
                     text_of(fault, "chains_renew", arena), NULL);
    }
    procedure.cuts_link = input->cuts_link;
    procedure.beware = input->facts->keepers;
    *out = procedure;
    return true;
}
