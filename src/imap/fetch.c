#include "imap/fetch.h"

#include "imap/mailboxes.h"
#include "imap/message.h"
#include "imap/permanent.h"
#include "imap/recent.h"
#include "imap/walk.h"

enum { SEND_BYTES = 32 << 10, BINARY_MAX = 64 << 20 };

struct fetching {
	struct session *s;
	unsigned items;
	const struct imap_section *sections;
	size_t section_count;
	const struct uids *seen; /* these have just become \Seen; NULL: none */
	uint64_t since;          /* only those whose mod-sequence is higher; 0: all */
	struct message message;
	bool needs_message;
	bool has_item;  /* the response has an item already */
	bool is_broken; /* a literal could not be finished: nothing may follow */
};

/* Whether a section is anything else than the whole message. */
static bool has_inner_section(const struct fetching *f)
{
	for (size_t i = 0; i < f->section_count; i++) {
		if (f->sections[i].part_count > 0 || f->sections[i].text != IMAP_TEXT_ALL)
			return true;
	}
	return false;
}

static unsigned columns_for(const struct fetching *f)
{
	unsigned columns = 0;
	unsigned from_message = IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE |
				IMAP_FETCH_SAVEDATE | IMAP_FETCH_EMAILID;
	unsigned from_digest = IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY |
			       IMAP_FETCH_BODYSTRUCTURE | IMAP_FETCH_PREVIEW;

	if ((f->items & IMAP_FETCH_FLAGS) || f->seen)
		columns |= ROW_KEYWORDS;
	if (f->items & from_message)
		columns |= ROW_MESSAGE;
	if ((f->items & from_digest) || f->section_count > 0)
		columns |= ROW_MESSAGE;
	if ((f->items & from_digest) || has_inner_section(f))
		columns |= ROW_DIGEST;
	if (f->items & IMAP_FETCH_THREADID)
		columns |= ROW_THREAD;
	if ((f->items & IMAP_FETCH_MODSEQ) || (f->seen && f->s->is_condstore))
		columns |= ROW_MODSEQ;
	return columns;
}

/* Between the items of one response. */
static void separate(struct fetching *f)
{
	if (f->has_item)
		buf_add_byte(&f->s->out, ' ');
	f->has_item = true;
}

static void write_flags(struct fetching *f, const struct message_row *row)
{
	struct session *s = f->s;

	separate(f);
	buf_add(&s->out, STR("FLAGS "));
	imap_write_flags(&s->out, recent_flags(s, row), row->keywords.words,
			 row->keywords.count);
}

static void write_plain_items(struct fetching *f, const struct message_row *row)
{
	struct session *s = f->s;
	bool tells_seen = f->seen && uids_has(f->seen, row->uid);
	bool tells_modseq = tells_seen && s->is_condstore; /* RFC 7162 §3.2.4 */

	if ((f->items & IMAP_FETCH_UID) || tells_modseq) {
		separate(f);
		buf_add(&s->out, STR("UID "));
		buf_add_u64(&s->out, row->uid);
	}
	if ((f->items & IMAP_FETCH_FLAGS) || tells_seen)
		write_flags(f, row);
	if ((f->items & IMAP_FETCH_MODSEQ) || tells_modseq) {
		separate(f);
		buf_add(&s->out, STR("MODSEQ ("));
		buf_add_u64(&s->out, row->modseq);
		buf_add_byte(&s->out, ')');
		s->box.sent = num_max(s->box.sent, row->modseq);
	}
	if (f->items & IMAP_FETCH_INTERNALDATE) {
		separate(f);
		buf_add_c(&s->out, "INTERNALDATE ");
		imap_write_date_time(
			&s->out,
			(struct imap_date_time){row->received_at, row->received_zone});
	}
	if (f->items & IMAP_FETCH_SIZE) {
		separate(f);
		buf_add_c(&s->out, "RFC822.SIZE ");
		buf_add_u64(&s->out, row->size);
	}
	if (f->items & IMAP_FETCH_SAVEDATE) {
		separate(f);
		buf_add_c(&s->out, "SAVEDATE ");
		imap_write_date_time(&s->out, (struct imap_date_time){row->saved_at, 0});
	}
	if (f->items & IMAP_FETCH_EMAILID) {
		separate(f);
		buf_printf(&s->out, "EMAILID (" MESSAGE_ID ")",
			   (unsigned long long)row->message);
	}
	if (f->items & IMAP_FETCH_THREADID) {
		separate(f);
		buf_printf(&s->out, "THREADID (" THREAD_ID ")",
			   (unsigned long long)row->thread);
	}
}

