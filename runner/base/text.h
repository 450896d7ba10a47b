/* text.h - small questions about strings that several floors ask. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FD_BASE_TEXT_H
#define FD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
/* Letters, digits and underscores, beginning with a letter; dashes too where `dashes`. */
bool text_is_name(const char *text, bool dashes);
/* The name nearest to `text` by edit distance, or NULL where none is near enough to suggest. */
const char *text_nearest(const char *text, const char *const *names, size_t count);
/* Puts `to` wherever `from` stands; both are of one length, else nothing is done. */
void text_swap(char *text, const char *from, const char *to);
/* Same names, but '-' and '_' are equal. */
bool text_same_name(const char *a, const char *b);

/* Exactly `digits` digits at *text, which moves behind them; -1 where there are fewer. */
int text_take_digits(const char **text, int digits);
bool text_take_char(const char **text, char wanted); /* moves behind it; else false */

/* The first code point of UTF-8 `bytes` and how many bytes it takes; 0 where they are none
 * (overlong, surrogate, cut off) or `size` is 0. */
size_t text_decode(const char *bytes, size_t size, uint32_t *code);
/* Code points that change the direction or the lines of the text around them. */
bool text_is_deceptive(uint32_t code);
/* `size` less the bytes of a code point that is cut off at the end of `bytes`. */
size_t text_whole(const char *bytes, size_t size);

/* SHA-256 as 64 hex digits and a NUL. */
void hash_hex(const void *bytes, size_t size, char out[65]);
/* HMAC-SHA256 of the text, by a key, written alike. */
void hmac_hex(const char *key, const char *text, char out[65]);

#endif
