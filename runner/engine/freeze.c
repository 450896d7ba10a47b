/* freeze.c - the freeze switch, asked each second; whatever is not a plain `off` is engaged. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/buf.h"
#include "../base/text.h"
#include "../clients/http.h"

#define ASK_EVERY_NS NS_PER_S
#define ANSWER_WITHIN_NS (2 * NS_PER_S)

enum { WORD_MOST = 200 };

/* One look at a file, on a thread of its own that nobody waits for: a file server that hangs keeps
 * it for ever, and the end of a run must not hang with it. The last of both frees it. */
struct FileLook {
    atomic_int holders;
    atomic_bool done;
    char *path;
    char text[WORD_MOST];
    ssize_t size; /* -1: `why` says it */
    int why;
};
struct FreezeSwitch {
    char *at;
    struct Loop *loop;
    struct HttpClient *http; /* of a URL; NULL: a file */
    struct Call *call;
    struct FileLook *look; /* under way; a late one is let run, and no other begun */
    bool asking;
    struct Mono asked;
    enum Known engaged;
    char said[WORD_MOST];
};

static void answer(struct FreezeSwitch *freeze, bool engaged, const char *said)
{
    freeze->asking = false;
    freeze->engaged = engaged ? KNOWN_YES : KNOWN_NO;
    snprintf(freeze->said, sizeof freeze->said, "%s", said);
}

/* The word alone, with blanks around it. */
static void judge(struct FreezeSwitch *freeze, const char *bytes, size_t size)
{
    static const char BLANKS[] = " \t\r\n";
    while (size > 0 && strchr(BLANKS, bytes[size - 1]) != NULL)
        size--;
    while (size > 0 && strchr(BLANKS, bytes[0]) != NULL) {
        bytes++;
        size--;
    }
    if (size == 3 && strncasecmp(bytes, "off", 3) == 0) {
        answer(freeze, false, "off");
        return;
    }
    struct Buf text = BUF(120);
    buf_put(&text, "it says '");
    buf_visible(&text, bytes, text_whole(bytes, size < 60 ? size : 60), false);
    buf_put(&text, "', not off");
    answer(freeze, true, text.text);
    buf_free(&text);
}

static void answered(void *data, const struct Answer *got)
{
    struct FreezeSwitch *freeze = data;
    char text[80];
    freeze->call = NULL;
    if (got->end == CALL_ANSWERED && got->code == 200) {
        judge(freeze, got->bytes, got->size);
        return;
    }
    if (got->end == CALL_ANSWERED)
        snprintf(text, sizeof text, "cannot be read: it answers %d", got->code);
    else
        snprintf(text, sizeof text, "cannot be read: %s", call_end_name(got->end));
    answer(freeze, true, text);
}

static void look_release(struct FileLook *look)
{
    if (look == NULL || atomic_fetch_sub(&look->holders, 1) > 1)
        return;
    mem_free(look->path);
    mem_free(look);
}

static void *look_work(void *data)
{
    struct FileLook *look = data;
    int fd = open(look->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    look->size = fd < 0 ? -1 : read(fd, look->text, sizeof look->text);
    look->why = errno;
    if (fd >= 0)
        close(fd);
    atomic_store(&look->done, true);
    look_release(look);
    return NULL;
}

/* No signal is for it. */
static bool look_begin(struct FreezeSwitch *freeze)
{
    pthread_t thread;
    sigset_t all, before;
    struct FileLook *look = mem_zero(1, sizeof *look);
    look->path = mem_text(freeze->at);
    atomic_init(&look->holders, 2);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, look_work, look);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        look_release(look);
        look_release(look);
        return false;
    }
    pthread_detach(thread);
    freeze->look = look;
    return true;
}

static void look_done(struct FreezeSwitch *freeze)
{
    struct FileLook *look = freeze->look;
    freeze->look = NULL;
    if (freeze->asking && look->size >= 0) {
        judge(freeze, look->text, (size_t)look->size);
    } else if (freeze->asking) {
        char text[120];
        snprintf(text, sizeof text, "cannot be read: %s", strerror(look->why));
        answer(freeze, true, text);
    } /* else it came too late, which was said */
    look_release(look);
}

static void ask(struct FreezeSwitch *freeze, struct Mono now)
{
    freeze->asked = now;
    freeze->asking = true;
    if (freeze->http != NULL) {
        struct HttpRequest request = {.url = freeze->at};
        freeze->call =
            http_call(freeze->http, &request, mono_add(now, ANSWER_WITHIN_NS), answered, freeze);
    } else if (freeze->look == NULL && !look_begin(freeze)) {
        answer(freeze, true, "cannot be read: no thread for it");
    }
}

void freeze_tick(struct FreezeSwitch *freeze, struct Mono now)
{
    if (freeze->look != NULL && atomic_load(&freeze->look->done))
        look_done(freeze);
    int64_t since = mono_since(freeze->asked, now);
    if (freeze->asking && since > ANSWER_WITHIN_NS && freeze->call == NULL)
        answer(freeze, true, "cannot be read: no answer in 2 s");
    else if (!freeze->asking && since >= ASK_EVERY_NS)
        ask(freeze, now);
}

struct FreezeSwitch *freeze_open(const char *at, struct Loop *loop, struct Err *err)
{
    struct FreezeSwitch *freeze = mem_zero(1, sizeof *freeze);
    *freeze = (struct FreezeSwitch){.at = mem_text(at), .loop = loop};
    if (at[0] == '/' || (freeze->http = http_open(loop, err)) != NULL)
        return freeze;
    freeze_close(freeze);
    return NULL;
}

void freeze_close(struct FreezeSwitch *freeze)
{
    if (freeze == NULL)
        return;
    http_close(freeze->http);
    look_release(freeze->look);
    mem_free(freeze->at);
    mem_free(freeze);
}

enum Known freeze_engaged(const struct FreezeSwitch *freeze, const char **said)
{
    *said = freeze->said;
    return freeze->engaged;
}

/* ---- Once. ---- */

struct Once {
    struct FreezeSwitch *freeze;
    struct Timer *tick;
};

static void once_tick(void *data, int events)
{
    (void)events;
    struct Once *once = data;
    struct Mono now = mono_now();
    freeze_tick(once->freeze, now);
    if (once->freeze->engaged != KNOWN_UNKNOWN)
        loop_stop(once->freeze->loop);
    else
        loop_timer_at(once->tick, mono_add(now, 10 * NS_PER_MS));
}

bool freeze_is_off(const char *at, struct Loop *loop, char said[200])
{
    struct Err err = {.message = ""};
    struct Once once = {.freeze = freeze_open(at, loop, &err)};
    if (once.freeze == NULL) {
        snprintf(said, WORD_MOST, "%.199s", err.message);
        return false;
    }
    once.tick = loop_timer(loop, once_tick, &once);
    loop_timer_at(once.tick, mono_now());
    loop_run(loop);
    loop_timer_free(once.tick);
    snprintf(said, WORD_MOST, "%s", once.freeze->said);
    bool released = once.freeze->engaged == KNOWN_NO;
    freeze_close(once.freeze);
    return released;
}
