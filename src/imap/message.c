#include "imap/message.h"

enum { HELD_MAX = 256 << 20, PIECE_WAIT_S = 300, SAID_BYTES = 4096 };

void message_init(struct message *m, struct session *s)
{
	*m = (struct message){.s = s,
			      .account = s->box.account,
			      .mailbox = s->box.mailbox,
			      .body = BUF(HELD_MAX)};
	arena_init(&m->arena, MESSAGE_ARENA_MAX);
}

void message_fini(struct message *m)
{
	buf_fini(&m->body);
	arena_fini(&m->arena);
}

void message_turn(struct message *m, const struct message_row *row)
{
	struct session *s = m->s;
	struct arena arena = m->arena;
	struct buf body = m->body;

	arena_reset(&arena);
	if (body.room > MESSAGE_HELD_MAX)
		buf_release(&body);
	buf_reset(&body);
	*m = (struct message){.s = s,
			      .account = m->account,
			      .mailbox = m->mailbox,
			      .ahead = m->ahead,
			      .row = row,
			      .arena = arena,
			      .body = body};
}

static uint64_t body_size(const struct message *m)
{
	return m->row->size - num_min(m->row->size, m->row->trace.len);
}

static struct message_ref message_ref(const struct message *m)
{
	return (struct message_ref){m->row->message, m->mailbox, m->row->uid};
}

/* The body in pieces, as store_body_each() gives it. */
static enum store_outcome body_each(struct message *m,
				    bool (*take)(void *arg, struct str), void *arg)
{
	struct message_ref ref = message_ref(m);

	return m->ahead
		       ? ahead_each(m->ahead, ref, take, arg)
		       : store_body_each(session_store(m->s), m->account, ref, take, arg);
}

struct holding {
	struct buf *body;
	size_t max;
};

static bool hold_piece(void *arg, struct str piece)
{
	struct holding *holding = arg;

	buf_add(holding->body, str_first(piece, holding->max - holding->body->len));
	return holding->body->len < holding->max && buf_ok(holding->body);
}

enum store_outcome message_hold(struct message *m, size_t max)
{
	struct holding holding = {&m->body, max < HELD_MAX ? max : HELD_MAX};

	enum store_outcome outcome;

	if (m->is_held)
		return STORE_OK;
	if (m->ahead && ahead_take(m->ahead, m->row->message, &m->body, &outcome)) {
		m->is_held = outcome == STORE_OK;
		return outcome;
	}
	outcome = body_each(m, hold_piece, &holding);
	m->is_held = outcome == STORE_OK;
	return outcome;
}

/* Everything from the body itself: for messages whose digest lacks something. */
static enum store_outcome parse_body(struct message *m)
{
	if (m->is_parsed)
		return STORE_OK;
	enum store_outcome outcome = message_hold(m, HELD_MAX);

	if (outcome != STORE_OK)
		return outcome;
	struct mime mime = mime_parse(&m->arena, buf_str(&m->body));

	if (!mime.root)
		return STORE_INVALID;
	m->is_parsed = true;
	mime_read_envelopes(&m->arena, buf_str(&m->body), mime.root,
			    DIGEST_ADDRESSES_MAX);
	m->root = mime.root;
	m->header_size = mime.root->header_len;
	m->header = str_first(buf_str(&m->body), mime.root->header_len);
	m->has_header = true;
	mail_envelope_parse(&m->arena, m->header, DIGEST_ADDRESSES_MAX, &m->envelope);
	m->has_envelope = true;
	return STORE_OK;
}

/* The digest, once; what is damaged or was cut comes from the body instead. */
static bool digested(struct message *m)
{
	if (m->is_read)
		return m->is_digested;
	m->is_read = true;
	m->is_digested = digest_read(&m->arena, m->row->digest, &m->digest);
	if (!m->is_digested)
		return false;
	m->header_size = m->digest.header_size;
	if (!(m->digest.flags & DIGEST_HEADER_CUT)) {
		m->has_header = true;
		m->header = m->digest.header;
	}
	return true;
}

enum store_outcome message_header_size(struct message *m)
{
	return m->is_parsed || digested(m) ? STORE_OK : parse_body(m);
}

enum store_outcome message_header(struct message *m)
{
	(void)digested(m); /* sets has_header if it can */
	return m->has_header ? STORE_OK : parse_body(m);
}

