/* version.c - what this program is made of. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <amqp.h>
#include <ares.h>
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <libssh2.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <uv.h>
#include <yaml.h>

#include "../clients/mariadb.h"

static int version(struct Cli *cli);
const struct Verb verb_version = {
    .name = "version",
    .takes = "",
    .summary = "the version; with -v those of all libraries",
    .examples = "  faildrill version\n  faildrill version -v\n",
    .next = "Next: faildrill doctor",
    .run = version,
};

/* Before 1.11 libssh2 cannot sign with RSA as OpenSSH 8.8 and later want it, and lacks the answer
 * to the Terrapin attack; the transport names its methods, which keeps that one out. */
static void warn_of_libssh2(void)
{
    if (libssh2_version(0x010b00) == NULL)
        fprintf(
            stderr,
            "note: libssh2 %s cannot log in with RSA keys to OpenSSH 8.8 and later: use ed25519\n",
            libssh2_version(0));
}

static int version(struct Cli *cli)
{
    struct Buf out = BUF(4096);
    buf_put(&out, "faildrill " CLI_VERSION "\n");
    if (cli->verbose) {
        buf_printf(&out, "libssh2   %s\n", libssh2_version(0));
        buf_printf(&out, "libyaml   %s\n", yaml_get_version_string());
        buf_printf(&out, "libcurl   %s\n", curl_version());
        buf_printf(&out, "hiredis   %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
        buf_printf(&out, "librabbitmq %s\n", amqp_version());
        buf_printf(&out, "libpq     %d.%d\n", PQlibVersion() / 10000, PQlibVersion() % 10000);
        buf_printf(&out, "libmariadb %s\n", mariadb_library());
        buf_printf(&out, "libuv     %s\n", uv_version_string());
        buf_printf(&out, "c-ares    %s\n", ares_version(NULL));
        buf_printf(&out, "OpenSSL   %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
        buf_printf(&out, "jansson   %s\n", JANSSON_VERSION);
        buf_printf(&out, "SQLite    %s\n", sqlite3_libversion());
        warn_of_libssh2();
    }
    int status = cli_print(&out, 0);
    buf_free(&out);
    return status;
}
