/* certificate.h - `ok: {certificate_days}`, of the kinds that speak TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_PROBES_CERTIFICATE_H
#define FD_PROBES_CERTIFICATE_H

#include "../runner/base/buf.h"
#include "../runner/model/probe.h"

/* The member certificate_days of a record, int64_t; below 1 = not asked. Where nobody asks,
 * it leaves no trace in the hash of a scenario. */
#define CERTIFICATE_DAYS_FIELD(record)                                                             \
    {                                                                                              \
        .name = "certificate_days", .type = FIELD_INT,                                             \
        .offset = offsetof(record, certificate_days), .flags = FIELD_UNSET, .min = 1, .max = 3650, \
        .example = "14",                                                                           \
        .doc = "For how many days more the server's certificate must be good, at least."           \
    }

/* Of an answer that is good so far: FAILED/TLS where the certificate ends before so many days are
 * over; `wrong` says when it does. */
void certificate_judge(int64_t days, struct Wall ends, struct Reply *reply, struct Buf *wrong);

#endif
