/* keyscan.c - the key that a host offers now, for people to compare; nobody logs in. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "keyscan.h"

#include <string.h>

#include "../base/text.h"
#include "process.h"
#include "ssh_config.h"
#include "ssh_known.h"

enum { ANSWER_MOST = 64 * 1024 };

/* "address type base64" of the best type that there is: ed25519 before ecdsa. */
static const char *best_line(char *answer)
{
    const char *best = NULL;
    char *save = NULL;
    for (char *line = strtok_r(answer, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        const char *type = strchr(line, ' ');
        if (line[0] == '#' || type == NULL)
            continue;
        if (text_starts(type + 1, "ssh-ed25519 "))
            return line;
        if (best == NULL && text_starts(type + 1, "ecdsa-"))
            best = line;
    }
    return best;
}

static bool is_known(const struct SshWay *way, const unsigned char *blob, size_t size,
                     struct Arena *arena)
{
    struct List keys = {.items = NULL};
    struct Err ignored;
    const char *name = way->alias != NULL ? way->alias : way->host;
    if (!ssh_known_read(&way->known, name, way->port, arena, &keys, &ignored))
        return false;
    const struct KnownKey *key = keys.items;
    for (size_t at = 0; at < keys.count; at++)
        if (!key[at].revoked && key[at].size == size && memcmp(key[at].blob, blob, size) == 0)
            return true;
    return false;
}

bool keyscan(const struct Target *target, struct Mono deadline, struct Arena *arena,
             struct OfferedKey *out, struct Err *err)
{
    struct SshWay way = {0};
    struct Buf answer = BUF(ANSWER_MOST);
    size_t size = 0;
    if (!text_equal(target->reach->name, "ssh"))
        return err_set(err, ERR_TARGET, NOWHERE, "it is not reached by ssh");
    if (!ssh_way_read(target->reach_config, target, deadline, arena, &way, err))
        return false;
    if (way.jump != NULL || way.command != NULL)
        return err_set(err, ERR_TARGET, NOWHERE,
                       "its way leads over another host: run ssh-keyscan %s there", way.host);
    const char *const argv[] = {"ssh-keyscan",   "-T", "5",      "-p", way.port, "-t",
                                "ed25519,ecdsa", "--", way.host, NULL};
    bool good = process_output(argv, &answer, deadline, err);
    const char *line = good ? best_line(answer.text) : NULL;
    const char *body = line != NULL ? strrchr(line, ' ') : NULL;
    const unsigned char *blob = body != NULL ? base64_bytes(body + 1, arena, &size) : NULL;
    if (blob != NULL) {
        ssh_fingerprint(blob, size, out->fingerprint);
        out->is_known = is_known(&way, blob, size, arena);
    } else if (good) {
        err_set(err, ERR_TARGET, NOWHERE, "it offers no ed25519 or ecdsa key");
    }
    buf_free(&answer);
    return blob != NULL;
}
