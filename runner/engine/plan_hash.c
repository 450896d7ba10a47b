/* plan_hash.c - the very bytes of a plan, and their hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "planner.h"

#define PLAN_TEXT_BYTES (16U << 20)

const char *plan_allow(const struct Plan *plan, const struct PlannedFault *fault,
                       struct Arena *arena)
{
    return !plan->environment->node_opt_in
               ? NULL
               : arena_printf(arena, "%s %s", plan->environment->name, fault->step->kind->name);
}

struct ArmInput plan_arming(const struct Plan *plan, const struct PlannedFault *fault,
                            const char *who, struct Arena *arena)
{
    return (struct ArmInput){.procedure = &fault->procedure,
                             .token = &plan->token,
                             .number = fault->number,
                             .what = fault_what(fault, arena),
                             .who = who,
                             .allow = plan_allow(plan, fault, arena)};
}

void plan_bytes(const struct Plan *plan, const char *who, struct Buf *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++) {
        struct ArmInput input;
        if (faults[at].step->kind == NULL)
            continue;
        input = plan_arming(plan, &faults[at], who, plan->arena);
        node_plan_text(&input, out);
    }
}

/* Half of the bytes would be no promise. */
bool plan_hash_as(const struct Plan *plan, const struct Token *token, const char *who,
                  const char *version, struct PlanHashes *out, struct Err *err)
{
    struct Buf bytes = BUF(PLAN_TEXT_BYTES);
    plan_bytes(plan, who, &bytes);
    bool whole = !bytes.cut;
    if (bytes.size > 0)
        text_swap(bytes.text, plan->token.text, token->text);
    hash_hex(bytes.text, bytes.size, out->bytes);
    buf_clear(&bytes);
    buf_printf(&bytes, "%s\n%s\n%s\n%llu\n%s\n%s\n", plan->scenario->text_hash,
               plan->environment->hash, version, (unsigned long long)plan->seed, token->text,
               out->bytes);
    hash_hex(bytes.text, bytes.size, out->whole);
    buf_free(&bytes);
    return whole || err_set(err, ERR_LIMIT, NOWHERE, "the plan is more than %u MiB of commands",
                            PLAN_TEXT_BYTES >> 20);
}

bool plan_hash(struct Plan *plan, const char *who, const char *version, struct Err *err)
{
    struct PlanHashes hashes;
    if (!plan_hash_as(plan, &plan->token, who, version, &hashes, err))
        return false;
    memcpy(plan->bytes_hash, hashes.bytes, sizeof plan->bytes_hash);
    memcpy(plan->hash, hashes.whole, sizeof plan->hash);
    return true;
}
