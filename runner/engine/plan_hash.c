/* plan_hash.c - the very bytes of a plan, and their hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/text.h"
#include "planner.h"

#define PLAN_TEXT_BYTES (16U << 20)

void plan_bytes(const struct Plan *plan, const char *who, struct Buf *out)
{
    const struct PlannedFault *faults = plan->faults.items;
    for (size_t at = 0; at < plan->faults.count; at++)
        if (faults[at].step->kind != NULL)
            node_plan_text(&(struct ArmInput){.procedure = &faults[at].procedure,
                                              .token = &plan->token,
                                              .number = faults[at].number,
                                              .what = fault_what(&faults[at], plan->arena),
                                              .who = who},
                           out);
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
