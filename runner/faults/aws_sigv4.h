/* aws_sigv4.h - the words `aws_sigv4: {...}` of a request. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_FAULTS_AWS_SIGV4_H
#define FD_FAULTS_AWS_SIGV4_H

#include "../schema/decode.h"

extern const struct Record aws_sigv4_record; /* a struct AwsSigv4 */
/* Problems of the request at `node` that is to be signed: its URL, at its key `http`, and its
 * headers, of struct TextPair. */
void aws_sigv4_check_request(const struct Node *node, const char *url, const struct List *headers,
                             struct Decode *decode);

#endif