static enum store_outcome write_envelope(struct fetching *f, unsigned bit)
{
	struct message *m = &f->message;
	enum store_outcome outcome = message_envelope(m);
	const struct imap_envelope *envelope =
		outcome == STORE_OK ? message_imap_envelope(m, &m->envelope) : NULL;

	(void)bit; /* there is one form */
	if (!envelope)
		return outcome == STORE_OK ? STORE_INVALID : outcome;
	separate(f);
	buf_add_c(&f->s->out, "ENVELOPE ");
	imap_write_envelope(&f->s->out, envelope);
	return STORE_OK;
}

static enum store_outcome write_structure(struct fetching *f, unsigned bit)
{
	struct message *m = &f->message;
	bool is_extended = bit == IMAP_FETCH_BODYSTRUCTURE;
	enum store_outcome outcome = message_structure(m);
	const struct imap_body *body = outcome == STORE_OK ? message_imap_body(m) : NULL;

	if (!body)
		return outcome == STORE_OK ? STORE_INVALID : outcome;
	separate(f);
	buf_add_c(&f->s->out, is_extended ? "BODYSTRUCTURE " : "BODY ");
	imap_write_body(&f->s->out, body, is_extended);
	return STORE_OK;
}

/* What a hostile message makes too long for a response is not said, and costs neither the
 * other items nor the session. */
static enum store_outcome write_bounded(struct fetching *f, unsigned bit,
					enum store_outcome (*write)(struct fetching *,
								    unsigned bit))
{
	struct buf *out = &f->s->out;
	size_t before = out->len;
	bool had_item = f->has_item;

	if (!(f->items & bit))
		return STORE_OK;
	if (before > SEND_BYTES) { /* many items before it are no fault of its own */
		session_send(f->s);
		before = 0;
	}
	enum store_outcome outcome = write(f, bit);

	if (buf_ok(out))
		return outcome;
	buf_cut(out, before);
	out->failed = false;
	f->has_item = had_item;
	return STORE_INVALID;
}

static enum store_outcome write_digest_items(struct fetching *f)
{
	struct session *s = f->s;
	enum store_outcome outcome =
		write_bounded(f, IMAP_FETCH_ENVELOPE, write_envelope);

	if (f->items & IMAP_FETCH_PREVIEW) {
		separate(f);
		buf_add_c(&s->out, "PREVIEW ");
		imap_write_string(&s->out, message_preview(&f->message));
	}
	if (outcome == STORE_OK)
		outcome = write_bounded(f, IMAP_FETCH_BODY, write_structure);
	if (outcome == STORE_OK)
		outcome = write_bounded(f, IMAP_FETCH_BODYSTRUCTURE, write_structure);
	return outcome;
}

static void write_name(struct fetching *f, const struct imap_section *section)
{
	separate(f);
	imap_section_write(&f->s->out, section);
	buf_add_byte(&f->s->out, ' ');
}

static void write_cut(struct fetching *f, const struct imap_section *section,
		      struct str text, bool is_binary)
{
	struct session *s = f->s;
	struct octets part = message_cut(section, (struct octets){0, text.len});

	write_name(f, section);
	imap_write_literal_head(&s->out, part.len, is_binary);
	session_send(s);
	text = str_first(str_skip(text, part.at), part.len);
	if (is_binary)
		conn_add(s->conn, text);
	else
		message_say(s->conn, text);
}

/* HEADER.FIELDS and HEADER.FIELDS.NOT. */
static enum store_outcome
write_fields(struct fetching *f, const struct imap_section *section, struct octets where)
{
	SCOPED(buf_fini) struct buf header = BUF(BINARY_MAX), picked = BUF(BINARY_MAX);
	struct str text;
	enum store_outcome outcome = STORE_OK;

	if (!message_known(&f->message, where, &text)) {
		outcome = message_read(&f->message, where, &header);
		text = buf_str(&header);
	}
	if (outcome == STORE_OK) {
		message_fields(&picked, text, section);
		write_cut(f, section, buf_str(&picked), false);
	}
	buf_fini(&picked);
	return outcome;
}

