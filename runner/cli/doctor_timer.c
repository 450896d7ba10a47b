/* doctor_timer.c - `doctor --as-timer`: the same look, with what a timer's service would have. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What systemd gives to a service of `User=`; nothing else is inherited from anybody. */
static const char PATH_OF_SERVICES[] =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static char *variable(struct Arena *arena, const char *name, const char *value)
{
    return arena_printf(arena, "%s=%s", name, value != NULL ? value : "");
}

/* Where stdin is a terminal nothing must be asked there either. */
static bool close_stdin(void)
{
    int nowhere = open("/dev/null", O_RDONLY);
    bool good = nowhere >= 0 && dup2(nowhere, 0) == 0;
    if (nowhere > 0)
        close(nowhere);
    return good;
}

int doctor_as_timer(struct Cli *cli, const char *environment)
{
    struct Arena *arena = cli->arena;
    struct passwd entry, *found = NULL;
    char room[4096], where[4096];
    struct Err err;
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) != 0 || found == NULL ||
        getcwd(where, sizeof where) == NULL) {
        err_set(&err, ERR_OWN, NOWHERE, "nobody has the number %u here", (unsigned)getuid());
        return cli_fail(cli, &err);
    }
    char *environ_of_timer[] = {variable(arena, "HOME", found->pw_dir),
                                variable(arena, "USER", found->pw_name),
                                variable(arena, "LOGNAME", found->pw_name),
                                variable(arena, "SHELL", found->pw_shell),
                                arena_text(arena, PATH_OF_SERVICES),
                                variable(arena, "LANG", "C.UTF-8"),
                                NULL};
    char *arguments[] = {arena_text(arena, "faildrill"),
                         arena_text(arena, "-C"),
                         where,
                         arena_text(arena, "--no-input"),
                         arena_text(arena, "--state"),
                         arena_text(arena, cli->state),
                         arena_text(arena, "doctor"),
                         arena_text(arena, environment),
                         NULL};
    printf("as a timer's service of %s: HOME=%s, %s; no ssh agent (SSH_AUTH_SOCK), no terminal,\n"
           "no variable of this shell: keys need files, secrets `file:` or the unit's "
           "EnvironmentFile=\n",
           found->pw_name, found->pw_dir, PATH_OF_SERVICES);
    fflush(stdout);
    if (close_stdin())
        execve("/proc/self/exe", arguments, environ_of_timer);
    err_set(&err, ERR_OWN, NOWHERE, "cannot begin anew: %s", strerror(errno));
    return cli_fail(cli, &err);
}
