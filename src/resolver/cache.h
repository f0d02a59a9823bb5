/* What the resolver has answered lately, kept by who asked: an answer from here costs no
 * way to another process.
 *
 * Facts only: found and none, for as long as they hold, and never longer than a minute.
 * What was bogus or unknown is asked again.  When there is no more room, the oldest go.
 */
#pragma once

#include "resolver/codec.h"

enum {
	ANSWER_CACHE_SECONDS = 60,
	ANSWER_CACHE_ANSWERS_MAX = 4096,
	ANSWER_CACHE_BYTES_MAX = 4 * 1024 * 1024,
};

struct answer_cache;

struct answer_cache *answer_cache_new(void);
void answer_cache_free(struct answer_cache **cache);

/* body is the answer as resolver_encode_answer() writes it; both are copied. */
void answer_cache_add(struct answer_cache *cache,
		      const struct resolver_question *question,
		      const struct dns_answer *answer, struct str body);
/* Slices of the answer live in arena, ttl_s is what is left.  False if it is not there,
 * or the arena is too small. */
[[nodiscard]] bool answer_cache_find(struct answer_cache *cache,
				     const struct resolver_question *question,
				     struct arena *arena, struct dns_answer *answer);
size_t answer_cache_count(const struct answer_cache *cache);
size_t answer_cache_bytes(const struct answer_cache *cache);
