/* run_crash_at.c - runs a program that dies, or fails, at a system call of one of its threads. */
/* SPDX-License-Identifier: Apache-2.0 */
/* usage: run_crash_at RESULT count PROGRAM...
 *        run_crash_at RESULT THREAD CALL K ACTION PROGRAM...
 * Threads are numbered in the order in which they began, 0 is main. What happens where THREAD makes
 * the system call CALL (a number) for the K-th time, by ACTION: `kill`: the program dies before it;
 * `orphan`: our own parent dies, and the program goes on; a number: the call is not made and fails
 * with this errno; `short`: it is made with half of the bytes. `+` behind the last two: so from
 * then on. What it started is left alone. RESULT gets, of a count, a line a thread and call: THREAD
 * CALL TIMES; at the end:
 *   killed | ended STATUS HITS       and, first, the time of it: CLOCK_MONOTONIC in ns
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, CALLS = 512 };

struct Thread {
    pid_t id;
    bool failing; /* in a call that is not made */
    unsigned times[CALLS];
};
enum Action { KILL, ORPHAN, FAIL, SHORTEN };
struct Aim {
    int thread;
    unsigned long call, k; /* k 0: only count */
    enum Action action;
    int error;
    bool on;
};

static struct Thread threads[THREADS];
static int thread_count;
static unsigned hits;

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
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                   PTRACE_O_EXITKILL; /* who kills us means the program */
    if (ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options) != 0)
        fail("PTRACE_SETOPTIONS");
    return child;
}

/* Only whom we aim at stops at its system calls; counting, everybody. */
static void go_on(pid_t id, const struct Aim *aim, int signal_number)
{
    bool stops = aim->k == 0 || thread_of(id) == aim->thread;
    ptrace(stops ? PTRACE_SYSCALL : PTRACE_CONT, id, NULL, (void *)(intptr_t)signal_number);
}

/* One register of a stopped thread; it may have been killed since. */
static void put(pid_t id, size_t offset, unsigned long value)
{
    if (ptrace(PTRACE_POKEUSER, id, (void *)offset, (void *)value) != 0 && errno != ESRCH)
        fail("PTRACE_POKEUSER");
}

/* Number -1 makes no call; the answer is put in where it comes back. */
static void spoil(pid_t id, const struct Aim *aim, unsigned long bytes)
{
#ifdef __x86_64__
    /* Who tries for ever takes a processor from the other lanes. */
    if (++hits > 1000)
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    if (aim->action == SHORTEN) {
        if (bytes > 1)
            put(id, offsetof(struct user_regs_struct, rdx), bytes / 2);
        return;
    }
    put(id, offsetof(struct user_regs_struct, orig_rax), (unsigned long)-1L);
    threads[thread_of(id)].failing = true;
#else
    (void)id, (void)aim, (void)bytes;
    errno = ENOSYS;
    fail("calls fail on x86-64 alone");
#endif
}

static void come_back(pid_t id, const struct Aim *aim)
{
    struct Thread *thread = &threads[thread_of(id)];
    if (!thread->failing)
        return;
    thread->failing = false;
#ifdef __x86_64__
    put(id, offsetof(struct user_regs_struct, rax), (unsigned long)-(long)aim->error);
#else
    (void)aim;
#endif
}

/* True when this is the moment to kill. */
static bool count(pid_t id, const struct Aim *aim)
{
    struct __ptrace_syscall_info info = {0};
    void *size = (void *)sizeof info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, id, size, &info) <= 0)
        return false;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        come_back(id, aim);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= CALLS)
        return false;
    int thread = thread_of(id);
    unsigned times = ++threads[thread].times[info.entry.nr];
    bool aimed = thread == aim->thread && info.entry.nr == aim->call && aim->k > 0;
    if (!aimed || (times != aim->k && !(aim->on && times > aim->k)))
        return false;
    if (aim->action == KILL)
        return true;
    if (aim->action == ORPHAN) {
        hits++;
        kill(getppid(), SIGKILL);
        return false;
    }
    spoil(id, aim, info.entry.args[2]);
    return false;
}

/* Until the program is gone; true when it was we who ended it. */
static bool follow(pid_t program, const struct Aim *aim, int *ended)
{
    bool killed = false;
    thread_of(program);
    go_on(program, aim, 0);
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
        go_on(id, aim, signal_number);
    }
}

static struct Aim aim_of(char **argv)
{
    struct Aim aim = {.thread = (int)strtol(argv[2], NULL, 10),
                      .call = strtoul(argv[3], NULL, 10),
                      .k = strtoul(argv[4], NULL, 10),
                      .on = strchr(argv[5], '+') != NULL};
    aim.error = (int)strtol(argv[5], NULL, 10);
    aim.action = strncmp(argv[5], "short", 5) == 0 ? SHORTEN
                 : strcmp(argv[5], "orphan") == 0  ? ORPHAN
                 : aim.error > 0                   ? FAIL
                                                   : KILL;
    return aim;
}

int main(int argc, char **argv)
{
    struct Aim aim = {.k = 0};
    bool counting = argc > 3 && strcmp(argv[2], "count") == 0;
    int first = counting ? 3 : 6;
    if (argc <= first)
        return 2;
    if (!counting)
        aim = aim_of(argv);

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
    if (killed)
        fprintf(result, "killed\n");
    else
        fprintf(result, "ended %d %u\n", ended, hits);
    return fclose(result) == 0 ? 0 : 2;
}
