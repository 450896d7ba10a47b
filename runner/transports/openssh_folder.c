/* openssh_folder.c - the private folder of a connection: its socket, and what ssh must keep to. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* mkdtemp */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "openssh.h"

static bool make_folder(struct OpenSsh *session, struct Err *err)
{
    const char *places[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (places[i] == NULL || places[i][0] != '/')
            continue;
        int size = snprintf(session->folder, OPENSSH_FOLDER_MOST, "%s/faildrill-XXXXXX", places[i]);
        if (size > 0 && size < OPENSSH_FOLDER_MOST && mkdtemp(session->folder) != NULL)
            return true;
    }
    session->folder[0] = '\0';
    return err_set(err, ERR_OWN, NOWHERE, "cannot make a folder for the socket of ssh: %s",
                   strerror(errno));
}

void openssh_folder_drop(struct OpenSsh *session)
{
    char path[OPENSSH_FOLDER_MOST + 16];
    if (session->folder[0] == '\0')
        return;
    snprintf(path, sizeof path, "%s/config", session->folder);
    unlink(path);
    rmdir(session->folder);
}

/* What must hold, before all that the user's files say: in ssh_config the first value counts. It is
 * a file of its own since `ssh` hands it on to the jumps. Nobody is asked, nothing is learnt. */
static const char demands[] = "Host *\n"
                              " BatchMode yes\n"
                              " StrictHostKeyChecking yes\n"
                              " UpdateHostKeys no\n"
                              " NumberOfPasswordPrompts 0\n"
                              " ConnectionAttempts 1\n"
                              " ServerAliveInterval 5\n"
                              " ServerAliveCountMax 3\n"
                              " ControlPersist no\n"
                              " ForwardAgent no\n"
                              " ForwardX11 no\n"
                              " Tunnel no\n"
                              " PermitLocalCommand no\n"
                              " RequestTTY no\n"
                              " LogLevel ERROR\n";

static bool write_config(const struct OpenSsh *session, const struct SshConfig *config,
                         struct Err *err)
{
    char path[OPENSSH_FOLDER_MOST + 16];
    const char *home = getenv("HOME");
    snprintf(path, sizeof path, "%s/config", session->folder);
    FILE *file = fopen(path, "wxe");
    bool good = file != NULL && fputs(demands, file) >= 0;
    if (good && config->config != NULL)
        good = fprintf(file, "Include \"%s\"\n", config->config) > 0;
    else if (good && home != NULL)
        good = fprintf(file, "Include \"%s/.ssh/config\"\n", home) > 0;
    if (good && config->config == NULL) /* as with `ssh -F`: then the system's is not read */
        good = fputs("Include /etc/ssh/ssh_config\n", file) >= 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good || err_set(err, ERR_OWN, NOWHERE, "cannot write '%s': %s", path, strerror(errno));
}

bool openssh_folder(struct OpenSsh *session, const struct SshConfig *config, struct Err *err)
{
    return make_folder(session, err) && write_config(session, config, err);
}
