#include "wire/mail/mime.h"

static void check_tree(struct str text, const struct mime_part *part, size_t *count)
{
	const struct mime_part *parent = part->parent;
	size_t lines = 0, children = 0;

	(*count)++;
	ASSERT(part->header_at + part->header_len == part->body_at);
	ASSERT(part->body_at <= text.len && part->body_len <= text.len - part->body_at);
	ASSERT(part->type.len > 0 && part->subtype.len > 0);
	for (size_t i = 0; i < part->body_len; i++)
		lines += text.ptr[part->body_at + i] == '\n';
	ASSERT(part->lines == lines);
	if (parent) {
		ASSERT(part->header_at >= parent->body_at);
		ASSERT(part->body_len == 0 || part->body_at + part->body_len <=
						      parent->body_at + parent->body_len);
	}
	for (const struct mime_part *child = part->first; child; child = child->next) {
		ASSERT(child->parent == part);
		ASSERT(!child->next ||
		       child->next->header_at >= child->body_at + child->body_len);
		children++;
	}
	ASSERT(children == part->child_count);
	ASSERT(part->kind != MIME_LEAF || children == 0);
}

/* Any octets: parts lie inside their parents, one after the other, and lines add up; with
 * small bounds as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct arena arena;

	for (size_t small = 0; small < 2; small++) {
		size_t count = 0;

		arena_init(&arena, small ? 20000 : 1 << 22);
		struct mime mime = mime_parse_within(&arena, text, small ? 5 : 1000,
						     small ? 3 : MIME_DEPTH_MAX);

		ASSERT(mime.root);
		for (struct mime_part *part = mime.root; part; part = mime_next(part))
			check_tree(text, part, &count);
		ASSERT(count == mime.part_count);
		arena_fini(&arena);
	}
	return 0;
}
