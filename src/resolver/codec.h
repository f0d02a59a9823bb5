/* The messages between the others and the resolver process.  Decoders take any octets. */
#pragma once

#include "base/codec.h"
#include "resolver/resolver.h"

enum resolver_message {
	RESOLVER_ASK = 1, /* u16 type, name */
	RESOLVER_ANSWER = 64,
};

enum { RESOLVER_RECORDS_MAX = 1000, RESOLVER_ANSWER_BYTES_MAX = 128 * 1024 };

struct resolver_question {
	enum dns_type type;
	struct str name;
};

void resolver_encode_question(struct buf *body, const struct resolver_question *question);
[[nodiscard]] bool resolver_decode_question(struct str body,
					    struct resolver_question *question);
void resolver_encode_answer(struct buf *body, const struct dns_answer *answer);
/* Copies all into arena. */
[[nodiscard]] bool resolver_decode_answer(struct str body, struct arena *arena,
					  struct dns_answer *answer);
