/* ssh.c - hosts by libssh2: one session with several channels, each call with its deadline. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "process.h"
#include "quote.h"

#define SESSION_ARENA_MAX (4 * 1024 * 1024)
#define LINE_MAX_BYTES (128 * 1024)
#define ERRORS_MAX (64 * 1024)
#define CHUNK (16 * 1024)

struct SshChannel {
    struct SshSession *session;
    LIBSSH2_CHANNEL *channel;
    struct Buf errors;
};

/* ---- Sessions. ---- */

static void start_library(void)
{
    if (libssh2_init(0) != 0)
        bug("libssh2 does not start");
}

static void ssh_close(void *data)
{
    struct SshSession *session = data;
    if (session == NULL)
        return;
    if (session->link != NULL && !session->broken)
        (void)libssh2_session_disconnect(session->link, "done");
    ssh_cut(session);
    arena_free(session->arena);
    mem_free(session);
}

/* A fingerprint does not tell the type of its key: where ed25519 is another one, ecdsa is asked
 * for. */
static bool connect_checked(struct SshSession *session, struct Mono deadline, struct Err *err)
{
    const char *types;
    bool other = false;
    if (!ssh_key_types(session, &types, err) || !ssh_connect(session, types, deadline, err))
        return false;
    if (ssh_check_host(session, &other, err))
        return true;
    if (!other)
        return false;
    struct Err ignored;
    ssh_cut(session);
    return ssh_connect(session, "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
                       deadline, &ignored) &&
           ssh_check_host(session, &other, err);
}

static void *ssh_open(const void *config, const struct Target *target, struct Mono deadline,
                      struct Err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct SshSession *session = mem_zero(1, sizeof *session);
    pthread_once(&once, start_library);
    session->target = target;
    session->fd = -1;
    session->arena = arena_new("ssh", SESSION_ARENA_MAX);
    if (ssh_way_read(config, target, deadline, session->arena, &session->way, err) &&
        connect_checked(session, deadline, err) && ssh_log_in(session, deadline, err))
        return session;
    session->broken = true;
    ssh_close(session);
    return NULL;
}

static int ssh_fd(void *data)
{
    const struct SshSession *session = data;
    return session->fd;
}

/* ---- Channels. ---- */

/* After a time-out half-way the library holds bytes of a packet that nobody will finish. */
static bool timed_out(struct SshSession *session, const char *what, struct Err *err)
{
    session->broken = true;
    return err_set(err, ERR_TIMEOUT, session->target->where, "%s '%s': no answer in time", what,
                   session->target->name);
}

static bool is_usable(struct SshSession *session, struct Err *err)
{
    return !session->broken || err_set(err, ERR_TARGET, session->target->where,
                                       "the connection to '%s' is broken", session->target->name);
}

/* Channels whose other side had not let go when they were finished. */
static void free_left(struct SshSession *session)
{
    LIBSSH2_CHANNEL **left = session->left.items;
    size_t kept = 0;
    for (size_t i = 0; i < session->left.count; i++)
        if (libssh2_channel_free(left[i]) == LIBSSH2_ERROR_EAGAIN)
            left[kept++] = left[i];
    session->left.count = kept;
}

static void ssh_finish(void *data)
{
    struct SshChannel *channel = data;
    struct SshSession *session = channel->session;
    if (channel->channel != NULL && !session->broken &&
        libssh2_channel_free(channel->channel) == LIBSSH2_ERROR_EAGAIN)
        *(LIBSSH2_CHANNEL **)list_add(&session->left, session->arena, sizeof(LIBSSH2_CHANNEL *)) =
            channel->channel;
    buf_free(&channel->errors);
    mem_free(channel);
}

static struct SshChannel *channel_new(struct SshSession *session, LIBSSH2_CHANNEL *opened)
{
    struct SshChannel *channel = mem_zero(1, sizeof *channel);
    channel->session = session;
    channel->channel = opened;
    channel->errors = BUF(ERRORS_MAX);
    return channel;
}

static LIBSSH2_CHANNEL *open_channel(struct SshSession *session, struct Mono deadline,
                                     struct Err *err)
{
    LIBSSH2_CHANNEL *opened;
    free_left(session);
    while ((opened = libssh2_channel_open_session(session->link)) == NULL) {
        if (libssh2_session_last_errno(session->link) != LIBSSH2_ERROR_EAGAIN) {
            ssh_say(session, ERR_TARGET, "cannot open a channel to", err);
            return NULL;
        }
        if (!ssh_wait(session, deadline)) {
            timed_out(session, "cannot open a channel to", err);
            return NULL;
        }
    }
    return opened;
}

static void *ssh_start(void *data, const char *const *argv, struct Mono deadline, struct Err *err)
{
    struct SshSession *session = data;
    struct Buf line = BUF(LINE_MAX_BYTES);
    struct SshChannel *channel = NULL;
    if (!is_usable(session, err))
        return NULL;
    if (!quote_line(&line, argv) || line.cut) {
        err_set(err, ERR_OWN, NOWHERE, "a command for '%s' cannot be quoted",
                session->target->name);
        buf_free(&line);
        return NULL;
    }
    LIBSSH2_CHANNEL *opened = open_channel(session, deadline, err);
    if (opened != NULL) {
        int why;
        channel = channel_new(session, opened);
        while ((why = libssh2_channel_exec(opened, line.text)) == LIBSSH2_ERROR_EAGAIN)
            if (!ssh_wait(session, deadline))
                break;
        if (why != 0) {
            if (why == LIBSSH2_ERROR_EAGAIN)
                timed_out(session, "cannot start a command on", err);
            else
                ssh_say(session, ERR_TARGET, "cannot start a command on", err);
            ssh_finish(channel);
            channel = NULL;
        }
    }
    buf_free(&line);
    return channel;
}

