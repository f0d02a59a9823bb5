#include "store/digest.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "store/digest_form.h"
#include "store/digest_pack.h"
#include "store/types.h"
#include "text/preview.h"
#include "wire/mail/message_id.h"

enum {
	ARENA_BYTES = 16 << 20, /* the most that parsing one message may take */
	SUBJECT_HASHED_MAX = 1024,
};

uint64_t digest_hash(struct str bytes)
{
	/* Written down, so the key never changes.  Who makes two identifiers collide
	 * gains what naming the other in References would give. */
	static const struct hash_key key = {{0x706f737472696465, 0x7264696765737431}};
	uint64_t hash = siphash(key, bytes);

	return hash ? hash : 1;
}

/* --- the envelope --- */

static void add_mailbox(struct buf *out, const struct mail_address *a, size_t text_max)
{
	enc_str(out, str_first(a->name, text_max));
	enc_str(out, str_first(a->route, text_max));
	enc_str(out, str_first(a->local, text_max));
	enc_str(out, str_first(a->domain, text_max));
}

/* At most max items; a group that does not fit whole is left out. */
static void add_list(struct buf *out, const struct mail_addresses *list, size_t max,
		     size_t text_max)
{
	size_t count = list->count < max ? list->count : max, open = list->count;

	for (size_t i = 0; i < count; i++) {
		if (list->items[i].kind == MAIL_GROUP_START)
			open = i;
		else if (list->items[i].kind == MAIL_GROUP_END)
			open = list->count;
	}
	if (open < count)
		count = open;
	enc_var(out, count);
	for (size_t i = 0; i < count; i++) {
		const struct mail_address *a = &list->items[i];

		enc_u8(out, (uint8_t)a->kind);
		if (a->kind == MAIL_GROUP_START)
			enc_str(out, str_first(a->name, text_max));
		else if (a->kind == MAIL_MAILBOX)
			add_mailbox(out, a, text_max);
	}
}

static void add_envelope_within(struct buf *out, const struct mail_envelope *e,
				size_t addresses_max, size_t text_max)
{
	uint8_t zone = e->date.zone_is_unknown ? DATE_ZONE_UNKNOWN : 0;

	enc_u8(out, e->has_date ? DATE_IS_SET | zone : 0);
	if (e->has_date) {
		enc_u64(out, (uint64_t)e->date.unix_s);
		enc_u16(out, (uint16_t)(e->date.zone_minutes + DATE_ZONE_BIAS));
	}
	enc_str(out, str_first(e->date_text, text_max));
	enc_str(out, str_first(e->subject, text_max));
	enc_str(out, str_first(e->in_reply_to, text_max));
	enc_str(out, str_first(e->message_id, text_max));
	for (int i = 0; i < MAIL_LIST_COUNT; i++)
		add_list(out, &e->lists[i], addresses_max, text_max);
}

/* The whole envelope if it fits into max octets, else as much as does; the least takes 3
 * KiB. */
static bool add_envelope(struct buf *out, const struct mail_envelope *e, size_t max)
{
	static const struct {
		size_t addresses, text;
	} tries[] = {{DIGEST_ADDRESSES_MAX, SIZE_MAX}, {12, 120}, {2, 50}};
	bool is_whole = !e->is_cut;

	out->max = max;
	for (size_t i = 0; i < COUNT_OF(tries); i++) {
		buf_reset(out);
		add_envelope_within(out, e, tries[i].addresses, tries[i].text);
		if (buf_ok(out))
			return is_whole && i == 0;
	}
	ASSERT(buf_ok(out)); /* the least fits */
	return false;
}

/* --- the structure --- */

static void add_params(struct buf *out, const struct mail_params *params)
{
	enc_var(out, params->count);
	for (size_t i = 0; i < params->count; i++) {
		enc_str(out, params->items[i].name);
		enc_str(out, params->items[i].value);
	}
}

