/* redis_alone_runs.c - a host says itself, by a way of its own, whether Redis runs on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../base/text.h"
#include "redis_alone.h"

/* A login takes longer than a look. */
#define WORD_NS (6 * NS_PER_S)

/* By the kernel's word, for which it needs no rights: who listens on the port. A Redis of another
 * network namespace, as in a container, may have the port outside of it. */
static const char runs_sh[] =
    "hex=$(printf %04X \"$1\") && cat /proc/net/tcp >/dev/null || exit; "
    "tcp=\"^ *[0-9]*: [0-9A-F]*:$hex [0-9A-F]*:0000 0A \"; "
    "if grep -qs \"$tcp\" /proc/net/tcp /proc/net/tcp6; then echo runs; exit; fi; "
    "for f in /proc/[0-9]*/comm; do read -r name <\"$f\" || continue; "
    "case $name in redis-server|valkey-server|keydb-server) ;; *) continue ;; esac; "
    "net=${f%comm}net/tcp; "
    "[ \"$net\" -ef /proc/net/tcp ] || ! [ -e \"$net\" ] || { echo runs; exit; }; "
    "done 2>/dev/null; echo stopped";

void alone_ask_host(struct Question *question, size_t host, PartFn *fn)
{
    struct Alone *system = (struct Alone *)question->system;
    char port[24];
    snprintf(port, sizeof(port), "%lld", (long long)system->redis.access->port);
    const char *const argv[] = {"sh", "-c", runs_sh, "faildrill", port, NULL};
    ask_remote(question, system->remote, &(struct PartOf){.fn = fn, .index = host}, argv,
               mono_add(mono_now(), WORD_NS));
}

enum Known alone_runs(const struct Answer *answer)
{
    if (answer->end != CALL_ANSWERED || answer->code != 0)
        return KNOWN_UNKNOWN;
    if (text_starts(answer->bytes, "runs"))
        return KNOWN_YES;
    return text_starts(answer->bytes, "stopped") ? KNOWN_NO : KNOWN_UNKNOWN;
}
