/* space.h - a host for tests: namespaces with rules and a /run of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TESTS_SPACE_H
#define FD_TESTS_SPACE_H

#include "../../runner/model/target.h"
#include "../../runner/transports/kinds.h"
#include "../../runner/transports/process.h"

struct Space {
    struct Target target; /* reached by the prefix transport */
    struct PrefixConfig config;
    const char *words[16];
    char pid[16];
    struct Process *process; /* the host ends when this does, or when we die */
};
/* False where this machine gives no namespaces; *why says so. */
bool space_open(struct Space *space, const char *name, const char **why);
void space_close(struct Space *space);
/* Runs a shell line on it; its exit status. `out` may be NULL. */
int space_sh(const struct Space *space, const char *line, struct Buf *out);
/* Waits until the line succeeds; false after `seconds`. */
bool space_until(const struct Space *space, const char *line, int seconds);
/* Everything that a fault may leave behind: rules, processes, files under /run. The caller frees
 * it. */
struct Buf space_fingerprint(const struct Space *space);

#endif
