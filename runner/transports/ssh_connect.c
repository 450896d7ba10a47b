/* ssh_connect.c - a socket to the host, directly or by a jump, and the handshake on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/text.h"
#include "process.h"
#include "ssh_known.h"

/* No -etm MACs (CVE-2026-55200 reads in that branch), no CBC, no SHA-1; GCM where the library has
 * it. */
static const struct {
    int method;
    const char *names;
} methods[] = {
    {LIBSSH2_METHOD_KEX, "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
                         "ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,"
                         "diffie-hellman-group14-sha256,diffie-hellman-group-exchange-sha256"},
    {LIBSSH2_METHOD_CRYPT_CS,
     "aes128-ctr,aes256-ctr,aes192-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com"},
    {LIBSSH2_METHOD_CRYPT_SC,
     "aes128-ctr,aes256-ctr,aes192-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com"},
    {LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256,hmac-sha2-512"},
    {LIBSSH2_METHOD_MAC_SC, "hmac-sha2-256,hmac-sha2-512"},
};

static bool connect_socket(struct SshSession *session, struct Mono deadline, struct Err *err)
{
    const struct SshWay *way = &session->way;
    const char *address;
    struct addrinfo *list = NULL;
    int yes = 1, why = 0, patience_ms = 30000;
    socklen_t size = sizeof why;
    if (!ssh_way_resolve(way->host, deadline, session->arena, &address, err))
        return false;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    if (getaddrinfo(address, way->port, &hints, &list) != 0)
        return err_set(err, ERR_TARGET, session->target->where, "'%s:%s' is no address", address,
                       way->port);
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    session->fd = fd;
    if (fd < 0) {
        freeaddrinfo(list);
        return err_set(err, ERR_OWN, NOWHERE, "cannot make a socket: %s", strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
    why = connect(fd, list->ai_addr, list->ai_addrlen) == 0 ? 0 : errno;
    freeaddrinfo(list);
    if (why == EINPROGRESS) {
        if (!fd_wait(fd, POLLOUT, deadline))
            return err_set(err, ERR_TIMEOUT, session->target->where,
                           "cannot reach '%s' (%s:%s): no answer in time", session->target->name,
                           address, way->port);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
    }
    if (why != 0)
        return err_set(err, ERR_TARGET, session->target->where, "cannot reach '%s' (%s:%s): %s",
                       session->target->name, address, way->port, strerror(why));
    return true;
}

static const char *with_scheme(struct Arena *arena, const char *spec)
{
    return text_starts(spec, "ssh://") ? spec : arena_printf(arena, "ssh://%s", spec);
}

/* `ssh -W host:port` towards the last jump, by way of those before it; or the user's own command.
 */
static bool connect_jump(struct SshSession *session, const struct SshConfig *config,
                         struct Err *err)
{
    const struct SshWay *way = &session->way;
    const char *argv[16];
    size_t count = 0;
    int ends[2];
    if (way->jump != NULL) {
        const char *last = strrchr(way->jump, ',');
        argv[count++] = "ssh";
        argv[count++] = "-oBatchMode=yes";
        if (config->config != NULL) {
            argv[count++] = "-F";
            argv[count++] = config->config;
        }
        if (last != NULL) {
            argv[count++] = "-J";
            argv[count++] = arena_bytes(session->arena, way->jump, (size_t)(last - way->jump));
        }
        argv[count++] = "-W";
        argv[count++] = arena_printf(session->arena, "[%s]:%s", way->host, way->port);
        argv[count++] = "--";
        argv[count++] = with_scheme(session->arena, last != NULL ? last + 1 : way->jump);
    } else {
        argv[count++] = "sh";
        argv[count++] = "-c";
        argv[count++] = way->command;
    }
    argv[count] = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(err, ERR_OWN, NOWHERE, "cannot make a socket: %s", strerror(errno));
    session->fd = ends[0];
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    session->jump = process_on_socket(argv, ends[1], err);
    close(ends[1]);
    return session->jump != 0;
}

bool ssh_wait(struct SshSession *session, struct Mono deadline)
{
    int blocked = libssh2_session_block_directions(session->link);
    short events = 0;
    if ((blocked & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0)
        events |= POLLOUT;
    if ((blocked & LIBSSH2_SESSION_BLOCK_INBOUND) != 0 || events == 0)
        events |= POLLIN;
    return fd_wait(session->fd, events, deadline);
}

bool ssh_say(struct SshSession *session, enum ErrCode code, const char *what, struct Err *err)
{
    char *text = NULL;
    int number = libssh2_session_last_error(session->link, &text, NULL, 0);
    return err_set(err, code, session->target->where, "%s '%s': %s (libssh2 %d)", what,
                   session->target->name, text != NULL && *text != '\0' ? text : "no reason given",
                   number);
}

static bool handshake_failed(struct SshSession *session, int why, struct Err *err)
{
    const struct SshWay *way = &session->way;
    if (why == LIBSSH2_ERROR_KEX_FAILURE || why == LIBSSH2_ERROR_METHOD_NONE) {
        err_set(err, ERR_TARGET, session->target->where,
                "'%s' (%s:%s) offers no host key and ciphers that are safe here",
                session->target->name, way->host, way->port);
        return err_hint(err,
                        "libssh2 %s verifies RSA with SHA-1 only: give the host an ed25519 key "
                        "(ssh-keygen -A).",
                        libssh2_version(0));
    }
    if (way->jump != NULL || way->command != NULL)
        return err_set(err, ERR_TARGET, session->target->where, "'%s' is not behind its jump '%s'",
                       session->target->name, way->jump != NULL ? way->jump : way->command);
    return ssh_say(session, ERR_TARGET, "no SSH handshake with", err);
}

bool ssh_connect(struct SshSession *session, const char *key_types, struct Mono deadline,
                 struct Err *err)
{
    const struct SshWay *way = &session->way;
    bool jumps = way->jump != NULL || way->command != NULL;
    if (!(jumps ? connect_jump(session, session->target->reach_config, err)
                : connect_socket(session, deadline, err)))
        return false;
    session->link = libssh2_session_init();
    if (session->link == NULL)
        return err_set(err, ERR_OWN, NOWHERE, "no memory for an SSH session");
    libssh2_session_set_blocking(session->link, 0);
    libssh2_keepalive_config(session->link, 1, 5);
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (libssh2_session_method_pref(session->link, methods[i].method, methods[i].names) != 0)
            return ssh_say(session, ERR_OWN, "this libssh2 knows no safe method for", err);
    if (libssh2_session_method_pref(session->link, LIBSSH2_METHOD_HOSTKEY, key_types) != 0)
        return ssh_say(session, ERR_IDENTITY, "this libssh2 knows no key type of", err);
    int why;
    while ((why = libssh2_session_handshake(session->link, session->fd)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(session, deadline)) {
            session->broken = true;
            return err_set(err, ERR_TIMEOUT, session->target->where,
                           "'%s' (%s:%s) did not finish its SSH handshake in time",
                           session->target->name, way->host, way->port);
        }
    return why == 0 || handshake_failed(session, why, err);
}

/* shutdown, not close: the library still writes to that number until it is freed. */
void ssh_cut(struct SshSession *session)
{
    if (session->fd >= 0)
        shutdown(session->fd, SHUT_RDWR);
    if (session->link != NULL)
        libssh2_session_free(session->link);
    if (session->fd >= 0)
        close(session->fd);
    process_end(session->jump);
    session->link = NULL;
    session->fd = -1;
    session->jump = 0;
}

/* ---- Whose key it is. ---- */

static const char all_types[] =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521";

static bool known_keys(struct SshSession *session, struct List *out, struct Err *err)
{
    const struct SshWay *way = &session->way;
    const char *names[] = {way->alias != NULL ? way->alias : way->host, session->target->name};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!ssh_known_read(&way->known, names[i], way->alias != NULL && i == 0 ? "22" : way->port,
                            session->arena, out, err))
            return false;
    return true;
}

bool ssh_key_types(struct SshSession *session, const char **out, struct Err *err)
{
    struct List keys = {.count = 0};
    struct Buf types = BUF(1024);
    *out = all_types;
    if (session->target->host_key != NULL)
        return true;
    if (!known_keys(session, &keys, err))
        return false;
    const struct KnownKey *known = keys.items;
    for (size_t i = 0; i < keys.count; i++) {
        if (known[i].revoked || strstr(all_types, known[i].type) == NULL ||
            strstr(types.text, known[i].type) != NULL)
            continue;
        if (types.size > 0)
            buf_char(&types, ',');
        buf_put(&types, known[i].type);
    }
    if (types.size > 0)
        *out = arena_text(session->arena, types.text);
    buf_free(&types);
    return true;
}

static bool refuse_host(struct SshSession *session, const char *why, const char *shown,
                        struct Err *err)
{
    err_set(err, ERR_IDENTITY, session->target->where, "'%s' shows a host key that %s: %s",
            session->target->name, why, shown);
    return err_hint(err, "If that is right, `faildrill doctor --pin` shows it for review.");
}

bool ssh_check_host(struct SshSession *session, bool *other, struct Err *err)
{
    const struct Target *target = session->target;
    size_t size = 0;
    int type = 0;
    char shown[64];
    const char *blob = libssh2_session_hostkey(session->link, &size, &type);
    *other = false;
    if (blob == NULL)
        return ssh_say(session, ERR_IDENTITY, "no host key of", err);
    ssh_fingerprint((const unsigned char *)blob, size, shown);
    struct List keys = {.count = 0};
    if (!known_keys(session, &keys, err))
        return false;
    const struct KnownKey *known = keys.items;
    bool matches = false;
    for (size_t i = 0; i < keys.count; i++) {
        if (known[i].size != size || memcmp(known[i].blob, blob, size) != 0)
            continue;
        if (known[i].revoked)
            return refuse_host(session, "is revoked", shown, err);
        matches = true;
    }
    if (target->host_key != NULL) {
        *other = type == LIBSSH2_HOSTKEY_TYPE_ED25519;
        return text_equal(target->host_key, shown) ||
               refuse_host(session, "is not the pinned one", shown, err);
    }
    return matches || refuse_host(session, keys.count > 0 ? "is not the known one" : "nobody knows",
                                  shown, err);
}
