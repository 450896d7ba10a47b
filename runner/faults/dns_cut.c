/* dns_cut.c - a machine that can look up no name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"
#include "network.h"

enum { CUT_DROP, CUT_REJECT };
struct DnsCutConfig {
    const struct Node *target;
    int with;
};

static bool dns_cut_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err);

static const struct Choice ways[] = {
    {"drop", CUT_DROP, "No answer comes: clients wait for their timeouts."},
    {"reject", CUT_REJECT, "Each question is refused at once."},
    {.name = NULL},
};
static const struct Field dns_cut_fields[] = {
    {.name = "target",
     .type = FIELD_ANY,
     .offset = offsetof(struct DnsCutConfig, target),
     .flags = FIELD_SUBJECT | FIELD_REQUIRED,
     .example = "victim",
     .doc = "Which machines: the name of a target, or a target written in place."},
    {.name = "with",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct DnsCutConfig, with),
     .choices = ways,
     .fallback = "drop",
     .example = "reject",
     .doc = "Whether clients wait or are refused."},
    {.name = NULL}};

const struct FaultKind dns_cut_fault = {
    .name = "dns_cut",
    .summary = "a machine and its containers get no answer from any name server",
    .reversal = REVERSAL_UNDO,
    .may_cut_link = true,
    .needs_filter = true,
    .config = {.name = "dns_cut",
               .doc = "No name server answers, on ports 53 and 853; what is cached, in /etc/hosts "
                      "or asked over HTTPS is still known. Ends by a kernel timer.",
               .size = sizeof(struct DnsCutConfig),
               .fields = dns_cut_fields},
    .plan = dns_cut_plan,
};

/* Answers are dropped as they come in, so whoever asked notices nothing; a name server that runs
 * here still serves others. To refuse, the question itself must be met: on the way out. */
static bool dns_cut_plan(const void *config, const struct PlanInput *input, struct Arena *arena,
                         struct Procedure *out, struct Err *err)
{
    const struct DnsCutConfig *cut = config;
    const struct NetCatch answer = {.hook = NET_HEARS,
                                    .matches = {"meta l4proto { tcp, udp } th sport { 53, 853 }"},
                                    .chains_matches = "-p udp -m multiport --sports 53,853\n"
                                                      "-p tcp -m multiport --sports 53,853\n",
                                    .verdict = {.nft = "counter drop", .chains = "-j DROP"}};
    struct NetCatch question = {.hook = NET_ASKS,
                                .matches = {"meta l4proto { tcp, udp } th dport { 53, 853 }"},
                                .chains_matches = "-p udp -m multiport --dports 53,853\n"
                                                  "-p tcp -m multiport --dports 53,853\n",
                                .verdict = {.nft =
                                                "meta l4proto tcp counter reject with tcp reset\n"
                                                "counter reject with icmpx type port-unreachable",
                                            .chains = "-p tcp -j REJECT --reject-with tcp-reset\n"
                                                      "-j REJECT --reject-with $refusal",
                                            .refuses = true}};
    struct NetFault fault = {
        .what = "drop all answers of name servers", .catches = {answer}, .catch_count = 1};
    if (cut->with == CUT_REJECT) {
        fault.what = "refuse all questions to name servers";
        fault.catches[0] = question;
        question.hook = NET_FORWARDS;
        fault.catches[1] = question;
        fault.catch_count = 2;
    }
    return network_plan(&fault, input, arena, out, err);
}
