/* plan_hash.c - the very bytes of a plan, and their hash. */
/* SPDX-License-Identifier: Apache-2.0 */
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
bool plan_hash(struct Plan *plan, const char *who, const char *version, struct Err *err)
{
    struct Buf bytes = BUF(PLAN_TEXT_BYTES);
    plan_bytes(plan, who, &bytes);
    bool whole = !bytes.cut;
    hash_hex(bytes.text, bytes.size, plan->bytes_hash);
    buf_clear(&bytes);
    buf_printf(&bytes, "%s\n%s\n%s\n%llu\n%s\n%s\n", plan->scenario->text_hash,
               plan->environment->hash, version, (unsigned long long)plan->seed, plan->token.text,
               plan->bytes_hash);
    hash_hex(bytes.text, bytes.size, plan->hash);
    buf_free(&bytes);
    return whole || err_set(err, ERR_LIMIT, NOWHERE, "the plan is more than %u MiB of commands",
                            PLAN_TEXT_BYTES >> 20);
}
