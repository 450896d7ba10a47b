/* speaking.h - a way to a host that answers every command with the same word. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAKES_SPEAKING_H
#define FD_FAKES_SPEAKING_H

#include "../../runner/model/transport.h"

/* As a host whose database is stopped, or one that knows no command of ours. */
struct Word {
    const char *said;
    int status;
};

static void *word_open(const void *config, const struct Target *target, struct Mono deadline,
                       struct Err *err)
{
    (void)target, (void)deadline, (void)err;
    return (void *)(uintptr_t)config;
}

static void *word_start(void *session, const char *const *argv, struct Mono deadline,
                        struct Err *err)
{
    (void)argv, (void)deadline, (void)err;
    return session;
}

static bool word_end_input(void *channel, struct Mono deadline, struct Err *err)
{
    (void)channel, (void)deadline, (void)err;
    return true;
}

static bool word_read(void *channel, struct Buf *out, bool *ended, struct Mono deadline,
                      struct Err *err)
{
    (void)deadline, (void)err;
    buf_put(out, ((const struct Word *)channel)->said);
    *ended = true;
    return true;
}

static bool word_status(void *channel, int *status, struct Buf *errors, struct Mono deadline,
                        struct Err *err)
{
    (void)errors, (void)deadline, (void)err;
    *status = ((const struct Word *)channel)->status;
    return true;
}

static void word_finish(void *channel)
{
    (void)channel;
}

static const struct TransportKind speaking = {.name = "speaking",
                                              .open = word_open,
                                              .start = word_start,
                                              .end_input = word_end_input,
                                              .read = word_read,
                                              .status = word_status,
                                              .finish = word_finish,
                                              .close = word_finish};
static const struct Word stopped = {.said = "stopped\n"}, strange = {.said = "", .status = 126};

#endif
