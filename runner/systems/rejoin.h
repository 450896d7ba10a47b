/* rejoin.h - how a former primary is started by a script of ours on its own host. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_SYSTEMS_REJOIN_H
#define FD_SYSTEMS_REJOIN_H

#include "../model/fault.h"

/* sh -c SCRIPT rejoin WORDS... PLACES...; all borrowed for the call but the script and `what`,
 * which the command keeps. */
struct Rejoin {
    const char *script, *what;
    const char *const *words;
    size_t word_count;
    const char *const *places; /* of those who are asked */
    size_t place_count;
    int64_t timeout_ns;
};
void rejoin_plan(const struct Rejoin *rejoin, struct Arena *arena, struct Commands *out);
/* Behind the lines with which the text of an embedded script says what the file is. */
const char *rejoin_script(const char *text);
/* The line that starts or stops the role's service; NULL: nobody knows one, and the fault says so.
 */
const char *rejoin_start_line(const struct PlanInput *input, struct Arena *arena);
const char *rejoin_stop_line(const struct PlanInput *input, struct Arena *arena);

#endif