/* BINARY and BINARY.SIZE: the part with its transfer encoding undone.  RFC 3516 §4. */
static enum store_outcome
write_binary(struct fetching *f, const struct imap_section *section, struct octets where)
{
	SCOPED(buf_fini) struct buf encoded = BUF(BINARY_MAX), plain = BUF(BINARY_MAX);
	const struct mime_part *part = message_part(&f->message, section);
	enum store_outcome outcome = message_read(&f->message, where, &encoded);
	bool is_size = section->kind == IMAP_SECTION_BINARY_SIZE;

	if (outcome != STORE_OK)
		return outcome;
	if (section->part_count > 0 && part->transfer == MAIL_TRANSFER_UNKNOWN)
		return STORE_CONFLICT; /* told as UNKNOWN-CTE */
	if (section->part_count > 0)
		mail_transfer_decode(part->transfer, buf_str(&encoded), &plain);
	else
		buf_add(&plain, buf_str(&encoded)); /* BINARY[]: the message itself */
	if (is_size) {
		write_name(f, section);
		buf_add_u64(&f->s->out, plain.len);
	} else {
		struct str text = buf_str(&plain);
		bool has_nul = text.len > 0 && memchr(text.ptr, 0, text.len);

		write_cut(f, section, text, has_nul);
	}
	buf_fini(&plain);
	return STORE_OK;
}

static bool is_fields(const struct imap_section *section)
{
	return section->text == IMAP_TEXT_FIELDS || section->text == IMAP_TEXT_FIELDS_NOT;
}

struct literal {
	struct fetching *f;
	const struct imap_section *section;
	uint64_t len;
	bool is_begun;
};

static void begin_literal(void *arg)
{
	struct literal *literal = arg;
	struct session *s = literal->f->s;

	literal->is_begun = true;
	write_name(literal->f, literal->section);
	imap_write_literal_head(&s->out, literal->len, false);
	session_send(s);
}

/* Nothing is announced before it is known that the text can be read. */
static enum store_outcome
write_octets(struct fetching *f, const struct imap_section *section, struct octets where)
{
	struct str text;
	struct octets part = message_cut(section, where);
	struct literal literal = {f, section, part.len, false};

	if (message_known(&f->message, part, &text)) {
		begin_literal(&literal);
		message_say(f->s->conn, text);
		return STORE_OK;
	}
	enum store_outcome outcome =
		message_send(&f->message, part, begin_literal, &literal);

	f->is_broken = literal.is_begun && outcome != STORE_OK;
	return outcome;
}

static enum store_outcome write_section(struct fetching *f,
					const struct imap_section *section)
{
	struct message *m = &f->message;
	struct octets where;
	bool is_whole = section->part_count == 0;
	enum store_outcome outcome = STORE_OK;

	if (is_whole && section->text != IMAP_TEXT_ALL)
		outcome = message_header_size(m);
	else if (!is_whole)
		outcome = message_structure(m);
	if (outcome != STORE_OK)
		return outcome;
	if (!message_locate(m, section, &where)) {
		write_name(f, section);
		buf_add_c(&f->s->out,
			  section->kind == IMAP_SECTION_BINARY_SIZE ? "0" : "NIL");
		return STORE_OK;
	}
	if (is_fields(section))
		return write_fields(f, section, where);
	if (section->kind == IMAP_SECTION_BINARY ||
	    section->kind == IMAP_SECTION_BINARY_SIZE)
		return write_binary(f, section, where);
	return write_octets(f, section, where);
}

/* One response.  What a message that cannot be read lacks is simply not said, and the
 * command ends with NO. */
static enum store_outcome fetch_one(struct fetching *f, const struct message_row *row)
{
	struct session *s = f->s;
	uint32_t number = numbers_of_uid(&s->box.numbers, row->uid);
	enum store_outcome outcome = STORE_OK;

	if (number == 0)
		return STORE_OK; /* the client does not know of it yet */
	permanent_meet(s, &row->keywords);
	selected_write_fetch(s, number, row->uid);
	f->has_item = false;
	write_plain_items(f, row);
	if (f->needs_message) {
		message_turn(&f->message, row);
		outcome = write_digest_items(f);
	}
	for (size_t i = 0; i < f->section_count && outcome == STORE_OK; i++)
		outcome = write_section(f, &f->sections[i]);
	if (f->is_broken)
		return outcome;
	if (!f->has_item)
		buf_printf(&s->out, "UID %u", row->uid); /* at least one is needed */
	buf_add(&s->out, STR(")\r\n"));
	if (s->out.len > SEND_BYTES)
		session_send(s);
	return outcome;
}

