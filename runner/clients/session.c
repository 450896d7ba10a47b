/* session.c - ends all processes of a session. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURNS_MAX = 20 }; /* who was killed may take a moment to be gone, and so is seen again */

static bool is_gone(pid_t pid)
{
    char path[40], text[512] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    const char *state = strrchr(text, ')'); /* its name may hold anything */
    return state != NULL && strlen(state) > 2 && strchr("ZX", state[2]) != NULL;
}

/* True where one more was there; it may have begun another before it died. */
static bool kill_once(pid_t leader)
{
    DIR *processes = opendir("/proc");
    bool found = false;
    if (processes == NULL)
        return false;
    for (const struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 1 || getsid(pid) != leader || is_gone(pid))
            continue;
        (void)kill(pid, SIGKILL);
        found = true;
    }
    (void)closedir(processes);
    return found;
}

void session_kill(pid_t leader)
{
    for (int turn = 0; turn < TURNS_MAX && kill_once(leader); turn++)
        ;
}