enum store_outcome message_envelope(struct message *m)
{
	if (m->has_envelope)
		return STORE_OK;
	if (!digested(m) || (m->digest.flags & DIGEST_ENVELOPE_CUT) ||
	    !digest_envelope(&m->arena, &m->digest, &m->envelope))
		return parse_body(m);
	m->has_envelope = true;
	return STORE_OK;
}

enum store_outcome message_structure(struct message *m)
{
	if (m->root)
		return STORE_OK;
	if (digested(m) && digest_structure(&m->arena, &m->digest, &m->root))
		return STORE_OK;
	m->root = NULL;
	return parse_body(m);
}

struct str message_preview(struct message *m)
{
	return digested(m) ? m->digest.preview : STR("");
}

/* Part "n" of a level.  A message that is no multipart has one part, its body.  RFC 9051
 * §6.4.5.1. */
static const struct mime_part *step(const struct mime_part *at, bool *is_message,
				    uint32_t n)
{
	if (at->kind == MIME_MESSAGE && !*is_message) {
		at = at->first;
		*is_message = true;
	}
	if (!at)
		return NULL;
	if (at->kind != MIME_MULTIPART) {
		bool is_body = *is_message && n == 1;

		*is_message = false;
		return is_body ? at : NULL;
	}
	*is_message = false;
	at = at->first;
	while (at && --n > 0)
		at = at->next;
	return at;
}

const struct mime_part *message_part(const struct message *m,
				     const struct imap_section *section)
{
	const struct mime_part *at = m->root;
	bool is_message = true;

	for (size_t i = 0; i < section->part_count && at; i++)
		at = step(at, &is_message, section->part[i]);
	return at;
}

static bool locate_in_part(const struct message *m, const struct imap_section *section,
			   struct octets *found)
{
	const struct mime_part *part = message_part(m, section);
	uint64_t before = m->row->trace.len;

	if (!part)
		return false;
	switch (section->text) {
	case IMAP_TEXT_ALL:
		*found = (struct octets){before + part->body_at, part->body_len};
		return true;
	case IMAP_TEXT_MIME:
		*found = (struct octets){before + part->header_at, part->header_len};
		return true;
	case IMAP_TEXT_HEADER:
	case IMAP_TEXT_FIELDS:
	case IMAP_TEXT_FIELDS_NOT:
	case IMAP_TEXT_TEXT:
		break;
	}
	const struct mime_part *inner = part->kind == MIME_MESSAGE ? part->first : NULL;

	if (!inner)
		return false;
	if (section->text == IMAP_TEXT_TEXT)
		*found = (struct octets){before + inner->body_at, inner->body_len};
	else
		*found = (struct octets){before + inner->header_at, inner->header_len};
	return true;
}

bool message_locate(const struct message *m, const struct imap_section *section,
		    struct octets *found)
{
	uint64_t header = m->row->trace.len + m->header_size;

	if (section->part_count > 0)
		return locate_in_part(m, section, found);
	if (section->text == IMAP_TEXT_ALL)
		*found = (struct octets){0, m->row->size};
	else if (section->text == IMAP_TEXT_TEXT)
		*found = (struct octets){header,
					 m->row->size - num_min(m->row->size, header)};
	else
		*found = (struct octets){0, num_min(header, m->row->size)};
	return true;
}

struct octets message_cut(const struct imap_section *section, struct octets whole)
{
	if (!section->is_partial)
		return whole;
	uint64_t skip = num_min(section->offset, whole.len);

	return (struct octets){whole.at + skip,
			       num_min(section->count, whole.len - skip)};
}

bool message_known(struct message *m, struct octets octets, struct str *text)
{
	size_t trace = m->row->trace.len;
	uint64_t end = octets.at + octets.len;

	if (octets.len == 0) {
		*text = STR("");
		return true;
	}
	if (octets.at >= trace && m->has_header && end <= trace + m->header.len) {
		*text = str_first(str_skip(m->header, octets.at - trace), octets.len);
		return true;
	}
	if (octets.at >= trace && m->is_held && end <= trace + m->body.len) {
		*text = str_first(str_skip(buf_str(&m->body), octets.at - trace),
				  octets.len);
		return true;
	}
	if (!m->has_header || end > trace + m->header.len)
		return false;
	char *joined = arena_alloc(&m->arena, octets.len, 1);
	size_t from_trace = octets.at < trace ? trace - octets.at : 0;

	if (!joined)
		return false;
	if (from_trace > octets.len)
		from_trace = octets.len;
	memcpy(joined, m->row->trace.ptr + octets.at, from_trace);
	memcpy(joined + from_trace, m->header.ptr, octets.len - from_trace);
	*text = (struct str){joined, octets.len};
	return true;
}