/* *whole becomes false if an envelope inside had to be shortened. */
static void add_part(struct buf *out, const struct mime_part *part, bool *whole)
{
	struct str encoding =
		part->transfer == MAIL_TRANSFER_UNKNOWN ? part->encoding : STR("");
	bool extras = encoding.len + part->disposition.type.len + part->id.len +
			      part->description.len + part->language.len +
			      part->location.len + part->md5.len >
		      0;

	enc_u8(out, (uint8_t)((unsigned)part->kind | (part->is_opaque ? PART_OPAQUE : 0) |
			      (unsigned)part->transfer << PART_TRANSFER_SHIFT |
			      (extras ? PART_EXTRAS : 0) |
			      (part->envelope ? PART_ENVELOPE : 0)));
	enc_var(out, part->child_count);
	enc_var(out, part->header_at);
	enc_var(out, part->header_len);
	enc_var(out, part->body_len);
	enc_var(out, part->lines);
	enc_str(out, part->type);
	enc_str(out, part->subtype);
	add_params(out, &part->params);
	if (extras) {
		enc_str(out, encoding);
		enc_str(out, part->disposition.type);
		add_params(out, &part->disposition.params);
		enc_str(out, part->id);
		enc_str(out, part->description);
		enc_str(out, part->language);
		enc_str(out, part->location);
		enc_str(out, part->md5);
	}
	if (part->envelope) {
		struct buf inner = BUF(DIGEST_ENVELOPE_MAX);

		*whole &= add_envelope(&inner, part->envelope, DIGEST_ENVELOPE_MAX);
		enc_str(out, buf_str(&inner));
		buf_fini(&inner);
	}
}

/* All of it, or false. */
static bool add_structure(struct buf *out, struct mime_part *root)
{
	bool whole = true;

	for (struct mime_part *part = root; part && buf_ok(out); part = mime_next(part))
		add_part(out, part, &whole);
	if (buf_ok(out) && whole)
		return true;
	buf_reset(out);
	return false;
}

/* Signatures and keys are no attachments to people. */
static bool is_machinery(const struct mime_part *part)
{
	return mime_is(part, "application", "pgp-signature") ||
	       mime_is(part, "application", "pgp-encrypted") ||
	       mime_is(part, "application", "pkcs7-signature") ||
	       mime_is(part, "application", "x-pkcs7-signature");
}

/* A part that people would call an attachment: said to be one, or a file that no text
 * refers to. */
static bool is_attachment(const struct mime_part *part)
{
	if (part->kind == MIME_MULTIPART || is_machinery(part))
		return false;
	if (str_same_nocase(part->disposition.type, STR("attachment")))
		return true;
	if (part->kind == MIME_MESSAGE)
		return part->parent && mime_is(part->parent, "multipart", "mixed");
	return !str_same_nocase(part->type, STR("text")) &&
	       !str_same_nocase(part->type, STR("message")) && part->id.len == 0 &&
	       !str_same_nocase(part->disposition.type, STR("inline"));
}

static bool has_attachment(struct mime_part *root)
{
	for (struct mime_part *part = root; part; part = mime_next(part))
		if (is_attachment(part))
			return true;
	return false;
}

/* --- keys --- */

static void add_references(struct buf *out, struct arena *arena,
			   const struct mail_envelope *e)
{
	struct mail_ids ids = mail_ids_parse(arena, e->references, DIGEST_REFERENCES_MAX);

	/* RFC 5256 §3: only the first of In-Reply-To, and only without References. */
	if (ids.count == 0) {
		ids = mail_ids_parse(arena, e->in_reply_to, 1000);
		ids.count = ids.count > 0;
	}
	enc_u8(out, (uint8_t)ids.count);
	for (size_t i = 0; i < ids.count; i++)
		enc_u64(out, digest_hash(ids.items[i]));
}

static uint64_t id_hash(struct arena *arena, struct str value)
{
	struct mail_ids ids = mail_ids_parse(arena, value, 1);

	return ids.count > 0 ? digest_hash(ids.items[0]) : 0;
}

/* What digest_make() works with. */
struct make {
	struct arena arena;
	struct mail_envelope envelope;
	struct buf parts[2]; /* envelope and structure, encoded */
	struct str message, header;
	struct mime mime;
	uint8_t flags;
};

/* The header up to DIGEST_HEADER_MAX, cut after a field. */
static struct str header_front(struct str message, size_t header_len)
{
	struct mail_fields walk = mail_fields_over(message);
	struct mail_field field;
	size_t len = 0;

