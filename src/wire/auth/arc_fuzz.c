#include "wire/auth/arc.h"

/* What is read has all a verifier needs, and stays within the field. */
static void check(enum arc_kind kind, struct str value, struct arena *arena)
{
	struct arc_field field;

	arc_field_parse(kind, value, arena, &field);
	ASSERT(field.instance <= ARC_INSTANCES_MAX);
	if (field.flaw)
		return;
	ASSERT(field.instance > 0);
	ASSERT(field.has_cv || kind != ARC_SEAL);
	if (kind == ARC_RESULTS) {
		ASSERT(field.results.ptr >= value.ptr &&
		       field.results.ptr + field.results.len <= value.ptr + value.len);
		return;
	}
	SCOPED(buf_fini) struct buf bare = BUF(value.len + 1);
	struct arc_field again;

	ASSERT(field.signature.domain.len > 0 && field.signature.signature.len > 0);
	ASSERT((field.signature.name_count > 0) == (kind == ARC_MESSAGE));
	dkim_signature_bare(&field.signature, &bare);
	ASSERT(buf_ok(&bare) && bare.len == value.len - field.signature.b.len);
	arc_field_parse(kind, buf_str(&bare), arena, &again);
	ASSERT(again.flaw && again.instance == field.instance && again.cv == field.cv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 1 << 20);
	for (int kind = 0; kind < ARC_KINDS; kind++)
		check((enum arc_kind)kind, (struct str){(const char *)data, len}, &arena);
	return 0;
}
