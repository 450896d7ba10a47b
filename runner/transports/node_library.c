/* node_library.c - which of the constant texts a script needs, sent with it and no others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "node_talk.h"
#include "quote.h"

static const char service_sh[] = {
#include "runner/transports/service.sh.h"
#include "runner/transports/supervisor.sh.h"
#include "runner/transports/freezer.sh.h"
    0};
/* The rest of `sh service`, behind files.sh. */
static const char over_sh[] = {
#include "runner/transports/certificate.sh.h"
#include "runner/transports/request.sh.h"
    0};
static const char holder_sh[] = {
#include "runner/systems/redis_host.sh.h"
#include "runner/transports/files.sh.h"
#include "runner/transports/holder.sh.h"
#include "runner/transports/holder_clock.sh.h"
#include "runner/transports/holder_exhaust.sh.h"
#include "runner/transports/holder_fill.sh.h"
#include "runner/transports/holder_flap.sh.h"
#include "runner/transports/holder_load.sh.h"
#include "runner/transports/holder_restart.sh.h"
#include "runner/transports/holder_pause.sh.h"
#include "runner/transports/holder_redis.sh.h"
#include "runner/transports/holder_row.sh.h"
#include "runner/transports/holder_session.sh.h"
#include "runner/transports/holder_sessions.sh.h"
#include "runner/transports/holder_setting.sh.h"
#include "runner/transports/holder_sql.sh.h"
    0};
const char pods_sh[] = {
#include "runner/transports/pods.sh.h"
    0};
const char files_sh[] = {
#include "runner/transports/files.sh.h"
    0};

static const char ask_service_sh[] = {
#include "runner/transports/ask_service.sh.h"
    0};

/* What is about more words than the library's own is sent in vain, and harms nobody. */
unsigned library_of(const char *commands)
{
    unsigned needs = 0;
    if (commands == NULL)
        return 0;
    if (strstr(commands, "sh service ") != NULL)
        needs |= LIBRARY_SERVICE;
    if (strstr(commands, "sh service file ") != NULL ||
        strstr(commands, "sh service request ") != NULL)
        needs |= LIBRARY_FILES;
    if (strstr(commands, "sh hold ") != NULL)
        needs |= LIBRARY_HOLDER;
    if (strstr(commands, "sh pods ") != NULL)
        needs |= LIBRARY_PODS;
    return needs;
}

void talk_service(struct Buf *script, bool runs)
{
    buf_put(script, node_sh);
    if (runs)
        buf_put(script, service_sh);
    buf_put(script, ask_service_sh);
}

void talk_library(struct Buf *script, unsigned needs)
{
    struct Buf service = BUF(NODE_SCRIPT_MAX);
    if ((needs & LIBRARY_SERVICE) != 0)
        buf_put(&service, service_sh);
    if ((needs & LIBRARY_FILES) != 0) {
        buf_put(&service, files_sh);
        buf_put(&service, over_sh);
    }
    quote_assignment(script, "FD_LIB", node_sh);
    quote_assignment(script, "FD_SERVICE", service.text);
    quote_assignment(script, "FD_HOLDER", (needs & LIBRARY_HOLDER) != 0 ? holder_sh : "");
    quote_assignment(script, "FD_PODS", (needs & LIBRARY_PODS) != 0 ? pods_sh : "");
    buf_put(script, "eval \"$FD_LIB\"\n");
    buf_free(&service);
}