void message_say(struct conn *conn, struct str text)
{
	char piece[SAID_BYTES];

	for (;;) {
		size_t plain = str_find_byte(text, '\0');

		conn_add(conn, str_first(text, plain));
		text = str_skip(text, plain);
		if (text.len == 0)
			return;
		size_t len = num_min(text.len, sizeof piece);

		for (size_t i = 0; i < len; i++) /* without a branch: many at once */
			piece[i] = (char)(text.ptr[i] ? text.ptr[i] : 0x80);
		conn_add(conn, (struct str){piece, len});
		text = str_skip(text, len);
	}
}

/* A run of the body on its way to where it is wanted. */
struct taking {
	struct message *m;
	struct octets left; /* of the body: how far to go, and how much is wanted */
	struct buf *text;   /* NULL: to the client */
	struct str front;   /* of the trace, before what comes from the body */
	void (*begin)(void *arg);
	void *arg;
	bool is_begun;
};

static void give(struct taking *taking, struct str piece)
{
	if (taking->text) {
		buf_add(taking->text, piece);
		return;
	}
	conn_deadline_s(taking->m->s->conn, PIECE_WAIT_S);
	message_say(taking->m->s->conn, piece);
}

/* The body can be read: what was announced can be kept. */
static void take_begin(struct taking *taking)
{
	if (taking->is_begun)
		return;
	taking->is_begun = true;
	if (taking->begin)
		taking->begin(taking->arg);
	if (taking->front.len > 0)
		give(taking, taking->front);
}

static bool take_piece(void *arg, struct str piece)
{
	struct taking *taking = arg;

	take_begin(taking);
	size_t skip = (size_t)num_min(taking->left.at, piece.len);

	piece = str_skip(piece, skip);
	taking->left.at -= skip;
	piece = str_first(piece, (size_t)num_min(taking->left.len, piece.len));
	taking->left.len -= piece.len;
	if (piece.len > 0)
		give(taking, piece);
	if (taking->text ? !buf_ok(taking->text) : conn_is_broken(taking->m->s->conn))
		return false;
	return taking->left.len > 0;
}

static enum store_outcome take_octets(struct taking taking, struct octets octets)
{
	struct message *m = taking.m;
	size_t trace = m->row->trace.len;

	taking.left = (struct octets){octets.at - num_min(octets.at, trace), octets.len};
	if (octets.at < trace) {
		taking.front = str_skip(m->row->trace, octets.at);
		taking.front = str_first(taking.front,
					 (size_t)num_min(octets.len, taking.front.len));
		taking.left.len -= taking.front.len;
	}
	if (taking.left.len == 0) {
		take_begin(&taking);
		return STORE_OK;
	}
	if (body_size(m) <= MESSAGE_HELD_MAX || m->is_held) {
		enum store_outcome outcome = message_hold(m, HELD_MAX);

		if (outcome == STORE_OK)
			(void)take_piece(&taking, buf_str(&m->body)); /* all there is */
		if (outcome != STORE_OK)
			return outcome;
	} else {
		enum store_outcome outcome = body_each(m, take_piece, &taking);

		if (outcome != STORE_OK)
			return outcome;
	}
	if (taking.text && !buf_ok(taking.text))
		return STORE_INVALID;
	return taking.left.len == 0 ? STORE_OK : STORE_UNAVAILABLE;
}

enum store_outcome message_send(struct message *m, struct octets octets,
				void (*begin)(void *arg), void *arg)
{
	return take_octets((struct taking){.m = m, .begin = begin, .arg = arg}, octets);
}

enum store_outcome message_read(struct message *m, struct octets octets, struct buf *text)
{
	return take_octets((struct taking){.m = m, .text = text}, octets);
}

static bool is_named(const struct imap_section *section, struct str name)
{
	for (size_t i = 0; i < section->field_count; i++) {
		if (str_same_nocase(section->fields[i], name))
			return true;
	}
	return false;
}

void message_fields(struct buf *out, struct str header,
		    const struct imap_section *section)
{
	struct mail_fields walk = mail_fields_over(header);
	struct mail_field field;
	bool wanted = section->text == IMAP_TEXT_FIELDS;

	while (mail_fields_next(&walk, &field)) {
		if (is_named(section, field.name) == wanted)
			buf_add(out, str_first(str_skip(header, field.at), field.len));
	}
	buf_add_c(out, "\r\n"); /* RFC 9051 §6.4.5.1: the blank line is always there */
}
