/* process.c - a child process with pipes, each call with its deadline. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2, POSIX_SPAWN_SETSID */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../io/worker.h"

#define ERRORS_MAX (64 * 1024)
#define CHUNK (16 * 1024)
#define ASKED_EVERY_MS 250 /* worker_dropped */

extern char **environ;

struct Process {
    pid_t pid;           /* 0 once reaped */
    int in, out, errors; /* -1 once closed */
    int watch;           /* pidfd, readable when it ended; -1 where the kernel has none */
    int status;
    struct Buf said; /* its standard error */
};

int deadline_ms(struct Mono deadline)
{
    int64_t left = mono_since(mono_now(), deadline);
    if (left <= 0 || worker_dropped())
        return 0;
    left = (left + NS_PER_MS - 1) / NS_PER_MS;
    int most = worker_is_here() ? ASKED_EVERY_MS : INT_MAX;
    return left > most ? most : (int)left;
}

bool fd_wait(int fd, short events, struct Mono deadline)
{
    for (;;) {
        struct pollfd poller = {.fd = fd, .events = events};
        int ready = poll(&poller, 1, deadline_ms(deadline));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return true; /* the call that follows says why */
        if (ready == 0 && deadline_ms(deadline) == 0)
            return false;
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Signals as a fresh process has them, whatever mask our thread has; a session of its own. The last
 * of the streams is kept under its own number: a dup2 onto itself only takes O_CLOEXEC away. */
static bool spawn(const char *const *argv, const int streams[4], pid_t *pid, struct Err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    for (int i = 0; i < 4; i++)
        if (streams[i] >= 0)
            posix_spawn_file_actions_adddup2(&actions, streams[i], i < 3 ? i : streams[i]);
    int why = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (why != 0)
        return err_set(err, ERR_TARGET, NOWHERE, "cannot start '%s': %s", argv[0], strerror(why));
    return true;
}

static void process_close(struct Process *process)
{
    close_fd(&process->in);
    close_fd(&process->out);
    close_fd(&process->errors);
    close_fd(&process->watch);
    buf_free(&process->said);
    mem_free(process);
}

struct Process *process_start(const char *const *argv, struct Err *err)
{
    return process_start_with(argv, -1, err);
}

struct Process *process_start_with(const char *const *argv, int kept, struct Err *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
    struct Process *process = mem_zero(1, sizeof *process);
    *process =
        (struct Process){.in = -1, .out = -1, .errors = -1, .watch = -1, .said = BUF(ERRORS_MAX)};
    bool started = false;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0)
        err_set(err, ERR_OWN, NOWHERE, "cannot make a pipe: %s", strerror(errno));
    else
        started = spawn(argv, (const int[4]){in[0], out[1], errors[1], kept}, &process->pid, err);
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&errors[1]);
    process->in = in[1];
    process->out = out[0];
    process->errors = errors[0];
    if (!started) {
        process_close(process);
        return NULL;
    }
    fcntl(process->in, F_SETFL, O_NONBLOCK);
    fcntl(process->out, F_SETFL, O_NONBLOCK);
    fcntl(process->errors, F_SETFL, O_NONBLOCK);
    process->watch = (int)syscall(SYS_pidfd_open, process->pid, 0);
    return process;
}

