#include "base/codec.h"
#include "store/digest.h"
#include "store/digest_form.h"
#include "store/digest_pack.h"
#include "store/types.h"

/* A moment that every calendar has. */
static int64_t dec_date(struct dec *in)
{
	int64_t unix_s = (int64_t)dec_u64(in);

	if (unix_s < DATE_MIN || unix_s > DATE_MAX)
		in->failed = true;
	return unix_s;
}

/* The parts' place is left in *in. */
static bool read_keys(struct dec *in, struct digest *d, uint8_t *version)
{
	*version = dec_u8(in);
	if (*version < DIGEST_PLAIN || *version > DIGEST_PACKED)
		return false;
	d->flags = dec_u8(in);
	d->size = dec_var_max(in, INT64_MAX);
	d->header_size = dec_var_max(in, d->size);
	d->lines = dec_var_max(in, d->size);
	d->sent_at = dec_date(in);
	d->message_id = dec_u64(in);
	d->base_subject = dec_u64(in);
	d->reference_count = dec_u8(in);
	if (d->reference_count > DIGEST_REFERENCES_MAX)
		return false;
	for (size_t i = 0; i < d->reference_count; i++)
		d->references[i] = dec_u64(in);
	for (size_t i = 0; i < SORT_TEXTS; i++) {
		d->sort[i] = dec_str(in);
		if (d->sort[i].len > DIGEST_SORT_BYTES)
			return false;
	}
	return dec_ok(in);
}

struct str digest_front(struct str bytes)
{
	struct dec in = dec_over(bytes);
	struct digest d;
	uint8_t version;

	return read_keys(&in, &d, &version) ? str_first(bytes, bytes.len - in.rest.len)
					    : STR("");
}

/* A character of up to four octets may have found no room. */
bool digest_sort_is_cut(struct str text)
{
	return text.len + 4 > DIGEST_SORT_BYTES;
}

bool digest_read_keys(struct str bytes, struct digest *digest)
{
	struct dec in = dec_over(bytes);
	struct digest d = {0};
	uint8_t version;

	if (!read_keys(&in, &d, &version))
		return false;
	*digest = d;
	return true;
}

/* *in was before the size, and then is over the parts. */
static bool unpack(struct arena *arena, uint8_t version, struct dec *in)
{
	size_t size = (size_t)dec_var_max(in, DIGEST_BYTES_MAX);
	struct str parts;

	if (!dec_ok(in) || !digest_unpack(arena, version, in->rest, size, &parts))
		return false;
	*in = dec_over(parts);
	return true;
}

bool digest_read(struct arena *arena, struct str bytes, struct digest *digest)
{
	struct dec in = dec_over(bytes);
	struct digest d = {0};
	uint8_t version;

	if (!read_keys(&in, &d, &version))
		return false;
	if (version != DIGEST_PLAIN && !unpack(arena, version, &in))
		return false;
	d.preview = dec_str(&in);
	d.envelope = dec_str(&in);
	d.structure = dec_str(&in);
	d.header = dec_str(&in);
	if (!dec_done(&in) || d.header.len > d.header_size)
		return false;
	*digest = d;
	return true;
}

/* A count of things of at least one octet each; so it is bounded by what is there. */
static size_t dec_count(struct dec *in)
{
	return (size_t)dec_var_max(in, in->rest.len);
}

static bool read_list(struct arena *arena, struct dec *in, struct mail_addresses *list)
{
	size_t count = dec_count(in);
	bool in_group = false;

	*list = (struct mail_addresses){0};
	if (count == 0 || count > DIGEST_ADDRESSES_MAX)
		return count == 0 && dec_ok(in);
	list->items = ARENA_ARRAY(arena, struct mail_address, count);
	if (!list->items)
		return false;
	for (size_t i = 0; i < count && dec_ok(in); i++) {
		struct mail_address *a = &list->items[i];
		uint8_t kind = dec_u8(in);

		if (kind > MAIL_GROUP_END || (kind == MAIL_GROUP_END && !in_group) ||
		    (kind == MAIL_GROUP_START && in_group))
			return false;
		a->kind = (enum mail_address_kind)kind;
		if (kind != MAIL_MAILBOX)
			in_group = kind == MAIL_GROUP_START;
		if (kind == MAIL_GROUP_END)
			continue;
		a->name = dec_str(in);
		if (kind == MAIL_GROUP_START)
			continue;
		a->route = dec_str(in);
		a->local = dec_str(in);
		a->domain = dec_str(in);
	}
	list->count = count;
	return dec_ok(in) && !in_group;
}

