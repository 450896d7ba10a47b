/* cluster_nodes.c - what CLUSTER NODES says, as rows. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the next word of a line; an empty one at its end. */
static size_t next_word(const char **at, const char *end, const char **word)
{
    while (*at < end && **at == ' ')
        (*at)++;
    *word = *at;
    while (*at < end && **at != ' ')
        (*at)++;
    return (size_t)(*at - *word);
}

static bool has_flag(const char *flags, size_t size, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = flags; at < flags + size;) {
        const char *comma = memchr(at, ',', (size_t)(flags + size - at));
        size_t part = comma != NULL ? (size_t)(comma - at) : (size_t)(flags + size - at);
        if (part == length && memcmp(at, name, length) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

static void take_flags(const char *flags, size_t size, struct ClusterNode *node)
{
    node->myself = has_flag(flags, size, "myself");
    node->leads = has_flag(flags, size, "master");
    node->suspected = has_flag(flags, size, "fail?");
    node->failed = has_flag(flags, size, "fail");
    node->known = !has_flag(flags, size, "handshake") && !has_flag(flags, size, "noaddr");
}

/* "10.0.0.1:6379@16379,name"; an address before the @ may have colons of its own. */
static bool take_address(const char *word, size_t size, struct ClusterNode *node)
{
    const char *at = memchr(word, '@', size);
    const char *end = at != NULL ? at : word + size;
    const char *colon = end;
    while (colon > word && *colon != ':')
        colon--;
    if (*colon != ':' || (size_t)(colon - word) >= sizeof(node->address))
        return false;
    snprintf(node->address, sizeof(node->address), "%.*s", (int)(colon - word), word);
    node->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return true;
}

/* "5461-10922", "7", or "[93->-id]": one on its way, which is still counted where it was. */
static void take_slots(const char *word, uint32_t slot, struct ClusterNode *node)
{
    char *end = NULL;
    if (*word < '0' || *word > '9')
        return;
    unsigned long first = strtoul(word, &end, 10);
    unsigned long last = *end == '-' ? strtoul(end + 1, NULL, 10) : first;
    if (last < first || last >= CLUSTER_SLOTS)
        return;
    node->slots += (uint32_t)(last - first + 1);
    node->has_slot = node->has_slot || (first <= slot && slot <= last);
}

/* ID ADDRESS FLAGS PRIMARY PING PONG EPOCH LINK SLOT... */
static bool take_line(const char *line, const char *end, uint32_t slot, struct ClusterNode *node)
{
    const char *word;
    size_t size = next_word(&line, end, &word);
    *node = (struct ClusterNode){.port = 0};
    if (size == 0 || size >= sizeof(node->id))
        return false;
    snprintf(node->id, sizeof(node->id), "%.*s", (int)size, word);
    size = next_word(&line, end, &word);
    if (!take_address(word, size, node))
        return false;
    size = next_word(&line, end, &word);
    take_flags(word, size, node);
    size = next_word(&line, end, &word);
    if (size >= sizeof(node->primary))
        return false;
    if (size > 1)
        snprintf(node->primary, sizeof(node->primary), "%.*s", (int)size, word);
    for (int n = 0; n < 3; n++)
        size = next_word(&line, end, &word);
    if (size == 0)
        return false;
    node->epoch = strtoll(word, NULL, 10);
    size = next_word(&line, end, &word); /* the link, by this host's word */
    for (size = next_word(&line, end, &word); size > 0; size = next_word(&line, end, &word))
        take_slots(word, slot, node);
    return true;
}

bool cluster_nodes_read(const char *text, uint32_t slot, struct ClusterView *out)
{
    out->count = 0;
    out->cut = false;
    while (*text != '\0') {
        size_t size = strcspn(text, "\r\n");
        if (out->count == CLUSTER_NODES_MAX) {
            out->cut = true;
            break;
        }
        if (size > 0 && !take_line(text, text + size, slot, &out->nodes[out->count++]))
            return false;
        text += size + strspn(text + size, "\r\n");
    }
    return cluster_myself(out) != NULL;
}

const struct ClusterNode *cluster_owner(const struct ClusterView *view)
{
    for (size_t n = 0; n < view->count; n++)
        if (view->nodes[n].has_slot && view->nodes[n].leads)
            return &view->nodes[n];
    return NULL;
}

const struct ClusterNode *cluster_myself(const struct ClusterView *view)
{
    for (size_t n = 0; n < view->count; n++)
        if (view->nodes[n].myself)
            return &view->nodes[n];
    return NULL;
}

const struct ClusterNode *cluster_node(const struct ClusterView *view, const char *id)
{
    for (size_t n = 0; n < view->count; n++)
        if (strcmp(view->nodes[n].id, id) == 0)
            return &view->nodes[n];
    return NULL;
}

/* CRC-16/XMODEM, as Redis Cluster has it. */
uint32_t cluster_slot_of(const char *key)
{
    uint32_t crc = 0;
    for (; *key != '\0'; key++) {
        crc ^= (uint32_t)(unsigned char)*key << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000u) != 0 ? (crc << 1 ^ 0x1021u) & 0xffffu : crc << 1 & 0xffffu;
    }
    return crc % CLUSTER_SLOTS;
}

/* Numbers of five digits meet every slot. */
void cluster_tag(uint32_t slot, char out[16])
{
    char text[12];
    for (unsigned n = 0; n < 1000000; n++) {
        snprintf(text, sizeof(text), "%u", n);
        if (cluster_slot_of(text) == slot)
            break;
    }
    snprintf(out, 16, "{%s}", text);
}