/* Whether bodies are opened for sure. */
static bool needs_bodies(const struct fetching *f)
{
	for (size_t i = 0; i < f->section_count; i++) {
		const struct imap_section *section = &f->sections[i];

		if (section->part_count > 0 || section->text == IMAP_TEXT_ALL ||
		    section->text == IMAP_TEXT_TEXT)
			return true;
	}
	return false;
}

/* The bodies of the rows to come on this page and the next are asked for. */
static void want_bodies(struct ahead *ahead, const struct walk *walk,
			const struct message_row *page, size_t count)
{
	ahead_want(ahead, page, count);
	if (!ahead_has_asked(ahead, &page[count - 1]))
		return;
	page = walk_page_after(walk, &count);
	if (page)
		ahead_want_more(ahead, page, count);
}

/* The outcome is the worst of what could not be read; the rest is sent nevertheless. */
static enum store_outcome fetch_all(struct fetching *f, const struct imap_range *list,
				    size_t count)
{
	struct session *s = f->s;
	enum store_outcome worst = count > 0 ? selected_number(s) : STORE_OK;
	SCOPED(walk_fini) struct walk walk = walk_through(s, list, count, columns_for(f));
	const struct message_row *row;
	bool is_many = false;

	f->needs_message = f->section_count > 0 || (walk.columns & ROW_DIGEST);
	if (worst != STORE_OK)
		return worst;
	SCOPED(ahead_free) struct ahead *ahead = NULL;

	message_init(&f->message, s);
	if (needs_bodies(f))
		ahead = ahead_new(session_store(s), s->box.account, s->box.mailbox);
	f->message.ahead = ahead;
	while (!f->is_broken && !s->is_done && !conn_is_broken(s->conn) &&
	       (row = walk_next(&walk))) {
		size_t page_count;
		const struct message_row *page = walk_page(&walk, &page_count);

		if (f->since != 0 && row->modseq <= f->since)
			continue;
		is_many |= page_count > 1; /* for one alone there is nothing to gain */
		if (ahead && is_many)
			want_bodies(ahead, &walk, page, page_count);
		enum store_outcome outcome = fetch_one(f, row);

		if (outcome != STORE_OK && outcome != STORE_ABSENT)
			worst = outcome;
	}
	message_fini(&f->message);
	return walk.outcome != STORE_OK ? walk.outcome : worst;
}

enum store_outcome fetch_items(struct session *s, const struct imap_range *list,
			       size_t count, unsigned items)
{
	struct fetching f = {.s = s, .items = items};

	return fetch_all(&f, list, count);
}

enum store_outcome fetch_changed(struct session *s, const struct imap_range *list,
				 size_t count, unsigned items, uint64_t since)
{
	struct fetching f = {.s = s, .items = items, .since = since};

	return fetch_all(&f, list, count);
}

enum store_outcome fetch_runs(struct session *s, const struct flags_run *runs,
			      size_t count, unsigned items)
{
	struct fetching f = {.s = s, .items = items};
	enum store_outcome outcome = selected_number(s);

	for (size_t i = 0; outcome == STORE_OK && i < count; i++) {
		struct message_row row = {.flags = runs[i].flags,
					  .keywords = runs[i].keywords};
		uint64_t last = runs[i].uids.last;

		for (uint64_t uid = runs[i].uids.first;
		     uid <= last && !conn_is_broken(s->conn); uid++) {
			row.uid = (uint32_t)uid;
			outcome = fetch_one(&f, &row);
		}
	}
	return outcome;
}

enum store_outcome fetch_asked(struct session *s, const struct imap_range *list,
			       size_t count, const struct imap_fetch *what,
			       const struct uids *seen, bool *is_broken)
{
	struct fetching f = {
		.s = s,
		.items = what->items,
		.sections = what->sections,
		.section_count = what->section_count,
		.seen = seen,
	};
	enum store_outcome outcome = fetch_all(&f, list, count);

	*is_broken = f.is_broken;
	return outcome;
}

err_t fetch_unasked(struct session *s, const struct imap_range *list, size_t count,
		    const struct imap_fetch *what)
{
	struct imap_fetch items = *what;
	bool is_broken;

	items.items |= IMAP_FETCH_UID;
	if (s->is_condstore)
		items.items |= IMAP_FETCH_MODSEQ; /* RFC 7162 §3.2.4 */
	(void)fetch_asked(s, list, count, &items, NULL,
			  &is_broken); /* a FETCH will say what is wrong */
	return is_broken ? ERR_IO : OK;
}