static bool read_envelope(struct arena *arena, struct str bytes, struct mail_envelope *e)
{
	struct dec in = dec_over(bytes);
	uint8_t flags = dec_u8(&in);

	*e = (struct mail_envelope){0};
	e->has_date = flags & DATE_IS_SET;
	if (e->has_date) {
		e->date.unix_s = dec_date(&in);
		e->date.zone_minutes = dec_u16(&in) - DATE_ZONE_BIAS;
		if (e->date.zone_minutes < -ZONE_MINUTES_MAX ||
		    e->date.zone_minutes > ZONE_MINUTES_MAX)
			return false;
		e->date.zone_is_unknown = flags & DATE_ZONE_UNKNOWN;
	}
	e->date_text = dec_str(&in);
	e->subject = dec_str(&in);
	e->in_reply_to = dec_str(&in);
	e->message_id = dec_str(&in);
	for (int i = 0; i < MAIL_LIST_COUNT; i++)
		if (!read_list(arena, &in, &e->lists[i]))
			return false;
	return dec_done(&in);
}

bool digest_envelope(struct arena *arena, const struct digest *digest,
		     struct mail_envelope *envelope)
{
	if (!read_envelope(arena, digest->envelope, envelope))
		return false;
	envelope->is_cut = digest->flags & DIGEST_ENVELOPE_CUT;
	return true;
}

static bool read_params(struct arena *arena, struct dec *in, struct mail_params *params)
{
	size_t count = dec_count(in);

	*params = (struct mail_params){0};
	if (count == 0 || count > MAIL_PARAMS_MAX)
		return count == 0 && dec_ok(in);
	params->items = ARENA_ARRAY(arena, struct mail_param, count);
	if (!params->items)
		return false;
	for (size_t i = 0; i < count; i++) {
		params->items[i].name = dec_str(in);
		params->items[i].value = dec_str(in);
	}
	params->count = count;
	return dec_ok(in);
}

static bool read_extras(struct arena *arena, struct dec *in, struct mime_part *part)
{
	part->encoding = dec_str(in);
	part->disposition.type = dec_str(in);
	if (!read_params(arena, in, &part->disposition.params))
		return false;
	part->id = dec_str(in);
	part->description = dec_str(in);
	part->language = dec_str(in);
	part->location = dec_str(in);
	part->md5 = dec_str(in);
	return dec_ok(in);
}

/* Where the part lies: inside a message of size octets. */
static bool read_places(struct dec *in, uint64_t size, struct mime_part *part)
{
	part->header_at = (size_t)dec_var_max(in, size);
	part->header_len = (size_t)dec_var_max(in, size - part->header_at);
	part->body_at = part->header_at + part->header_len;
	part->body_len = (size_t)dec_var_max(in, size - part->body_at);
	part->lines = (size_t)dec_var_max(in, part->body_len);
	return dec_ok(in);
}

static bool read_part(struct arena *arena, struct dec *in, uint64_t size,
		      struct mime_part *part, size_t *children)
{
	uint8_t bits = dec_u8(in);
	unsigned transfer = bits >> PART_TRANSFER_SHIFT & 7;

	part->is_opaque = bits & PART_OPAQUE;
	part->kind = (enum mime_kind)(bits & 3);
	part->transfer = (enum mail_transfer)transfer;
	*children = dec_count(in);
	if (part->kind > MIME_MESSAGE || transfer > MAIL_TRANSFER_UNKNOWN ||
	    *children > (part->kind == MIME_MULTIPART ? MIME_PARTS_MAX
						      : part->kind == MIME_MESSAGE))
		return false;
	if (!read_places(in, size, part))
		return false;
	part->type = dec_str(in);
	part->subtype = dec_str(in);
	if (!read_params(arena, in, &part->params) || part->type.len == 0 ||
	    part->subtype.len == 0)
		return false;
	if ((bits & PART_EXTRAS) && !read_extras(arena, in, part))
		return false;
	if (part->transfer != MAIL_TRANSFER_UNKNOWN)
		part->encoding = mail_transfer_name(part->transfer);
	if (!(bits & PART_ENVELOPE))
		return dec_ok(in);
	struct str envelope = dec_str(in);

	part->envelope = ARENA_NEW(arena, struct mail_envelope);
	return part->envelope && read_envelope(arena, envelope, part->envelope);
}

static void append_child(struct mime_part *parent, struct mime_part *child)
{
	child->parent = parent;
	if (!parent)
		return;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->child_count++;
}

bool digest_structure(struct arena *arena, const struct digest *digest,
		      struct mime_part **root)
{
	struct dec in = dec_over(digest->structure);
	struct mime_part *parent = NULL, *first = NULL;
	size_t missing[MIME_DEPTH_MAX + 1] = {1}, depth = 0; /* children still to come */

	while (missing[depth] > 0) {
		struct mime_part *part = ARENA_NEW(arena, struct mime_part);
		size_t children;

		if (!part || !read_part(arena, &in, digest->size, part, &children))
			return false;
		append_child(parent, part);
		first = first ? first : part;
		missing[depth]--;
		if (children > 0) {
			if (++depth > MIME_DEPTH_MAX)
				return false;
			missing[depth] = children;
			parent = part;
		}
		while (depth > 0 && missing[depth] == 0) {
			depth--;
			parent = parent->parent;
		}
	}
	if (!dec_done(&in))
		return false;
	*root = first;
	return true;
}
