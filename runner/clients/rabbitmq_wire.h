/* rabbitmq_wire.h - frames of AMQP 0-9-1, by librabbitmq's codec alone. For rabbitmq*.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_CLIENTS_RABBITMQ_WIRE_H
#define FD_CLIENTS_RABBITMQ_WIRE_H

#include <amqp.h>

#include "../base/buf.h"

/* No I/O. What a frame holds is borrowed until the next one is asked for. */
struct Wire;
struct Wire *wire_new(void);
void wire_free(struct Wire *wire); /* accepts NULL */
/* What came from the server; *size becomes what is left of it. WIRE_MORE: the rest is still to
 * come, or it was nothing to us. */
enum WireState { WIRE_MORE, WIRE_FRAME, WIRE_FAILED };
enum WireState wire_next(struct Wire *wire, const char **bytes, size_t *size, amqp_frame_t *frame);

/* Each appends to `out`, which holds WIRE_OUT_MAX. */
enum { WIRE_OUT_MAX = 64 * 1024, WIRE_FRAME_MAX = 4096 };
void wire_put_header(struct Buf *out);
/* `method`: the struct that librabbitmq has for `id`. False: it does not fit into a frame. */
bool wire_put_method(struct Buf *out, uint16_t channel, amqp_method_number_t id, void *method);
/* Behind a basic.publish: kept on disk, and gone by itself after `expires_ms`, a number. */
bool wire_put_message(struct Buf *out, uint16_t channel, const char *body, const char *expires_ms);
void wire_put_heartbeat(struct Buf *out);

#endif
