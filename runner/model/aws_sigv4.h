/* aws_sigv4.h - what a request to AWS is signed with. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_MODEL_AWS_SIGV4_H
#define FD_MODEL_AWS_SIGV4_H

/* Signature Version 4. The last three may be a ${secret.NAME}, and are looked up where they are
 * used; session_token is NULL where the key needs none. */
struct AwsSigv4 {
    const char *region, *service;
    const char *access_key_id, *secret_access_key, *session_token;
};

#endif