	if (header_len <= DIGEST_HEADER_MAX)
		return str_first(message, header_len);
	while (mail_fields_next(&walk, &field) && walk.at <= DIGEST_HEADER_MAX)
		len = walk.at;
	return str_first(message, len);
}

/* What digest_read_keys() gives. */
static void add_keys(struct buf *out, struct make *m)
{
	const struct mail_envelope *e = &m->envelope;
	SCOPED(buf_fini) struct buf text = BUF(SUBJECT_HASHED_MAX);

	if (sort_text_add(&text, e, SORT_SUBJECT, SUBJECT_HASHED_MAX))
		m->flags |= DIGEST_IS_REPLY;
	enc_u8(out, m->flags);
	enc_var(out, m->message.len);
	enc_var(out, m->mime.root->header_len);
	enc_var(out, m->mime.root->lines);
	enc_u64(out, e->has_date ? (uint64_t)e->date.unix_s : 0);
	enc_u64(out, id_hash(&m->arena, e->message_id));
	enc_u64(out, text.len > 0 ? digest_hash(buf_str(&text)) : 0);
	add_references(out, &m->arena, e);
	enc_str(out, utf8_first(buf_str(&text), DIGEST_SORT_BYTES));
	for (enum sort_text which = SORT_FROM; which < SORT_TEXTS; which++) {
		buf_reset(&text);
		(void)sort_text_add(&text, e, which, DIGEST_SORT_BYTES); /* no subject */
		enc_str(out, buf_str(&text));
	}
}

/* Parses the message and encodes what has bounds of its own. */
static void prepare(struct make *m)
{
	struct mime_part *root;

	arena_init(&m->arena, ARENA_BYTES);
	m->mime = mime_parse(&m->arena, m->message);
	root = m->mime.root;
	ASSERT(root); /* the arena is large enough for one part */
	m->header = header_front(m->message, root->header_len);
	mail_envelope_parse(&m->arena, str_first(m->message, root->header_len),
			    DIGEST_ADDRESSES_MAX, &m->envelope);
	mime_read_envelopes(&m->arena, m->message, root, DIGEST_ADDRESSES_MAX);
	m->parts[1] = BUF(DIGEST_STRUCTURE_MAX);
	if (!add_envelope(&m->parts[0], &m->envelope, DIGEST_ENVELOPE_MAX))
		m->flags |= DIGEST_ENVELOPE_CUT;
	if (!add_structure(&m->parts[1], root))
		m->flags |= DIGEST_STRUCTURE_CUT;
	if (m->header.len < root->header_len)
		m->flags |= DIGEST_HEADER_CUT;
	if (has_attachment(root))
		m->flags |= DIGEST_HAS_ATTACHMENT;
	if (m->envelope.has_date)
		m->flags |= DIGEST_HAS_SENT;
}

/* Packed if that makes them smaller. */
static void add_parts(struct buf *out, size_t version_at, struct str parts)
{
	struct buf packed = BUF(2 * DIGEST_BYTES_MAX);

	enc_var(&packed, parts.len);
	digest_pack(parts, &packed);
	if (packed.len < parts.len) {
		out->ptr[version_at] = DIGEST_PACKED;
		buf_add(out, buf_str(&packed));
	} else {
		buf_add(out, parts);
	}
	buf_fini(&packed);
}

void digest_make(struct str message, struct buf *out)
{
	struct make m = {.message = message};
	struct buf preview = BUF(4 * PREVIEW_CHARS_MAX + 8);
	struct buf parts = BUF(DIGEST_BYTES_MAX);
	size_t from = out->len;

	prepare(&m);
	enc_u8(out, DIGEST_PLAIN);
	add_keys(out, &m);
	preview_add(&preview, message, m.mime.root);
	enc_str(&parts, buf_str(&preview));
	enc_str(&parts, buf_str(&m.parts[0]));
	enc_str(&parts, buf_str(&m.parts[1]));
	enc_str(&parts, m.header);
	ASSERT(buf_ok(&parts));
	add_parts(out, from, buf_str(&parts));
	ASSERT(out->len - from <= DIGEST_BYTES_MAX);
	buf_fini(&preview);
	buf_fini(&parts);
	buf_fini(&m.parts[0]);
	buf_fini(&m.parts[1]);
	arena_fini(&m.arena);
}
