/* ssh_via.c - hosts by SSH: the keys under `ssh:`, and who speaks it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "ssh.h"

static const struct Choice VIAS[] = {
    {"libssh2", VIA_LIBSSH2, "A connection of our own, with ed25519 and ecdsa keys."},
    {"openssh", VIA_OPENSSH,
     "The system's ssh: certificates, host CAs, hardware and RSA keys, all of ssh_config."},
    {.name = NULL},
};
static const struct Field ssh_fields[] = {
    {.name = "user",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SshConfig, user),
     .example = "drill",
     .doc = "Whom to log in as; default: as `ssh HOST` does."},
    {.name = "port",
     .type = FIELD_INT,
     .offset = offsetof(struct SshConfig, port),
     .min = 0,
     .max = 65535,
     .fallback = "0",
     .example = "2222",
     .doc = "The port of sshd; 0, the default: as `ssh HOST` does."},
    {.name = "config",
     .type = FIELD_TEXT,
     .offset = offsetof(struct SshConfig, config),
     .example = "lab/ssh_config",
     .doc = "The ssh_config to read instead of the user's."},
    {.name = "via",
     .type = FIELD_CHOICE,
     .offset = offsetof(struct SshConfig, via),
     .choices = VIAS,
     .fallback = "libssh2",
     .example = "openssh",
     .doc = "Who speaks SSH."},
    {.name = NULL}};

/* A session or a channel, with who made it. */
struct Via {
    const struct TransportKind *by;
    void *own;
};

static void *via_new(const struct TransportKind *by, void *own)
{
    if (own == NULL)
        return NULL;
    struct Via *via = mem_zero(1, sizeof *via);
    *via = (struct Via){.by = by, .own = own};
    return via;
}

static void *via_open(const void *config, const struct Target *target, struct Mono deadline,
                      struct Err *err)
{
    const struct SshConfig *ssh = config;
    const struct TransportKind *by = ssh->via == VIA_OPENSSH ? &ssh_by_openssh : &ssh_by_libssh2;
    return via_new(by, by->open(config, target, deadline, err));
}

static void *via_start(void *data, const char *const *argv, struct Mono deadline, struct Err *err)
{
    const struct Via *session = data;
    return via_new(session->by, session->by->start(session->own, argv, deadline, err));
}

static bool via_write(void *data, const char *bytes, size_t size, struct Mono deadline,
                      struct Err *err)
{
    const struct Via *channel = data;
    return channel->by->write(channel->own, bytes, size, deadline, err);
}

static bool via_end_input(void *data, struct Mono deadline, struct Err *err)
{
    const struct Via *channel = data;
    return channel->by->end_input(channel->own, deadline, err);
}

static bool via_read(void *data, struct Buf *out, bool *ended, struct Mono deadline,
                     struct Err *err)
{
    const struct Via *channel = data;
    return channel->by->read(channel->own, out, ended, deadline, err);
}

static bool via_status(void *data, int *status, struct Buf *errors, struct Mono deadline,
                       struct Err *err)
{
    const struct Via *channel = data;
    return channel->by->status(channel->own, status, errors, deadline, err);
}

static void via_finish(void *data)
{
    struct Via *channel = data;
    channel->by->finish(channel->own);
    mem_free(channel);
}

static void via_close(void *data)
{
    struct Via *session = data;
    if (session == NULL)
        return;
    session->by->close(session->own);
    mem_free(session);
}

static int via_fd(void *data)
{
    const struct Via *session = data;
    return session->by->fd(session->own);
}

static void *via_dial(void *data, const char *address, uint16_t port, struct Mono deadline,
                      struct Err *err)
{
    const struct Via *session = data;
    return via_new(session->by, session->by->dial(session->own, address, port, deadline, err));
}

static void ssh_by_hand(const void *config, const struct Target *target, struct Buf *out)
{
    const struct SshConfig *ssh = config;
    buf_put(out, "ssh ");
    if (ssh->config != NULL)
        buf_printf(out, "-F %s ", ssh->config);
    if (ssh->port != 0)
        buf_printf(out, "-p %" PRId64 " ", ssh->port);
    if (ssh->user != NULL)
        buf_printf(out, "%s@", ssh->user);
    buf_put(out, target->name);
}

const struct TransportKind ssh_transport = {
    .name = "ssh",
    .summary = "hosts by SSH, as `ssh HOST` reaches them",
    .config = {.name = "ssh",
               .doc = "The host is reached as `ssh HOST` does.",
               .size = sizeof(struct SshConfig),
               .fields = ssh_fields},
    .open = via_open,
    .start = via_start,
    .write = via_write,
    .end_input = via_end_input,
    .read = via_read,
    .status = via_status,
    .finish = via_finish,
    .close = via_close,
    .fd = via_fd,
    .dial = via_dial,
    .by_hand = ssh_by_hand,
    .address = ssh_address,
};
