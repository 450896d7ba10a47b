/* kinds.h - the tables of everything that comes in kinds; main.c alone names them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_KINDS_H
#define FD_MODEL_KINDS_H

#include "fault.h"
#include "probe.h"
#include "report.h"
#include "system.h"
#include "transport.h"

struct Kinds { /* each NULL-ended, in the order that people should meet them */
    const struct ProbeKind *const *probes;
    const struct FaultKind *const *faults;
    const struct SystemKind *const *systems;
    const struct TransportKind *const *transports;
    const struct ReportFormat *const *formats;
};
/* The variant sets "probe", "step", "system", "reach" for the decoder, in the arena. */
const struct VariantSet *kinds_sets(const struct Kinds *kinds, struct Arena *arena, size_t *count);
/* The probe that sends a statement, whose words a step of that name has too; NULL: there is none.
 */
const struct ProbeKind *kinds_statement(const struct Kinds *kinds);
/* A verb that a step may have: a fault kind's, or `failover`. */
bool kinds_has_verb(const struct Kinds *kinds, const char *word);
/* The kinds of file: scenario, environment, fragment, gameday, project; static. */
const struct FileKind *kinds_files(size_t *count);

#endif
