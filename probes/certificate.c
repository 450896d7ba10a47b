/* certificate.c - `ok: {certificate_days}`, of the kinds that speak TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

/* Whole days, as people count what is left. */
void certificate_judge(int64_t days, struct Wall ends, struct Reply *reply, struct Buf *wrong)
{
    if (days < 1)
        return;
    int64_t left = (ends.ns - wall_now().ns) / DAY_NS;
    if (ends.ns == 0) {
        reply->outcome = OUTCOME_BROKEN;
        buf_put(wrong, "nobody knows when the certificate ends");
        return;
    }
    if (left >= days)
        return;
    reply->outcome = OUTCOME_FAILED;
    reply->failure = FAILURE_TLS;
    buf_printf(wrong, "the certificate ends in %lld days, not in %lld or more", (long long)left,
               (long long)days);
}
