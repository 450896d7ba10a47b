/* pipes.c - what `local` and `prefix` share: a session is a list of words before every command. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "pipes.h"

#include "process.h"

struct Pipes {
    const struct List *words;
};

void *pipes_open(const struct List *words)
{
    struct Pipes *pipes = mem_zero(1, sizeof *pipes);
    pipes->words = words;
    return pipes;
}

void *pipes_start(void *session, const char *const *argv, struct Mono deadline, struct Err *err)
{
    const struct Pipes *pipes = session;
    const char *const *words = pipes->words->items;
    size_t before = pipes->words->count, count = 0;
    (void)deadline; /* posix_spawn does not wait for anybody */
    while (argv[count] != NULL)
        count++;
    const char **all = mem_zero(before + count + 1, sizeof *all);
    for (size_t i = 0; i < before; i++)
        all[i] = words[i];
    for (size_t i = 0; i < count; i++)
        all[before + i] = argv[i];
    struct Process *process = process_start(all, err);
    mem_free(all);
    return process;
}

bool pipes_write(void *channel, const char *bytes, size_t size, struct Mono deadline,
                 struct Err *err)
{
    return process_write(channel, bytes, size, deadline, err);
}

bool pipes_end_input(void *channel, struct Mono deadline, struct Err *err)
{
    (void)deadline;
    (void)err;
    return process_end_input(channel);
}

bool pipes_read(void *channel, struct Buf *out, bool *ended, struct Mono deadline, struct Err *err)
{
    return process_read(channel, out, ended, deadline, err);
}

bool pipes_status(void *channel, int *status, struct Buf *errors, struct Mono deadline,
                  struct Err *err)
{
    return process_status(channel, status, errors, deadline, err);
}

void pipes_finish(void *channel)
{
    process_finish(channel);
}

void pipes_close(void *session)
{
    mem_free(session);
}

int pipes_fd(void *session)
{
    (void)session;
    return -1;
}
