/* rabbitmq_wire.c - frames of AMQP 0-9-1, by librabbitmq's codec alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbitmq_wire.h"

#include <amqp.h>
#include <limits.h>
#include <string.h>

#include "../base/arena.h"
#include "../base/err.h"

enum { HEAD = 7 /* type, channel, size */, FOOT = 1 };

struct Wire {
    amqp_connection_state_t codec; /* has no socket */
};

struct Wire *wire_new(void)
{
    struct Wire *wire = mem_zero(1, sizeof(*wire));
    wire->codec = amqp_new_connection();
    if (wire->codec == NULL)
        bug("librabbitmq has no memory");
    return wire;
}

void wire_free(struct Wire *wire)
{
    if (wire == NULL)
        return;
    (void)amqp_destroy_connection(wire->codec);
    mem_free(wire);
}

/* Frames over 64 KiB are refused by the codec. */
enum WireState wire_next(struct Wire *wire, const char **bytes, size_t *size, amqp_frame_t *frame)
{
    amqp_maybe_release_buffers(wire->codec);
    while (*size > 0) {
        size_t most = *size < INT_MAX ? *size : INT_MAX;
        int used = amqp_handle_input(wire->codec,
                                     (amqp_bytes_t){.len = most, .bytes = (char *)*bytes}, frame);
        if (used <= 0)
            return WIRE_FAILED;
        *bytes += used;
        *size -= (size_t)used;
        if (frame->frame_type != 0)
            return WIRE_FRAME;
    }
    return WIRE_MORE;
}

/* ---- what is said ---- */

void wire_put_header(struct Buf *out)
{
    static const char header[] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};
    buf_add(out, header, sizeof(header));
}

static void put_number(struct Buf *out, uint64_t number, int bytes)
{
    for (int n = bytes - 1; n >= 0; n--)
        buf_char(out, (char)(number >> (8 * n) & 0xff));
}

static void put_frame(struct Buf *out, int type, uint16_t channel, const char *load, size_t size)
{
    put_number(out, (uint64_t)type, 1);
    put_number(out, channel, 2);
    put_number(out, size, 4);
    buf_add(out, load, size);
    put_number(out, AMQP_FRAME_END, 1);
}

bool wire_put_method(struct Buf *out, uint16_t channel, amqp_method_number_t id, void *method)
{
    char load[WIRE_FRAME_MAX - HEAD - FOOT];
    for (int n = 0; n < 4; n++)
        load[n] = (char)(id >> (24 - 8 * n) & 0xff);
    int size =
        amqp_encode_method(id, method, (amqp_bytes_t){.len = sizeof(load) - 4, .bytes = load + 4});
    if (size >= 0)
        put_frame(out, AMQP_FRAME_METHOD, channel, load, (size_t)size + 4);
    explicit_bzero(load, sizeof(load));
    return size >= 0;
}

bool wire_put_message(struct Buf *out, uint16_t channel, const char *body, const char *expires_ms)
{
    enum { PERSISTENT = 2 };
    char load[WIRE_FRAME_MAX - HEAD - FOOT];
    struct Buf head = BUF(sizeof(load));
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG |
                                                    AMQP_BASIC_EXPIRATION_FLAG,
                                          .delivery_mode = PERSISTENT,
                                          .expiration = amqp_cstring_bytes(expires_ms)};
    int size = amqp_encode_properties(AMQP_BASIC_CLASS, &properties,
                                      (amqp_bytes_t){.len = sizeof(load), .bytes = load});
    size_t length = strlen(body);
    if (size < 0 || length > sizeof(load))
        return false;
    put_number(&head, AMQP_BASIC_CLASS, 2);
    put_number(&head, 0, 2);
    put_number(&head, length, 8);
    buf_add(&head, load, (size_t)size);
    put_frame(out, AMQP_FRAME_HEADER, channel, head.text, head.size);
    put_frame(out, AMQP_FRAME_BODY, channel, body, length);
    buf_free(&head);
    return true;
}

void wire_put_heartbeat(struct Buf *out)
{
    put_frame(out, AMQP_FRAME_HEARTBEAT, 0, "", 0);
}
