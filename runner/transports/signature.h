/* signature.h - signatures by ssh-keygen: who signed these bytes, and may they. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_TRANSPORTS_SIGNATURE_H
#define FD_TRANSPORTS_SIGNATURE_H

#include "../base/buf.h"
#include "../base/err.h"

/* Blocking, ten seconds at most. `space` keeps a signature for one use from counting for another:
 * "faildrill" for plans, "faildrill-receipt" for receipts. */
enum SignatureEnd {
    SIGNATURE_GOOD,
    SIGNATURE_BROKEN,  /* it is not of these bytes, or not for this use */
    SIGNATURE_FOREIGN, /* by a key that is not in the list, or no longer counts there */
    SIGNATURE_UNASKED  /* ssh-keygen or a file could not be used: *err */
};
struct SignatureLook {
    const char *signers; /* a file's name, for people; NULL list: it could not be read */
    const char *list;    /* what ssh-keygen(1) calls ALLOWED SIGNERS: NAME KEYTYPE KEY a line */
    size_t list_size;
    const char *space;
    const char *signature; /* its file */
    const char *bytes;
    size_t size;
};
/* `signer` gets the name in the list; any but GOOD fills *err with a sentence that ends
 * "the receipt ...": what became of it. */
enum SignatureEnd signature_check(const struct SignatureLook *look, char signer[128],
                                  struct Err *err) MUST_CHECK;
/* Signs by the private key in this file, or by the agent where it is a public one. */
bool signature_make(const char *key, const char *space, const struct Buf *text, struct Buf *out,
                    struct Err *err) MUST_CHECK;

#endif
