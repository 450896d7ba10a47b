/* network.c - the nft table of a fault on one host: what it catches, and what becomes of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <string.h>

#include "../base/duration.h"

/* Prerouting at -300 stands before connection tracking, so what is established is caught as well,
 * and what goes to containers. */
static const struct Hook {
    const char *chain, *hook, *side, *ours;
    bool inbound;
} HOOKS[] = {
    [NET_HEARS] = {"hears", "filter hook prerouting priority -300", "saddr", "in", true},
    [NET_SAYS] = {"says", "filter hook postrouting priority 300", "daddr", "out", false},
    [NET_ASKS] = {"asks", "filter hook output priority -300", "daddr", "out", false},
    [NET_FORWARDS] = {"forwards", "filter hook forward priority -300", "daddr", "out", false},
    [NET_STEERS] = {"steers", "route hook output priority -150", "daddr", "out", false},
};

/* Both lines that exempt our own way. */
#define KEPT_ND "nd=nd-router-solicit,nd-router-advert,nd-neighbor-solicit,nd-neighbor-advert\n"
static const char exempt_text[] = "case $FD_PEER in *:*) ip=ip6 ;; *) ip=ip ;; esac\n"
                                  "in= out=\n" KEPT_ND "if [ -n \"$FD_PEER\" ]; then\n"
                                  "    in=\"$ip saddr $FD_PEER tcp dport $FD_PORT accept\"\n"
                                  "    out=\"$ip daddr $FD_PEER tcp sport $FD_PORT accept\"\n"
                                  "fi\n";

/* Where our way is to be cut it is spared until the fault is proven, which takes an answer: then
 * the kernel takes us out of this set. */
static const char spare_text[] =
    "[ -n \"$FD_PEER\" ] || { echo \"no ssh of ours could be cut\"; exit 1; }\n"
    "case $FD_PEER in *:*) ip=ip6 type=ipv6_addr ;; *) ip=ip type=ipv4_addr ;; esac\n" KEPT_ND
    "in=\"$ip saddr @ours tcp dport $FD_PORT accept\"\n"
    "out=\"$ip daddr @ours tcp sport $FD_PORT accept\"\n";
static const char spare_set[] = "    set ours {\n"
                                "        type $type; flags timeout\n"
                                "        elements = { $FD_PEER timeout " NET_SPARED_S "s }\n"
                                "    }\n";

static const char undo_text[] = "nft -f - <<EOF\n"
                                "add table inet fd_$FD_ID\n"
                                "delete table inet fd_$FD_ID\n"
                                "EOF\n";

/* That nft does not answer is no proof of anything. */
static const char all_clear_text[] =
    "tables=$(nft list tables) || exit 125\n"
    "printf \"%s\\n\" \"$tables\" | grep -qx \"table inet fd_$FD_ID\"\n"
    "case $? in 0) exit 1 ;; 1) ;; *) exit 125 ;; esac\n";

/* An element that ran out is no longer listed. */
#define TABLE_IS_THERE                                                                             \
    "if ! table=$(nft list table inet fd_$FD_ID); then\n"                                          \
    "    tables=$(nft list tables) || exit 125\n"                                                  \
    "    exit 1\n"                                                                                 \
    "fi\n"
#define ELEMENTS                                                                                   \
    "printf \"%s\\n\" \"$table\" | sed \"/set ours {/,/}/d\" | grep -o \"expires\" |\n    wc -l"
static const char in_place_text[] = TABLE_IS_THERE "[ \"$(" ELEMENTS ")\" -eq \"$1\" ]\n";
static const char peers_text[] = TABLE_IS_THERE ELEMENTS "\n";

struct NetSet {
    const char *name, *type, *family;
    struct List addresses; /* of const char * */
};

struct List network_addresses(const struct NetFault *fault, bool six, struct Arena *arena)
{
    struct List all = {.items = NULL};
    for (size_t i = 0; i < fault->peer_count; i++)
        for (size_t k = 0; k < fault->peers[i].address_count; k++) {
            const char *address = fault->peers[i].addresses[k];
            const char *const *known = all.items;
            bool is_new = (strchr(address, ':') != NULL) == six;
            for (size_t at = 0; is_new && at < all.count; at++)
                is_new = strcmp(known[at], address) != 0;
            if (is_new)
                *(const char **)list_add(&all, arena, sizeof(char *)) = address;
        }
    return all;
}

