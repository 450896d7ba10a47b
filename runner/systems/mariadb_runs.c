/* mariadb_runs.c - a host says itself, by a way of its own, whether MariaDB runs on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "mariadb_system.h"

/* A login takes longer than a look. */
#define WORD_NS (6 * NS_PER_S)

/* By the kernel's word, for which it needs no rights: who listens on the port; and any server at
 * all, for one that starts does not listen yet. */
static const char runs_sh[] =
    "hex=$(printf %04X \"$1\") && cat /proc/net/tcp >/dev/null || exit; "
    "tcp=\"^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F]*:0000 0A \"; "
    "if grep -qs \"$tcp\" /proc/net/tcp /proc/net/tcp6; then echo runs; exit; fi; "
    "for f in /proc/[0-9]*/comm; do read -r name <\"$f\" || continue; "
    "case $name in mariadbd|mysqld|mariadbd-safe|mysqld_safe) ;; *) continue ;; esac; "
    "grep -q '^State:.Z' \"${f%comm}status\" || { echo runs; exit; }; "
    "done 2>/dev/null; echo stopped";

void mariadb_ask_runs(struct Ask *ask, struct Mariadb *system, size_t host, AskFn *fn)
{
    char port[24];
    snprintf(port, sizeof(port), "%lld", (long long)system->config->access.port);
    const char *const argv[] = {"sh", "-c", runs_sh, "faildrill", port, NULL};
    struct AskPart *part = ask_part(ask, host, fn);
    part->call =
        remote_call(system->remote, host, argv,
                    mono_min(mono_add(mono_now(), WORD_NS), ask->deadline), ask_answered, part);
}

enum Known mariadb_runs(const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED || answer->code != 0)
        return KNOWN_UNKNOWN;
    if (text_starts(answer->bytes, "runs"))
        return KNOWN_YES;
    return text_starts(answer->bytes, "stopped") ? KNOWN_NO : KNOWN_UNKNOWN;
}
