/* postgres_runs.c - a host says itself, by a way of its own, whether PostgreSQL runs on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "postgres.h"

/* A login takes longer than a look. */
#define WORD_NS (6 * NS_PER_S)

/* By the kernel's word, for which it needs no rights: who listens on the port, by TCP or the
 * server's own socket file. A PostgreSQL of another network namespace, as in a container, may have
 * the port outside of it. */
static const char runs_sh[] =
    "hex=$(printf %04X \"$1\") && cat /proc/net/tcp /proc/net/unix >/dev/null || exit; "
    "tcp=\"^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F]*:0000 0A \"; "
    "file=\" 00010000 .*[.]s[.]PGSQL[.]$1\\$\"; "
    "if grep -qs \"$tcp\" /proc/net/tcp /proc/net/tcp6 || grep -q \"$file\" /proc/net/unix; then "
    "echo runs; exit; fi; "
    "for f in /proc/[0-9]*/comm; do read -r name <\"$f\" || continue; "
    "case $name in postgres|postmaster) ;; *) continue ;; esac; net=${f%comm}net/unix; "
    "[ \"$net\" -ef /proc/net/unix ] || ! [ -e \"$net\" ] || { echo runs; exit; }; "
    "done 2>/dev/null; echo stopped";

void postgres_ask_host(struct Ask *ask, struct Postgres *system, size_t host, AskFn *fn)
{
    char port[24];
    snprintf(port, sizeof(port), "%lld", (long long)system->config->access.db_port);
    const char *const argv[] = {"sh", "-c", runs_sh, "faildrill", port, NULL};
    struct AskPart *part = ask_part(ask, host, fn);
    part->call =
        remote_call(system->remote, host, argv,
                    mono_min(mono_add(mono_now(), WORD_NS), ask->deadline), ask_answered, part);
}

enum Known postgres_runs(const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED || answer->code != 0)
        return KNOWN_UNKNOWN;
    if (text_starts(answer->bytes, "runs"))
        return KNOWN_YES;
    return text_starts(answer->bytes, "stopped") ? KNOWN_NO : KNOWN_UNKNOWN;
}