/* Everybody is one element in each. */
static void sets_fill(const struct NetFault *fault, struct Arena *arena, struct NetSet sets[2])
{
    static const char *const everybody[] = {"0.0.0.0/0", "::/0"};
    sets[0] = (struct NetSet){.name = "peers4", .type = "ipv4_addr", .family = "ip"};
    sets[1] = (struct NetSet){.name = "peers6", .type = "ipv6_addr", .family = "ip6"};
    for (int six = 0; six < 2; six++) {
        sets[six].addresses = network_addresses(fault, six, arena);
        if (fault->peer_count == 0)
            *(const char **)list_add(&sets[six].addresses, arena, sizeof(char *)) = everybody[six];
    }
}

static const char lease_timeout[] = " timeout ${FD_LEASE}s",
                  phase_timeout[] = " timeout ${FD_PHASE}ms";

static void put_elements(struct Buf *out, const struct NetSet *set, const char *timeout)
{
    const char *const *address = set->addresses.items;
    for (size_t i = 0; i < set->addresses.count; i++)
        buf_printf(out, "%s%s%s", i > 0 ? ", " : "", address[i], timeout);
}

/* Of a fault that flaps it is empty, until a bad phase begins. */
static void put_set(struct Buf *out, const struct NetSet *set, bool everybody, bool flaps)
{
    buf_printf(out, "    set %s {\n        type %s; flags %stimeout\n", set->name, set->type,
               everybody ? "interval," : "");
    if (set->addresses.count > 0 && !flaps) {
        buf_put(out, "        elements = { ");
        put_elements(out, set, lease_timeout);
        buf_put(out, " }\n");
    }
    buf_put(out, "    }\n");
}

static void put_catch(struct Buf *out, const struct NetCatch *caught, const struct NetSet sets[2])
{
    const struct Hook *hook = &HOOKS[caught->hook];
    buf_printf(out, "    chain %s_caught {\n", hook->chain);
    for (const char *line = caught->verdict.nft; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        buf_put(out, "        ");
        buf_add(out, line, size);
        buf_char(out, '\n');
        line += size + (line[size] == '\n');
    }
    buf_printf(out,
               "    }\n"
               "    chain %s {\n"
               "        type %s; policy accept;\n"
               "        %s \"lo\" accept\n"
               "        $%s\n"
               "        icmpv6 type { $nd } accept\n",
               hook->chain, hook->hook, hook->inbound ? "iif" : "oif", hook->ours);
    for (size_t set = 0; set < 2; set++)
        for (size_t i = 0; i < NET_MATCHES_MOST; i++) {
            const char *match = caught->matches[i];
            if (match != NULL || i == 0)
                buf_printf(out, "        %s %s @%s %s%sgoto %s_caught\n", sets[set].family,
                           hook->side, sets[set].name, match != NULL ? match : "",
                           match != NULL ? " " : "", hook->chain);
        }
    buf_put(out, "    }\n");
}

/* The two first lines make it right to run twice. */
static const char *apply_text(const struct NetFault *fault, const struct NetSet sets[2],
                              const struct PlanInput *input, struct Arena *arena)
{
    struct Buf out = BUF(NET_TEXT_MOST);
    buf_put(&out, input->cuts_link ? spare_text : exempt_text);
    buf_put(&out, "nft -f - <<EOF\n"
                  "add table inet fd_$FD_ID\n"
                  "delete table inet fd_$FD_ID\n"
                  "table inet fd_$FD_ID {\n");
    buf_put(&out, input->cuts_link ? spare_set : "");
    for (size_t set = 0; set < 2; set++)
        put_set(&out, &sets[set], fault->peer_count == 0, input->flap.bad_ns > 0);
    for (size_t i = 0; i < fault->catch_count; i++)
        put_catch(&out, &fault->catches[i], sets);
    buf_put(&out, "}\nEOF\n");
    const char *text = out.cut ? NULL : arena_bytes(arena, out.text, out.size);
    buf_free(&out);
    return text;
}

/* Puts the elements in; `again` where they are in: at one stroke. */
static const char *elements_text(const struct NetSet sets[2], bool again, const char *timeout,
                                 struct Arena *arena)
{
    struct Buf out = BUF(NET_TEXT_MOST);
    buf_put(&out, "nft -f - <<EOF\n");
    for (int adds = again ? 0 : 1; adds < 2; adds++)
        for (size_t set = 0; set < 2; set++) {
            if (sets[set].addresses.count == 0)
                continue;
            buf_printf(&out, "%s element inet fd_$FD_ID %s { ", adds ? "add" : "delete",
                       sets[set].name);
            put_elements(&out, &sets[set], adds ? timeout : "");
            buf_put(&out, " }\n");
        }
    buf_put(&out, "EOF\n");
    const char *text = out.cut ? NULL : arena_bytes(arena, out.text, out.size);
    buf_free(&out);
    return text;
}

