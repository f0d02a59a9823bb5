#include "store/digest.h"

#include "base/utf8.h"
#include "store/types.h"

static void same_param_lists(const struct mail_params *a, const struct mail_params *b)
{
	ASSERT(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		ASSERT(str_same(a->items[i].name, b->items[i].name));
		ASSERT(str_same(a->items[i].value, b->items[i].value));
	}
}

static void same_trees(struct mime_part *a, struct mime_part *b)
{
	for (; a && b; a = mime_next(a), b = mime_next(b)) {
		ASSERT(a->kind == b->kind && a->is_opaque == b->is_opaque);
		ASSERT(a->header_at == b->header_at && a->body_at == b->body_at);
		ASSERT(a->body_len == b->body_len && a->lines == b->lines);
		ASSERT(a->child_count == b->child_count && a->transfer == b->transfer);
		ASSERT(str_same(a->type, b->type) && str_same(a->subtype, b->subtype));
		ASSERT(str_same(a->id, b->id) && str_same(a->md5, b->md5));
		ASSERT(!a->envelope == !b->envelope);
		same_param_lists(&a->params, &b->params);
		same_param_lists(&a->disposition.params, &b->disposition.params);
	}
	ASSERT(!a && !b);
}

static void same_envelopes(const struct mail_envelope *a, const struct mail_envelope *b)
{
	ASSERT(a->has_date == b->has_date && a->date.unix_s == b->date.unix_s);
	ASSERT(a->date.zone_minutes == b->date.zone_minutes);
	ASSERT(str_same(a->subject, b->subject) && str_same(a->date_text, b->date_text));
	for (int l = 0; l < MAIL_LIST_COUNT; l++) {
		ASSERT(a->lists[l].count == b->lists[l].count);
		for (size_t i = 0; i < a->lists[l].count; i++) {
			ASSERT(a->lists[l].items[i].kind == b->lists[l].items[i].kind);
			ASSERT(str_same(a->lists[l].items[i].local,
					b->lists[l].items[i].local));
		}
	}
}

/* The bytes as a message: what is read from its digest is what parsing it gives. */
static void as_message(struct str message, struct arena *arena, struct buf *bytes)
{
	struct mail_envelope envelope, parsed;
	struct mime_part *root;
	struct digest digest, keys;

	digest_make(message, bytes);
	ASSERT(bytes->len <= DIGEST_BYTES_MAX);
	ASSERT(digest_read(arena, buf_str(bytes), &digest));
	ASSERT(digest.size == message.len);
	ASSERT(str_same(digest.header, str_first(message, digest.header.len)));
	ASSERT((digest.flags & DIGEST_HEADER_CUT) ||
	       digest.header.len == digest.header_size);
	ASSERT(utf8_valid(digest.preview) && utf8_valid(digest.sort[SORT_SUBJECT]));
	ASSERT(digest_read_keys(digest_front(buf_str(bytes)), &keys));
	ASSERT(keys.base_subject == digest.base_subject);
	struct mime mime = mime_parse(arena, message);

	mime_read_envelopes(arena, message, mime.root, DIGEST_ADDRESSES_MAX);
	if (!(digest.flags & DIGEST_STRUCTURE_CUT)) {
		ASSERT(digest_structure(arena, &digest, &root));
		same_trees(root, mime.root);
	}
	mail_envelope_parse(arena, message, DIGEST_ADDRESSES_MAX, &parsed);
	ASSERT(digest_envelope(arena, &digest, &envelope));
	if (!envelope.is_cut)
		same_envelopes(&envelope, &parsed);
}

/* The bytes as a digest: any are read without harm, and all places are inside. */
static void as_digest(struct str bytes, struct arena *arena)
{
	struct mail_envelope envelope;
	struct mime_part *root;
	struct digest digest;

	if (!digest_read(arena, bytes, &digest))
		return;
	ASSERT(digest.reference_count <= DIGEST_REFERENCES_MAX);
	(void)digest_envelope(arena, &digest, &envelope); /* either answer */
	if (!digest_structure(arena, &digest, &root))
		return;
	for (struct mime_part *part = root; part; part = mime_next(part))
		ASSERT(part->body_at + part->body_len <= digest.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str bytes = {(const char *)data, len};
	struct buf made = BUF(DIGEST_BYTES_MAX);
	struct arena arena;

	arena_init(&arena, 32 << 20);
	as_digest(bytes, &arena);
	as_message(bytes, &arena, &made);
	/* The same digest with one octet changed must do no harm either. */
	if (len > 2)
		made.ptr[(size_t)(data[0] << 8 | data[1]) % made.len] ^= (char)data[2];
	as_digest(buf_str(&made), &arena);
	arena_fini(&arena);
	buf_fini(&made);
	return 0;
}
