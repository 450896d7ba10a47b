/* cut.c - a transport that loses its link at a chosen moment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

static enum CutAt cut_when;

/* Held, so that a cut ends what lies below as a lost link does: its input is at its end. */
struct CutChannel {
    void *below;
    bool is_cut;
};

void cut_at(enum CutAt when)
{
    cut_when = when;
}

static bool lost(struct CutChannel *channel, struct Err *err)
{
    if (channel->below != NULL)
        prefix_transport.finish(channel->below);
    channel->below = NULL;
    channel->is_cut = true;
    return err_set(err, ERR_TARGET, NOWHERE, "the link was cut");
}

static void *cut_start(void *session, const char *const *argv, struct Mono deadline,
                       struct Err *err)
{
    void *below = prefix_transport.start(session, argv, deadline, err);
    if (below == NULL)
        return NULL;
    struct CutChannel *channel = mem_zero(1, sizeof *channel);
    channel->below = below;
    return channel;
}

static bool cut_write(void *data, const char *bytes, size_t size, struct Mono deadline,
                      struct Err *err)
{
    struct CutChannel *channel = data;
    if (channel->is_cut || cut_when == CUT_BEFORE_SEND)
        return lost(channel, err);
    if (cut_when == CUT_MID_SEND)
        return prefix_transport.write(channel->below, bytes, size / 2, deadline, err) &&
               lost(channel, err);
    return prefix_transport.write(channel->below, bytes, size, deadline, err);
}

static bool cut_end_input(void *data, struct Mono deadline, struct Err *err)
{
    struct CutChannel *channel = data;
    return channel->is_cut ? lost(channel, err)
                           : prefix_transport.end_input(channel->below, deadline, err);
}

static bool cut_read(void *data, struct Buf *out, bool *ended, struct Mono deadline,
                     struct Err *err)
{
    struct CutChannel *channel = data;
    if (channel->is_cut || cut_when == CUT_BEFORE_REPLY)
        return lost(channel, err);
    return prefix_transport.read(channel->below, out, ended, deadline, err);
}

static bool cut_status(void *data, int *status, struct Buf *errors, struct Mono deadline,
                       struct Err *err)
{
    struct CutChannel *channel = data;
    return channel->is_cut ? lost(channel, err)
                           : prefix_transport.status(channel->below, status, errors, deadline, err);
}

static void cut_finish(void *data)
{
    struct CutChannel *channel = data;
    if (channel->below != NULL)
        prefix_transport.finish(channel->below);
    mem_free(channel);
}

static void *cut_open(const void *config, const struct Target *target, struct Mono deadline,
                      struct Err *err)
{
    return prefix_transport.open(config, target, deadline, err);
}

static void cut_close(void *session)
{
    prefix_transport.close(session);
}

static int cut_fd(void *session)
{
    return prefix_transport.fd(session);
}

static const struct TransportKind cut_transport = {
    .name = "cut",
    .summary = "loses its link",
    .open = cut_open,
    .start = cut_start,
    .write = cut_write,
    .end_input = cut_end_input,
    .read = cut_read,
    .status = cut_status,
    .finish = cut_finish,
    .close = cut_close,
    .fd = cut_fd,
};

struct Target cut_target(const struct Space *space)
{
    struct Target target = space->target;
    target.reach = &cut_transport;
    return target;
}
