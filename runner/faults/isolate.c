/* isolate.c - a machine that hears nobody and that nobody hears, but for our ssh. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "kinds.h"

struct IsolateConfig {
    const struct Node *target;
};

static bool isolate_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);

static const struct Field isolate_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct IsolateConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = NULL}};

const struct FaultKind isolate_fault = {
    .name = "isolate",
    .summary = "a machine hears nobody but our ssh: its loss, as if its power were cut",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_nft = true,
    .config = {.name = "isolate",
               .doc = "The loss of a machine: silence. Our ssh stays; ends by a kernel timer.",
               .size = sizeof(struct IsolateConfig),
               .fields = isolate_fields},
    .plan = isolate_plan,
};

/* The two first lines make it right to run twice. Everybody else is one element of a set, which the
 * kernel takes out by itself after FD_LEASE; prerouting at -300 stands before connection tracking,
 * so what is established is cut as well, and container traffic too. Other hosts cannot be asked to
 * drop what comes from here, so it is dropped on the way out: local UDP senders get EPERM, as they
 * would not on a dead machine. Neighbour discovery and ARP stay, or our own path would go with
 * them. */
static const char apply_text[] =
    "case $FD_PEER in *:*) ip=ip6 ;; *) ip=ip ;; esac\n"
    "in= out=\n"
    "nd=nd-router-solicit,nd-router-advert,nd-neighbor-solicit,nd-neighbor-advert\n"
    "if [ -n \"$FD_PEER\" ]; then\n"
    "    in=\"$ip saddr $FD_PEER tcp dport $FD_PORT accept\"\n"
    "    out=\"$ip daddr $FD_PEER tcp sport $FD_PORT accept\"\n"
    "fi\n"
    "nft -f - <<EOF\n"
    "add table inet fd_$FD_ID\n"
    "delete table inet fd_$FD_ID\n"
    "table inet fd_$FD_ID {\n"
    "    set all4 {\n"
    "        type ipv4_addr; flags interval,timeout\n"
    "        elements = { 0.0.0.0/0 timeout ${FD_LEASE}s }\n"
    "    }\n"
    "    set all6 {\n"
    "        type ipv6_addr; flags interval,timeout\n"
    "        elements = { ::/0 timeout ${FD_LEASE}s }\n"
    "    }\n"
    "    chain hears {\n"
    "        type filter hook prerouting priority -300; policy accept;\n"
    "        iif \"lo\" accept\n"
    "        $in\n"
    "        icmpv6 type { $nd } accept\n"
    "        ip saddr @all4 counter drop\n"
    "        ip6 saddr @all6 counter drop\n"
    "    }\n"
    "    chain says {\n"
    "        type filter hook postrouting priority 300; policy accept;\n"
    "        oif \"lo\" accept\n"
    "        $out\n"
    "        icmpv6 type { $nd } accept\n"
    "        ip daddr @all4 counter drop\n"
    "        ip6 daddr @all6 counter drop\n"
    "    }\n"
    "}\n"
    "EOF\n";

static const char undo_text[] = "nft -f - <<EOF\n"
                                "add table inet fd_$FD_ID\n"
                                "delete table inet fd_$FD_ID\n"
                                "EOF\n";

/* An element that ran out is no longer listed. */
static const char in_place_text[] =
    "nft list set inet fd_$FD_ID all4 | grep -q \"0\\.0\\.0\\.0/0 timeout\" &&\n"
    "    nft list set inet fd_$FD_ID all6 | grep -q \"::/0 timeout\"\n";

/* That nft does not answer is no proof of anything. */
static const char all_clear_text[] =
    "tables=$(nft list tables) || exit 125\n"
    "! printf \"%s\\n\" \"$tables\" | grep -qx \"table inet fd_$FD_ID\"\n";

static const char renew_text[] =
    "nft -f - <<EOF\n"
    "delete element inet fd_$FD_ID all4 { 0.0.0.0/0 }\n"
    "delete element inet fd_$FD_ID all6 { ::/0 }\n"
    "add element inet fd_$FD_ID all4 { 0.0.0.0/0 timeout ${FD_LEASE}s }\n"
    "add element inet fd_$FD_ID all6 { ::/0 timeout ${FD_LEASE}s }\n"
    "EOF\n";

static bool isolate_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    struct Procedure procedure = procedure_of(input, CLASS_KERNEL);
    (void)config;
    if (!input->facts->nft)
        return err_set(err, ERR_NOT_READY, input->target->where,
                       "nft on '%s' cannot add and delete a table", input->target->name);
    commands_add(&procedure.apply, arena, "drop all packets from and to everybody but our ssh", 10,
                 "sh", "-c", apply_text, NULL);
    commands_add(&procedure.undo, arena, "delete the table", 10, "sh", "-c", undo_text, NULL);
    commands_add(&procedure.in_place, arena, "the kernel still drops", 10, "sh", "-c",
                 in_place_text, NULL);
    commands_add(&procedure.all_clear, arena, "there is no table of this fault", 10, "sh", "-c",
                 all_clear_text, NULL);
    commands_add(&procedure.renew, arena, "wind the kernel's timer up again", 10, "sh", "-c",
                 renew_text, NULL);
    *out = procedure;
    return true;
}
