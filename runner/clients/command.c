/* command.c - a shell command on the runner's own machine, ended with all that it started. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2, memfd_create, posix_spawn_file_actions_addclosefrom_np */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/buf.h"
#include "../base/text.h"
#include "session.h"

enum { OUTPUT_MAX = 64 * 1024, CHUNK = 4096, CHUNKS = 20, GONE_WITHIN_MS = 1000 };

extern char **environ;

struct Command {
    struct Call call; /* first */
    struct Commands *commands;
    struct Command *next;
    pid_t pid;           /* 0: it never started, or was reaped */
    int out, errors;     /* -1 once closed */
    int watch;           /* pidfd: readable when it ended */
    CallDone *done;      /* NULL: nobody waits any more, only its end does */
    struct Timer *timer; /* the deadline; at once where it did not start */
    void *data;
    struct Mono started;
    struct Buf said, complaints;
    char why[120]; /* it did not start */
};

struct Commands {
    struct Loop *loop;
    struct Command *first;
};

struct CommandAnswer {
    struct Answer answer; /* first: command_errors() finds the rest from it */
    const char *errors;
};

const char *command_errors(const struct Answer *answer)
{
    return ((const struct CommandAnswer *)answer)->errors;
}

static int pidfd_of(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

const char *commands_missing(void)
{
    int fd = pidfd_of(getpid());
    if (fd < 0)
        return "this kernel has no pidfd_open (Linux 5.3)";
    close(fd);
    return NULL;
}

/* ---- the end ---- */

static void close_fd(struct Command *command, int *fd)
{
    if (*fd < 0)
        return;
    loop_watch(command->commands->loop, *fd, 0, NULL, NULL);
    close(*fd);
    *fd = -1;
}

/* Nothing of it is watched any more. */
static void leave(struct Command *command)
{
    struct Command **at = &command->commands->first;
    while (*at != command)
        at = &(*at)->next;
    *at = command->next;
    close_fd(command, &command->out);
    close_fd(command, &command->errors);
    close_fd(command, &command->watch);
    loop_timer_free(command->timer);
}

static void free_command(struct Command *command)
{
    buf_free(&command->said);
    buf_free(&command->complaints);
    mem_free(command);
}

static void kill_family(const struct Command *command)
{
    if (command->pid > 0)
        session_kill(command->pid);
}

/* Nobody waits for what it says; it stays until it is gone. */
static void abandon(struct Command *command)
{
    kill_family(command);
    command->done = NULL;
    loop_timer_free(command->timer);
    command->timer = NULL;
    close_fd(command, &command->out);
    close_fd(command, &command->errors);
    if (command->pid == 0) {
        leave(command);
        free_command(command);
    }
}

static void cancel(struct Call *base)
{
    abandon((struct Command *)base);
}

/* Takes what is there, as much as a pipe holds; closes the stream at its end. */
static void drain(struct Command *command, int *fd, struct Buf *into)
{
    char chunk[CHUNK];
    for (int n = 0; n < CHUNKS && *fd >= 0 && !into->cut; n++) {
        ssize_t got = read(*fd, chunk, sizeof(chunk));
        if (got > 0)
            buf_add(into, chunk, (size_t)got);
        else if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        else
            close_fd(command, fd);
    }
}

/* It did not end by itself. */
static void end_early(struct Command *command, enum CallEnd end, const char *why)
{
    CallDone *done = command->done;
    void *data = command->data;
    struct CommandAnswer full = {.answer = {.end = end,
                                            .bytes = why,
                                            .size = strlen(why),
                                            .peer = "",
                                            .started = command->started,
                                            .ended = mono_now()},
                                 .errors = ""};
    abandon(command);
    done(data, &full.answer);
}

static void on_timer(void *data, int events)
{
    (void)events;
    struct Command *command = data;
    char why[sizeof(command->why)];
    snprintf(why, sizeof(why), "%s", command->why);
    end_early(command, command->pid > 0 ? CALL_TIMEOUT : CALL_LOCAL, why);
}

/* False: it ended here. */
static bool take_output(struct Command *command)
{
    drain(command, &command->out, &command->said);
    drain(command, &command->errors, &command->complaints);
    if (!command->said.cut && !command->complaints.cut)
        return true;
    end_early(command, CALL_PROTOCOL, "it writes more than 64 KiB");
    return false;
}

static void on_output(void *data, int events)
{
    (void)events;
    (void)take_output(data);
}

static void on_end(void *data, int events)
{
    (void)events;
    struct Command *command = data;
    int status = 0;
    kill_family(command);
    if (command->done != NULL && !take_output(command))
        return; /* and comes again */
    if (waitpid(command->pid, &status, WNOHANG) != command->pid)
        return;
    struct CommandAnswer full = {
        .answer = {.end = CALL_ANSWERED,
                   .code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
                   .bytes = command->said.text,
                   .size = command->said.size,
                   .peer = "",
                   .started = command->started,
                   .ended = mono_now()},
        .errors = command->complaints.text};
    leave(command);
    if (command->done != NULL)
        command->done(command->data, &full.answer);
    free_command(command);
}

/* ---- the beginning ---- */

/* What a login shell has too; nothing that opens a door. */
static void pick_environment(const char *out[], size_t room)
{
    static const char *const kept[] = {
        "PATH=", "HOME=", "USER=", "LOGNAME=", "SHELL=", "LANG=", "LC_ALL=", "TZ=", "TMPDIR="};
    size_t count = 0;
    for (char **at = environ; at != NULL && *at != NULL; at++)
        for (size_t n = 0; n < COUNT_OF(kept) && count + 1 < room; n++)
            if (text_starts(*at, kept[n]))
                out[count++] = *at;
    out[count] = NULL;
}

/* Signals as a fresh process has them; a session, and with it a group, of its own. */
static int spawn(const char *const *argv, const int streams[3], pid_t *pid)
{
    const char *environment[16];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    pick_environment(environment, COUNT_OF(environment));
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    for (int n = 0; n < 3; n++)
        posix_spawn_file_actions_adddup2(&actions, streams[n], n);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    int why = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv,
                           (char *const *)environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return why;
}

/* The prober's own priority is not theirs: that of our first thread is. */
static void set_priority(pid_t pid)
{
    errno = 0;
    int usual = getpriority(PRIO_PROCESS, (id_t)getpid());
    if (usual != -1 || errno == 0)
        (void)setpriority(PRIO_PGRP, (id_t)pid, usual);
}

/* The script as a file without a name, to be read from its beginning. */
static int script_file(const char *script)
{
    size_t size = strlen(script), done = 0;
    int fd = memfd_create("faildrill", MFD_CLOEXEC);
    while (fd >= 0 && done < size) {
        ssize_t written = write(fd, script + done, size - done);
        if (written < 0 && errno != EINTR) {
            int why = errno;
            close(fd);
            errno = why;
            return -1;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* 0, or the errno; then nothing is left open. */
static int start(struct Command *command, const char *script, struct Mono deadline)
{
    char seconds[24];
    int64_t left_ns = mono_since(mono_now(), deadline);
    snprintf(seconds, sizeof(seconds), "%lld",
             (long long)(left_ns > 0 ? left_ns / NS_PER_S + 2 : 2));
    const char *const argv[] = {
        "timeout", "-s", "KILL", seconds, "sh", "-c", "s=$(cat); exec </dev/null; eval \"$s\"",
        NULL};
    int out[2] = {-1, -1}, errors[2] = {-1, -1}, in = script_file(script), why = 0;
    if (in < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0)
        why = errno;
    else
        why = spawn(argv, (const int[3]){in, out[1], errors[1]}, &command->pid);
    const int ours[] = {in, out[1], errors[1]};
    for (size_t n = 0; n < COUNT_OF(ours); n++)
        if (ours[n] >= 0)
            close(ours[n]);
    command->out = out[0];
    command->errors = errors[0];
    if (why != 0)
        return why;
    set_priority(command->pid);
    command->watch = pidfd_of(command->pid);
    return command->watch >= 0 ? 0 : errno;
}

static void listen_to(struct Command *command)
{
    struct Loop *loop = command->commands->loop;
    fcntl(command->out, F_SETFL, O_NONBLOCK);
    fcntl(command->errors, F_SETFL, O_NONBLOCK);
    loop_watch(loop, command->out, LOOP_READ, on_output, command);
    loop_watch(loop, command->errors, LOOP_READ, on_output, command);
    loop_watch(loop, command->watch, LOOP_READ, on_end, command);
}

struct Call *commands_call(struct Commands *commands, const char *script, struct Mono deadline,
                           CallDone *done, void *data)
{
    struct Command *command = mem_zero(1, sizeof(*command));
    *command = (struct Command){.call = {.cancel = cancel},
                                .commands = commands,
                                .next = commands->first,
                                .out = -1,
                                .errors = -1,
                                .watch = -1,
                                .done = done,
                                .data = data,
                                .started = mono_now(),
                                .said = BUF(OUTPUT_MAX),
                                .complaints = BUF(OUTPUT_MAX)};
    commands->first = command;
    command->timer = loop_timer(commands->loop, on_timer, command);
    int why = start(command, script, deadline);
    if (why == 0) {
        listen_to(command);
        loop_timer_at(command->timer, deadline);
        return &command->call;
    }
    if (command->pid > 0) { /* nobody could tell when it ends */
        kill_family(command);
        (void)waitpid(command->pid, NULL, 0);
        command->pid = 0;
    }
    snprintf(command->why, sizeof(command->why), "cannot start a shell (timeout, sh): %s",
             strerror(why));
    loop_timer_at(command->timer, mono_now());
    return &command->call;
}

struct Commands *commands_open(struct Loop *loop)
{
    struct Commands *commands = mem_zero(1, sizeof(*commands));
    commands->loop = loop;
    return commands;
}

size_t commands_running(const struct Commands *commands)
{
    size_t count = 0;
    for (const struct Command *at = commands->first; at != NULL; at = at->next)
        count++;
    return count;
}

void commands_close(struct Commands *commands)
{
    if (commands == NULL)
        return;
    struct Mono until = mono_add(mono_now(), GONE_WITHIN_MS * NS_PER_MS);
    for (struct Command *at = commands->first, *next = NULL; at != NULL; at = next) {
        next = at->next;
        abandon(at);
    }
    while (commands->first != NULL) {
        struct Command *command = commands->first;
        int64_t left_ns = mono_since(mono_now(), until);
        struct pollfd ended = {.fd = command->watch, .events = POLLIN};
        if (poll(&ended, 1, left_ns > 0 ? (int)(left_ns / NS_PER_MS) : 0) > 0)
            (void)waitpid(command->pid, NULL, WNOHANG);
        leave(command);
        free_command(command); /* who hangs in the kernel is reaped when we end */
    }
    mem_free(commands);
}