/* What a plan is made of, once it is known to fit. */
struct NetTexts {
    const char *apply, *renew, *beat, *wind; /* the two last of a fault that flaps; else NULL */
    const char *elements;                    /* how many */
};

static void add_steady(const struct NetTexts *texts, struct Procedure *procedure,
                       struct Arena *arena)
{
    commands_add(&procedure->in_place, arena, "the kernel still does", 10, "sh", "-c",
                 in_place_text, "in-place", texts->elements, NULL);
    commands_add(&procedure->renew, arena, "wind the kernel's timer up again", 10, "sh", "-c",
                 texts->renew, NULL);
}

/* holder_flap.sh begins the bad phases; each is ended by the kernel, at the lease's end too. */
void network_flap(const struct NetRhythm *rhythm, struct Flap flap, struct Procedure *procedure,
                  struct Arena *arena)
{
    const char *bad = arena_printf(arena, "%lld", flap.bad_ns / (NS_PER_S / 100));
    const char *good = arena_printf(arena, "%lld", flap.good_ns / (NS_PER_S / 100));
    char bad_says[32], good_says[32];
    duration_write(flap.bad_ns, bad_says);
    duration_write(flap.good_ns, good_says);
    const struct {
        struct Commands *part;
        const char *what, *verb;
        int64_t timeout_s;
    } rows[] = {
        {&procedure->apply,
         arena_printf(arena, "in a rhythm: bad for %s, good for %s", bad_says, good_says), "take",
         20},
        {&procedure->in_place, "its rhythm goes on", "held", 10},
        {&procedure->renew, "its rhythm goes on: it knows the lease", "held", 10},
        {&procedure->undo, "end the rhythm", "free", 20},
        {&procedure->all_clear, "nobody begins a bad phase", "freed", 10},
    };
    commands_add(&procedure->save, arena, "write down what a bad phase is", 10, "sh", "-c",
                 "printf %s \"$1\" >beat && printf %s \"$2\" >wind && printf %s \"$3\" >peers",
                 "save", rhythm->beat, rhythm->wind, rhythm->peers, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        commands_add(rows[i].part, arena, rows[i].what, rows[i].timeout_s, "sh", "hold",
                     rows[i].verb, "flap", "bad", bad, "good", good, "count", rhythm->count, NULL);
}

static bool texts_make(const struct NetFault *fault, const struct PlanInput *input,
                       struct Arena *arena, struct NetTexts *out)
{
    bool flaps = input->flap.bad_ns > 0;
    struct NetSet sets[2];
    sets_fill(fault, arena, sets);
    size_t elements = sets[0].addresses.count + sets[1].addresses.count;
    *out = (struct NetTexts){.apply = apply_text(fault, sets, input, arena),
                             .renew = elements_text(sets, true, lease_timeout, arena),
                             .elements = arena_printf(arena, "%zu", elements)};
    if (flaps) {
        out->beat = elements_text(sets, false, phase_timeout, arena);
        out->wind = elements_text(sets, true, phase_timeout, arena);
    }
    return elements > 0 && out->apply != NULL && out->renew != NULL &&
           (!flaps || (out->beat != NULL && out->wind != NULL));
}

bool network_plan(const struct NetFault *fault, const struct PlanInput *input, struct Arena *arena,
                  struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_KERNEL);
    struct NetTexts texts;
    if (!input->facts->nft)
        return network_chains_plan(fault, input, arena, out, err);
    if (!texts_make(fault, input, arena, &texts))
        return err_set(err, ERR_LIMIT, input->target->where,
                       "a network fault on '%s' is about %s addresses", input->target->name,
                       texts.elements);
    commands_add(&procedure.apply, arena, fault->what, 10, "sh", "-c", texts.apply, NULL);
    commands_add(&procedure.undo, arena, "delete the table", 10, "sh", "-c", undo_text, NULL);
    commands_add(&procedure.all_clear, arena, "there is no table of this fault", 10, "sh", "-c",
                 all_clear_text, NULL);
    if (input->cuts_link)
        commands_add(&procedure.apply, arena, "our own ssh goes " NET_SPARED_S " s later", 5,
                     "true", NULL);
    if (input->flap.bad_ns > 0)
        network_flap(&(struct NetRhythm){texts.beat, texts.wind, peers_text, texts.elements},
                     input->flap, &procedure, arena);
    else
        add_steady(&texts, &procedure, arena);
    procedure.cuts_link = input->cuts_link;
    *out = procedure;
    return true;
}