static bool ssh_write(void *data, const char *bytes, size_t size, struct Mono deadline,
                      struct Err *err)
{
    struct SshChannel *channel = data;
    struct SshSession *session = channel->session;
    if (!is_usable(session, err))
        return false;
    while (size > 0) {
        ssize_t wrote = libssh2_channel_write(channel->channel, bytes, size);
        if (wrote > 0) {
            bytes += wrote;
            size -= (size_t)wrote;
        } else if (wrote != LIBSSH2_ERROR_EAGAIN && wrote != 0) {
            return ssh_say(session, ERR_TARGET, "cannot write to", err);
        } else if (!ssh_wait(session, deadline)) {
            return timed_out(session, "cannot write to", err);
        }
    }
    return true;
}

static bool ssh_end_input(void *data, struct Mono deadline, struct Err *err)
{
    struct SshChannel *channel = data;
    int why;
    if (!is_usable(channel->session, err))
        return false;
    while ((why = libssh2_channel_send_eof(channel->channel)) == LIBSSH2_ERROR_EAGAIN)
        if (!ssh_wait(channel->session, deadline))
            return timed_out(channel->session, "cannot end the input of", err);
    return why == 0 || ssh_say(channel->session, ERR_TARGET, "cannot end the input of", err);
}

/* Takes what is there of one stream; negative as the library says, EAGAIN where there is nothing.
 */
static ssize_t take(struct SshChannel *channel, int stream, struct Buf *into)
{
    char chunk[CHUNK];
    ssize_t got = libssh2_channel_read_ex(channel->channel, stream, chunk, sizeof chunk);
    if (got > 0)
        buf_add(into, chunk, (size_t)got);
    return got;
}

/* The library forgets what it could not send of this packet, and then sends nothing any more: while
 * a long script is still on its way, it waits. */
static void keep_alive(struct SshSession *session)
{
    int next = 0;
    if (fd_wait(session->fd, POLLOUT, mono_now()))
        (void)libssh2_keepalive_send(session->link, &next);
}

static bool ssh_read(void *data, struct Buf *out, bool *ended, struct Mono deadline,
                     struct Err *err)
{
    struct SshChannel *channel = data;
    struct SshSession *session = channel->session;
    if (!is_usable(session, err))
        return false;
    for (;;) {
        (void)take(channel, SSH_EXTENDED_DATA_STDERR, &channel->errors);
        ssize_t got = take(channel, 0, out);
        *ended = got <= 0 && libssh2_channel_eof(channel->channel) == 1;
        if (got > 0 || *ended)
            return true;
        if (got < 0 && got != LIBSSH2_ERROR_EAGAIN) {
            session->broken = true;
            return ssh_say(session, ERR_TARGET, "lost the connection to", err);
        }
        keep_alive(session);
        /* A read that waits leaves nothing half-way: the session stays usable. */
        struct Mono soon = mono_add(mono_now(), 5 * NS_PER_S);
        if (!ssh_wait(session, mono_min(soon, deadline)) && deadline_ms(deadline) == 0)
            return err_set(err, ERR_TIMEOUT, session->target->where, "'%s' did not answer in time",
                           session->target->name);
    }
}

static bool ssh_status(void *data, int *status, struct Buf *errors, struct Mono deadline,
                       struct Err *err)
{
    struct SshChannel *channel = data;
    int why;
    if (!is_usable(channel->session, err))
        return false;
    for (;;) {
        while (take(channel, SSH_EXTENDED_DATA_STDERR, &channel->errors) > 0) {
        }
        why = libssh2_channel_close(channel->channel);
        if (why != LIBSSH2_ERROR_EAGAIN)
            break;
        if (!ssh_wait(channel->session, deadline))
            return timed_out(channel->session, "no exit status of", err);
    }
    if (why != 0)
        return ssh_say(channel->session, ERR_TARGET, "no exit status of", err);
    char *signal_name = NULL;
    size_t size = 0;
    libssh2_channel_get_exit_signal(channel->channel, &signal_name, &size, NULL, NULL, NULL, NULL);
    *status = signal_name != NULL ? -1 : libssh2_channel_get_exit_status(channel->channel);
    if (signal_name != NULL)
        libssh2_free(channel->session->link, signal_name);
    if (errors != NULL)
        buf_add(errors, channel->errors.text, channel->errors.size);
    return true;
}

static void *ssh_dial(void *data, const char *address, uint16_t port, struct Mono deadline,
                      struct Err *err)
{
    struct SshSession *session = data;
    LIBSSH2_CHANNEL *opened;
    if (!is_usable(session, err))
        return NULL;
    free_left(session);
    while ((opened = libssh2_channel_direct_tcpip(session->link, address, port)) == NULL) {
        if (libssh2_session_last_errno(session->link) != LIBSSH2_ERROR_EAGAIN) {
            ssh_say(session, ERR_TARGET, "no connection onwards from", err);
            return NULL;
        }
        if (!ssh_wait(session, deadline)) {
            timed_out(session, "no connection onwards from", err);
            return NULL;
        }
    }
    return channel_new(session, opened);
}

const struct TransportKind ssh_by_libssh2 = {
    .name = "libssh2",
    .open = ssh_open,
    .start = ssh_start,
    .write = ssh_write,
    .end_input = ssh_end_input,
    .read = ssh_read,
    .status = ssh_status,
    .finish = ssh_finish,
    .close = ssh_close,
    .fd = ssh_fd,
    .dial = ssh_dial,
};