/* write(2) on a pipe that nobody reads raises SIGPIPE: held back, and taken where it was ours. */
static ssize_t write_quietly(int fd, const char *bytes, size_t size)
{
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t written = write(fd, bytes, size);
    int why = errno;
    if (written < 0 && why == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return written;
}

bool process_write(struct Process *process, const char *bytes, size_t size, struct Mono deadline,
                   struct Err *err)
{
    while (size > 0) {
        ssize_t written = process->in < 0 ? -1 : write_quietly(process->in, bytes, size);
        if (written >= 0) {
            bytes += written;
            size -= (size_t)written;
        } else if (process->in < 0 || errno == EPIPE) {
            return err_set(err, ERR_TARGET, NOWHERE, "the command reads no more");
        } else if (errno != EAGAIN && errno != EINTR) {
            return err_set(err, ERR_OWN, NOWHERE, "cannot write to the command: %s",
                           strerror(errno));
        } else if (!fd_wait(process->in, POLLOUT, deadline)) {
            return err_set(err, ERR_TIMEOUT, NOWHERE, "the command does not read its input");
        }
    }
    return true;
}

bool process_end_input(struct Process *process)
{
    close_fd(&process->in);
    return true;
}

/* Takes what is there; closes the stream at its end. True where anything came. */
static bool drain(int *fd, struct Buf *into)
{
    char chunk[CHUNK];
    ssize_t got = *fd < 0 ? 0 : read(*fd, chunk, sizeof chunk);
    if (got > 0)
        buf_add(into, chunk, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    return got > 0;
}

bool process_read(struct Process *process, struct Buf *out, bool *ended, struct Mono deadline,
                  struct Err *err)
{
    for (;;) {
        drain(&process->errors, &process->said);
        *ended = false;
        if (drain(&process->out, out))
            return true;
        if (process->out < 0) {
            *ended = true;
            return true;
        }
        struct pollfd pollers[] = {{.fd = process->out, .events = POLLIN},
                                   {.fd = process->errors, .events = POLLIN}};
        int left = deadline_ms(deadline);
        if (poll(pollers, 2, left) == 0 && deadline_ms(deadline) == 0)
            return err_set(err, ERR_TIMEOUT, NOWHERE, "the command did not answer in time");
    }
}

static bool reap(struct Process *process)
{
    if (process->pid != 0 && waitpid(process->pid, &process->status, WNOHANG) == process->pid)
        process->pid = 0;
    return process->pid == 0;
}

bool process_status(struct Process *process, int *status, struct Buf *errors, struct Mono deadline,
                    struct Err *err)
{
    while (!reap(process)) {
        while (drain(&process->errors, &process->said)) {
        }
        struct Mono soon = mono_add(mono_now(), 5 * NS_PER_MS);
        if (process->watch >= 0) { /* its errors may fill the pipe meanwhile */
            struct pollfd pollers[] = {{.fd = process->watch, .events = POLLIN},
                                       {.fd = process->errors, .events = POLLIN}};
            (void)poll(pollers, 2, deadline_ms(deadline));
        } else {
            (void)poll(NULL, 0, deadline_ms(mono_min(soon, deadline)));
        }
        if (deadline_ms(deadline) == 0 && !reap(process))
            return err_set(err, ERR_TIMEOUT, NOWHERE, "the command did not end in time");
    }
    while (drain(&process->errors, &process->said)) {
    }
    *status = WIFEXITED(process->status) ? WEXITSTATUS(process->status) : -1;
    if (errors != NULL)
        buf_add(errors, process->said.text, process->said.size);
    return true;
}

static void *reap_later(void *data)
{
    pid_t pid = (pid_t)(intptr_t)data;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return NULL;
}

/* A thread that waits for one child: nobody else may wait for our children in their stead. */
static void reap_detached(pid_t pid)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (waitpid(pid, NULL, WNOHANG) == pid)
        return;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN + 16 * 1024);
    (void)pthread_create(&thread, &attributes, reap_later, (void *)(intptr_t)pid);
    pthread_attr_destroy(&attributes);
}

pid_t process_pid(const struct Process *process)
{
    return process->pid;
}

bool process_runs(struct Process *process)
{
    return !reap(process);
}

int process_hears(const struct Process *process)
{
    return process->out;
}

void process_finish(struct Process *process)
{
    if (process == NULL)
        return;
    close_fd(&process->in);
    close_fd(&process->out);
    if (!reap(process))
        reap_detached(process->pid);
    process_close(process);
}

pid_t process_on_socket(const char *const *argv, int fd, struct Err *err)
{
    pid_t pid = 0;
    return spawn(argv, (const int[4]){fd, fd, -1, -1}, &pid, err) ? pid : 0;
}

void process_end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    reap_detached(pid);
}

bool process_output(const char *const *argv, struct Buf *out, struct Mono deadline, struct Err *err)
{
    struct Process *process = process_start(argv, err);
    struct Buf errors = BUF(ERRORS_MAX);
    bool ended = false, done = false;
    int status = -1;
    if (process == NULL)
        return false;
    process_end_input(process);
    while (!ended)
        if (!process_read(process, out, &ended, deadline, err))
            goto out;
    if (!process_status(process, &status, &errors, deadline, err))
        goto out;
    done = status == 0;
    if (!done)
        err_set(err, ERR_TARGET, NOWHERE, "'%s' ended with status %d: %.*s", argv[0], status,
                (int)strcspn(errors.text, "\r\n"), errors.text);
out:
    if (!done && process->pid != 0)
        kill(process->pid, SIGTERM);
    buf_free(&errors);
    process_finish(process);
    return done;
}
