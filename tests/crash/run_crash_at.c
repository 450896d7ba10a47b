/* run_crash_at.c - runs a program and kills it at one system call of one of its threads. */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: run_crash_at RESULT count PROGRAM...
 *        run_crash_at RESULT THREAD CALL K PROGRAM...
 * Threads are numbered in the order in which they began, 0 is main. The program dies before its
 * THREAD makes the system call CALL (a number) for the K-th time. What it started is left
 * alone. RESULT gets, of a count, a line a thread and call: THREAD CALL TIMES; at the end:
 *   killed | ended STATUS       and, first, the time of it: CLOCK_MONOTONIC in ns
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, CALLS = 512 };

struct Thread {
    pid_t id;
    unsigned times[CALLS];
};
struct Aim {
    int thread;
    unsigned long call, k; /* k 0: only count */
};

static struct Thread threads[THREADS];
static int thread_count;

static void fail(const char *what)
{
    fprintf(stderr, "run_crash_at: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int thread_of(pid_t id)
{
    for (int i = 0; i < thread_count; i++)
        if (threads[i].id == id)
            return i;
    if (thread_count == THREADS)
        return THREADS - 1;
    threads[thread_count].id = id;
    return thread_count++;
}

static pid_t start(char **argv)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(argv[0], argv);
        _exit(127);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        fail("the program did not stop");
    /* Not followed: fork and vfork, so that only our own threads count. */
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options) != 0)
        fail("PTRACE_SETOPTIONS");
    return child;
}

/* True when this is the moment. */
static bool count(pid_t id, const struct Aim *aim)
{
    struct __ptrace_syscall_info info = {0};
    void *size = (void *)sizeof info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, id, size, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= CALLS)
        return false;
    int thread = thread_of(id);
    unsigned times = ++threads[thread].times[info.entry.nr];
    return times == aim->k && thread == aim->thread && info.entry.nr == aim->call;
}

/* Until the program is gone; true when it was we who ended it. */
static bool follow(pid_t program, const struct Aim *aim, int *ended)
{
    bool killed = false;
    thread_of(program);
    ptrace(PTRACE_SYSCALL, program, NULL, NULL);
    for (;;) {
        int status;
        pid_t id = waitpid(-1, &status, __WALL);
        if (id < 0)
            fail("waitpid");
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            *ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            if (id == program)
                return killed;
            continue;
        }
        int signal_number = WSTOPSIG(status);
        if (signal_number == (SIGTRAP | 0x80)) {
            if (!killed && count(id, aim)) {
                killed = true;
                kill(program, SIGKILL);
                continue;
            }
            signal_number = 0;
        } else if (status >> 16 != 0) {
            signal_number = 0; /* a thread began, or the program itself */
        } else if (signal_number == SIGSTOP) {
            thread_of(id); /* a new thread's first stop */
            signal_number = 0;
        }
        ptrace(PTRACE_SYSCALL, id, NULL, (void *)(intptr_t)signal_number);
    }
}

int main(int argc, char **argv)
{
    struct Aim aim = {.k = 0};
    bool counting = argc > 3 && strcmp(argv[2], "count") == 0;
    int first = counting ? 3 : 5;
    if (argc <= first)
        return 2;
    if (!counting)
        aim = (struct Aim){(int)strtol(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
                           strtoul(argv[4], NULL, 10)};

    int ended = 0;
    bool killed = follow(start(argv + first), &aim, &ended);

    FILE *result = fopen(argv[1], "w");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (result == NULL)
        fail(argv[1]);
    fprintf(result, "%jd\n", (intmax_t)now.tv_sec * 1000000000 + now.tv_nsec);
    for (int thread = 0; counting && thread < thread_count; thread++)
        for (int call = 0; call < CALLS; call++)
            if (threads[thread].times[call] > 0)
                fprintf(result, "%d %d %u\n", thread, call, threads[thread].times[call]);
    fprintf(result, killed ? "killed\n" : "ended %d\n", ended);
    return fclose(result) == 0 ? 0 : 2;
}
