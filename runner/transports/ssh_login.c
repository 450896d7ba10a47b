/* ssh_login.c - logs in with a key of the agent or of a file; never with RSA. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "ssh.h"
#include "ssh_keys.h"

/* What the agent is asked to sign with, during one attempt. */
struct Signing {
    struct Agent *agent;
    const struct AgentKey *key;
    struct Mono deadline;
};

/* The library frees what it gets by its own free, which is the C library's. */
static int sign(LIBSSH2_SESSION *link, unsigned char **bytes, size_t *size,
                const unsigned char *data, size_t data_size, void **abstract)
{
    const struct Signing *signing = *abstract;
    struct Buf whole = BUF(data_size);
    struct Signature signature;
    (void)link;
    buf_add(&whole, (const char *)data, data_size);
    bool good = agent_sign(signing->agent, signing->key, &whole, signing->deadline, &signature);
    buf_free(&whole);
    if (good) {
        *bytes = signature.bytes;
        *size = signature.size;
    }
    return good ? 0 : -1;
}

static bool is_usable(const char *type)
{
    return text_starts(type, "ssh-ed25519") || text_starts(type, "ecdsa");
}

/* KNOWN_UNKNOWN: the connection is gone, with *err; else whether the host took the key. */
static enum Known answer(struct SshSession *session, int why, struct Err *err)
{
    if (why == 0)
        return KNOWN_YES;
    if (why != LIBSSH2_ERROR_EAGAIN && why != LIBSSH2_ERROR_SOCKET_DISCONNECT &&
        why != LIBSSH2_ERROR_SOCKET_RECV && why != LIBSSH2_ERROR_SOCKET_SEND)
        return KNOWN_NO;
    session->broken = true;
    if (why == LIBSSH2_ERROR_EAGAIN)
        err_set(err, ERR_TIMEOUT, session->target->where, "'%s' did not answer the login in time",
                session->target->name);
    else
        ssh_say(session, ERR_TARGET, "the login was cut off by", err);
    return KNOWN_UNKNOWN;
}

static enum Known try_agent_key(struct SshSession *session, struct Agent *agent,
                                const struct AgentKey *key, struct Mono deadline, struct Err *err)
{
    struct Signing signing = {.agent = agent, .key = key, .deadline = deadline};
    void *abstract = &signing;
    int why;
    while ((why = libssh2_userauth_publickey(session->link, session->way.user, key->blob, key->size,
                                             sign, &abstract)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(session, deadline))
            break;
    return answer(session, why, err);
}

static enum Known try_agent(struct SshSession *session, struct Mono deadline, struct Err *err)
{
    struct Agent *agent = agent_open(session->way.agent, deadline);
    struct List keys = {.count = 0};
    enum Known known = KNOWN_NO;
    if (agent == NULL)
        return KNOWN_NO;
    if (agent_keys(agent, deadline, session->arena, &keys)) {
        const struct AgentKey *key = keys.items;
        for (size_t i = 0; i < keys.count && known == KNOWN_NO; i++)
            if (is_usable(key[i].type))
                known = try_agent_key(session, agent, &key[i], deadline, err);
    }
    agent_close(agent);
    return known;
}

static enum Known try_file(struct SshSession *session, const char *path, struct Mono deadline,
                           struct Err *err)
{
    const char *user = session->way.user;
    int why;
    while ((why = libssh2_userauth_publickey_fromfile_ex(session->link, user,
                                                         (unsigned int)strlen(user), NULL, path,
                                                         "")) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(session, deadline))
            break;
    return answer(session, why, err);
}

static bool cannot_log_in(struct SshSession *session, const char *rsa, const struct Buf *tried,
                          struct Err *err)
{
    const struct SshWay *way = &session->way;
    if (rsa != NULL && tried->size == 0) {
        err_set(err, ERR_TARGET, session->target->where,
                "cannot log in to '%s' (%s:%s) as %s: the key %s is RSA", session->target->name,
                way->host, way->port, way->user, rsa);
        return err_hint(err,
                        "libssh2 %s signs RSA with SHA-1, which OpenSSH 8.8 and later refuse: "
                        "ssh-keygen -t ed25519 -f %s_ed25519",
                        libssh2_version(0), rsa);
    }
    err_set(err, ERR_TARGET, session->target->where, "cannot log in to '%s' (%s:%s) as %s: %s%s",
            session->target->name, way->host, way->port, way->user,
            tried->size > 0 ? "it took no key of: " : "there is no key to try", tried->text);
    return err_hint(err, "`ssh %s` must work without a question, by an ed25519 or ecdsa key.",
                    session->target->name);
}

static void note_tried(struct Buf *tried, const char *what, const char *why)
{
    if (tried->size > 0)
        buf_put(tried, ", ");
    buf_put(tried, what);
    if (why != NULL)
        buf_printf(tried, " (%s)", why);
}

bool ssh_log_in(struct SshSession *session, struct Mono deadline, struct Err *err)
{
    const char *const *paths = session->way.identities.items;
    struct Buf tried = BUF(300);
    const char *rsa = NULL, *why;
    enum Known known = KNOWN_NO;
    if (!session->way.identities_only && session->way.agent != NULL) {
        known = try_agent(session, deadline, err);
        note_tried(&tried, "the agent", NULL);
    }
    for (size_t i = 0; i < session->way.identities.count && known == KNOWN_NO; i++) {
        const char *type = ssh_key_type(paths[i], session->arena, &why);
        if (type != NULL && is_usable(type)) {
            known = try_file(session, paths[i], deadline, err);
            note_tried(&tried, paths[i], NULL);
        } else if (type != NULL && text_starts(type, "ssh-rsa")) {
            rsa = paths[i];
        } else if (strcmp(why, "No such file or directory") != 0) {
            note_tried(&tried, paths[i], type != NULL ? type : why);
        }
    }
    if (known == KNOWN_NO && session->way.identities_only && session->way.agent != NULL)
        known = try_agent(session, deadline, err);
    bool good = known == KNOWN_YES;
    if (known == KNOWN_NO)
        cannot_log_in(session, rsa, &tried, err);
    buf_free(&tried);
    return good;
}
