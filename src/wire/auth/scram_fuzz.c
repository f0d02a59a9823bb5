#include "wire/auth/scram.h"

enum { NAMES_BYTES = 1 << 16 };

/* What a client sends first is answered with a message that a client can read, and fits
 * itself when it comes back. */
static void play_server(struct str input, struct arena *arena)
{
	SCOPED(buf_fini) struct buf answer = BUF(2 * input.len + 200);
	SCOPED(buf_fini) struct buf last = BUF(4 * input.len + 200);
	static const unsigned char proof[SCRAM_HASH_BYTES] = {1, 2, 3};
	struct scram_client_first first;
	struct scram_server_first read;
	struct scram_client_final final;

	if (scram_client_first_parse(input, arena, &first) != SCRAM_FINE)
		return;
	ASSERT(first.gs2.text.len + first.bare.len == input.len);
	ASSERT(first.username.len > 0 && first.nonce.len > 0);
	scram_server_first_add(&answer, first.nonce, STR("x"), STR("salt"), 4096);
	ASSERT(scram_server_first_parse(buf_str(&answer), first.nonce, arena, &read) ==
	       SCRAM_FINE);
	ASSERT(read.iterations == 4096 && str_same(read.salt, STR("salt")));
	scram_final_without_proof_add(&last, first.gs2.text, STR(""), read.nonce);
	if (!buf_ok(&last))
		return; /* the header is beyond our bound */
	size_t without_proof = last.len;

	scram_proof_add(&last, proof);
	ASSERT(scram_client_final_parse(buf_str(&last), &final) == SCRAM_FINE);
	ASSERT(final.without_proof.len == without_proof);
	ASSERT(memcmp(final.proof, proof, sizeof proof) == 0);
	ASSERT(scram_final_check(&final, &first, read.nonce, STR("")) == SCRAM_FINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	struct str input = {(const char *)data, len};
	struct scram_client_final final;
	struct scram_server_first first;
	struct scram_server_final last;

	arena_init(&arena, NAMES_BYTES);
	play_server(input, &arena);
	if (scram_client_final_parse(input, &final) == SCRAM_FINE)
		ASSERT(final.without_proof.len + sizeof ",p=" - 1 + 44 == len);
	if (scram_server_first_parse(input, STR("a"), &arena, &first) == SCRAM_FINE)
		ASSERT(first.iterations > 0 && first.nonce.len > 1);
	if (scram_server_final_parse(input, &last))
		ASSERT(last.error <= SCRAM_OTHER_ERROR);
	return 0;
}
