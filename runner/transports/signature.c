/* signature.c - signatures by ssh-keygen -Y: made, and looked at. */
/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memfd_create */
#include "signature.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process.h"

#define WITHIN_NS (10 * NS_PER_S)

enum { OUTPUT_MAX = 16 << 10 };

/* What a command made of this input. */
struct Fed {
    int status;
    struct Buf out, errors;
};

static bool talk(struct Process *process, const char *bytes, size_t size, struct Fed *fed,
                 struct Err *err)
{
    struct Mono deadline = mono_add(mono_now(), WITHIN_NS);
    bool ended = false;
    struct Err unread; /* who ends without reading says why by its status */
    if (!process_write(process, bytes, size, deadline, &unread) && unread.code == ERR_TIMEOUT)
        return err_set(err, ERR_TIMEOUT, NOWHERE, "%s", unread.message);
    process_end_input(process);
    while (!ended)
        if (!process_read(process, &fed->out, &ended, deadline, err))
            return false;
    return process_status(process, &fed->status, &fed->errors, deadline, err);
}

static bool feed(const char *const *argv, int kept, const char *bytes, size_t size, struct Fed *fed,
                 struct Err *err)
{
    *fed = (struct Fed){.status = -1, .out = BUF(OUTPUT_MAX), .errors = BUF(OUTPUT_MAX)};
    struct Process *process = process_start_with(argv, kept, err);
    if (process == NULL)
        return false;
    bool done = talk(process, bytes, size, fed, err);
    if (!done && process_pid(process) > 0)
        kill(process_pid(process), SIGTERM);
    process_finish(process);
    return done;
}

static void fed_free(struct Fed *fed)
{
    buf_free(&fed->out);
    buf_free(&fed->errors);
}

static const char *last_line(struct Buf *text)
{
    while (text->size > 0 && strchr("\r\n", text->text[text->size - 1]) != NULL)
        text->text[--text->size] = '\0';
    const char *line = strrchr(text->text, '\n');
    return line != NULL ? line + 1 : text->text;
}

/* The status of ssh-keygen, which may open `kept`: 0 or not; -1, with *err, where it did not run to
 * its end. */
static int ask(const char *const *argv, int kept, const struct SignatureLook *look, struct Buf *out,
               struct Err *err)
{
    struct Fed fed;
    bool ran = feed(argv, kept, look->bytes, look->size, &fed, err);
    if (ran && out != NULL)
        buf_add(out, fed.out.text, fed.out.size);
    int status = ran ? fed.status : -1;
    fed_free(&fed);
    return status;
}

static enum SignatureEnd check_signer(const struct SignatureLook *look, int fd, char signer[128],
                                      struct Err *err)
{
    char list[64]; /* as it sees it itself: nobody may look into our /proc */
    struct Buf names = BUF(OUTPUT_MAX);
    snprintf(list, sizeof list, "/proc/self/fd/%d", fd);
    const char *find[] = {"ssh-keygen", "-Y", "find-principals", "-s", look->signature, "-f",
                          list,         NULL};
    int found = ask(find, fd, look, &names, err);
    snprintf(signer, 128, "%.*s", (int)strcspn(names.text, "\r\n"), names.text);
    buf_free(&names);
    if (found < 0)
        return SIGNATURE_UNASKED;
    const char *verify[] = {"ssh-keygen", "-Y", "verify", "-s", look->signature, "-f",
                            list,         "-I", signer,   "-n", look->space,     NULL};
    int good = found == 0 && signer[0] != '\0' ? ask(verify, fd, look, NULL, err) : 1;
    if (good < 0)
        return SIGNATURE_UNASKED;
    if (good == 0)
        return SIGNATURE_GOOD;
    const char *name = strrchr(look->signers, '/');
    err_set(err, ERR_REFUSED, NOWHERE, "is signed by nobody in %s",
            name != NULL ? name + 1 : look->signers);
    return SIGNATURE_FOREIGN;
}

/* The list as it was read, wherever its file stands by now. */
static enum SignatureEnd check_list(const struct SignatureLook *look, char signer[128],
                                    struct Err *err)
{
    enum SignatureEnd end = SIGNATURE_UNASKED;
    int fd = memfd_create("signers", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, look->list, look->list_size) == (ssize_t)look->list_size)
        end = check_signer(look, fd, signer, err);
    else
        err_set(err, ERR_OWN, NOWHERE, "cannot be looked at: %m");
    if (fd >= 0)
        close(fd);
    return end;
}

enum SignatureEnd signature_check(const struct SignatureLook *look, char signer[128],
                                  struct Err *err)
{
    signer[0] = '\0';
    if (access(look->signature, R_OK) != 0) {
        err_set(err, ERR_REFUSED, NOWHERE, "has no signature that can be read");
        return SIGNATURE_BROKEN;
    }
    if (look->list == NULL) {
        err_set(err, ERR_REFUSED, NOWHERE, "cannot be looked at: %s cannot be read", look->signers);
        return SIGNATURE_UNASKED;
    }
    const char *whole[] = {"ssh-keygen",    "-Y", "check-novalidate", "-s",
                           look->signature, "-n", look->space,        NULL};
    int intact = ask(whole, -1, look, NULL, err);
    if (intact < 0)
        return SIGNATURE_UNASKED;
    if (intact == 0)
        return check_list(look, signer, err);
    err_set(err, ERR_REFUSED, NOWHERE,
            "is not what was signed: it was changed, or signed for another use");
    return SIGNATURE_BROKEN;
}

bool signature_make(const char *key, const char *space, const struct Buf *text, struct Buf *out,
                    struct Err *err)
{
    const char *argv[] = {"ssh-keygen", "-Y", "sign", "-f", key, "-n", space, NULL};
    struct Fed fed;
    bool ran = feed(argv, -1, text->text, text->size, &fed, err);
    if (ran && fed.status == 0)
        buf_add(out, fed.out.text, fed.out.size);
    else if (ran)
        err_set(err, ERR_OWN, NOWHERE, "ssh-keygen cannot sign with '%s': %s", key,
                last_line(&fed.errors));
    bool made = ran && fed.status == 0;
    fed_free(&fed);
    return made;
}
