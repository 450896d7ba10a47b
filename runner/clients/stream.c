/* stream.c - a connection, plain or TLS, for clients that speak a protocol of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../base/arena.h"
#include "dial.h"
#include "tcp.h"

enum { WIRE_MAX = 1024 * 1024, PLAIN_MAX = 1024 * 1024, READ_SIZE = 16 * 1024 };

struct Stream {
    struct StreamInput input;
    struct Dial *dial;   /* until it is connected */
    struct Timer *timer; /* the handshake's deadline */
    struct Tls *tls;
    char *name; /* whose certificate it must be */
    int fd;     /* -1 before it is connected */
    bool open;
    struct Buf wire, plain; /* to be sent; said by TLS */
    char peer[48];
    bool *gone; /* of the function of ours that is running: set by stream_close() */
};

static void release(struct Stream *stream)
{
    if (stream->dial != NULL)
        dial_cancel(stream->dial);
    if (stream->fd >= 0) {
        loop_watch(stream->input.loop, stream->fd, 0, NULL, NULL);
        tcp_close_by_reset(stream->fd);
    }
    if (stream->gone != NULL)
        *stream->gone = true;
    loop_timer_free(stream->timer);
    tls_free(stream->tls);
    buf_free(&stream->wire);
    buf_free(&stream->plain);
    mem_free(stream->name);
    mem_free(stream);
}

void stream_close(struct Stream *stream)
{
    if (stream != NULL)
        release(stream);
}

static void end(struct Stream *stream, enum CallEnd how, int code, const char *why)
{
    struct StreamInput input = stream->input;
    char text[160];
    snprintf(text, sizeof(text), "%.159s", why);
    stream->dial = NULL; /* it ended, if this came from it */
    release(stream);
    input.ended(input.data, how, code, text);
}

static void on_ready(void *data, int events);

/* Sends what there is; what fails to be sent shows when it is read from. */
static void flush(struct Stream *stream)
{
    size_t sent = 0;
    while (sent < stream->wire.size) {
        ssize_t n =
            send(stream->fd, stream->wire.text + sent, stream->wire.size - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    size_t left = stream->wire.size - sent;
    if (sent > 0 && left > 0)
        memmove(stream->wire.text, stream->wire.text + sent, left);
    stream->wire.size = left;
    loop_watch(stream->input.loop, stream->fd, left > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ,
               on_ready, stream);
}

/* False: the stream is gone. */
static bool say_opened(struct Stream *stream)
{
    bool gone = false;
    stream->open = true;
    loop_timer_free(stream->timer);
    stream->timer = NULL;
    stream->gone = &gone;
    stream->input.opened(stream->input.data, stream->peer);
    if (!gone)
        stream->gone = NULL;
    return !gone;
}

static bool say_bytes(struct Stream *stream, const char *bytes, size_t size)
{
    bool gone = false;
    stream->gone = &gone;
    stream->input.bytes(stream->input.data, bytes, size);
    if (!gone)
        stream->gone = NULL;
    return !gone;
}

static void feed_tls(struct Stream *stream, const char *bytes, size_t size)
{
    buf_clear(&stream->plain);
    enum TlsState state = tls_feed(stream->tls, bytes, size, &stream->plain, &stream->wire);
    flush(stream);
    if (state == TLS_FAILED) {
        end(stream, CALL_TLS, 0, tls_why(stream->tls));
        return;
    }
    if (!stream->open && state == TLS_OPEN && !say_opened(stream))
        return;
    if (stream->plain.size > 0 && !say_bytes(stream, stream->plain.text, stream->plain.size))
        return;
    if (state == TLS_ENDED)
        end(stream, CALL_RESET, 0, "");
}

static void on_ready(void *data, int events)
{
    struct Stream *stream = data;
    if ((events & LOOP_WRITE) != 0 && stream->wire.size > 0)
        flush(stream);
    if ((events & LOOP_READ) == 0)
        return;
    char bytes[READ_SIZE];
    ssize_t got = recv(stream->fd, bytes, sizeof(bytes), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    int code = got < 0 ? errno : 0;
    if (got < 0 && tcp_end_of_errno(code) == CALL_TIMEOUT)
        end(stream, CALL_TIMEOUT, code, "");
    else if (got <= 0)
        end(stream, !stream->open && stream->tls != NULL ? CALL_TLS : CALL_RESET, code, "");
    else if (stream->tls != NULL)
        feed_tls(stream, bytes, (size_t)got);
    else
        (void)say_bytes(stream, bytes, (size_t)got);
}

static void on_deadline(void *data, int events)
{
    (void)events;
    end(data, CALL_TIMEOUT, 0, "");
}

static void on_dialled(void *data, const struct Dialled *dialled)
{
    struct Stream *stream = data;
    if (dialled->end != CALL_ANSWERED) {
        end(stream, dialled->end, dialled->code, dialled->why);
        return;
    }
    stream->dial = NULL;
    stream->fd = dialled->fd;
    snprintf(stream->peer, sizeof(stream->peer), "%s", dialled->peer);
    loop_watch(stream->input.loop, stream->fd, LOOP_READ, on_ready, stream);
    if (stream->name == NULL) {
        (void)say_opened(stream);
        return;
    }
    stream->tls = tls_new(stream->input.trust, stream->name);
    stream->timer = loop_timer(stream->input.loop, on_deadline, stream);
    loop_timer_at(stream->timer, stream->input.deadline);
    feed_tls(stream, "", 0);
}

struct Stream *stream_open(const struct StreamInput *input)
{
    struct Stream *stream = mem_zero(1, sizeof(*stream));
    *stream =
        (struct Stream){.input = *input, .fd = -1, .wire = BUF(WIRE_MAX), .plain = BUF(PLAIN_MAX)};
    if (input->endpoint->tls)
        stream->name = mem_text(input->name != NULL ? input->name : input->endpoint->host);
    stream->dial = dial_begin(input->loop, input->endpoint, input->deadline, on_dialled, stream);
    stream->input.endpoint = NULL;
    stream->input.name = NULL;
    return stream;
}

void stream_send(struct Stream *stream, const char *bytes, size_t size)
{
    if (stream->tls != NULL)
        (void)tls_say(stream->tls, bytes, size, &stream->wire);
    else
        buf_add(&stream->wire, bytes, size);
    if (stream->wire.cut) /* a peer that takes nothing; half a command must not be sent */
        (void)shutdown(stream->fd, SHUT_RDWR);
    flush(stream);
}

bool stream_connected(const struct Stream *stream)
{
    return stream->fd >= 0;
}

struct Wall stream_certificate_ends(const struct Stream *stream)
{
    return tls_certificate_ends(stream->tls);
}
