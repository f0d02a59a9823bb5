#include "queue/bounce.h"

#include "base/utf8.h"
#include "queue/part.h"
#include "store/store.h"
#include "wire/mail/date.h"
#include "wire/mail/header.h"
#include "wire/mail/message_id.h"
#include "wire/mail/transfer.h"

enum { LINE_MAX_OCTETS = 998, IDS_ARENA_MAX = 64 * 1024, WORDS_MAX = 1024 * 1024 };

enum notify {
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8
};

/* ---- who wants what ---------------------------------------------------------------- */

bool bounce_is_wanted(const struct queue_row *row, enum bounce_action action)
{
	unsigned notify = row->recipient.notify;
	bool wants_trace = row->timing.modes & (QUEUE_BY_TRACE | QUEUE_BY_NOTIFY);

	switch (action) {
	case BOUNCE_FAILED:
		return notify == 0 || (notify & NOTIFY_FAILURE);
	case BOUNCE_DELAYED:
		return notify == 0 || (notify & NOTIFY_DELAY);
	case BOUNCE_RELAYED: /* RFC 2852 §4.1.4: even unasked */
		return (notify & NOTIFY_SUCCESS) ||
		       (wants_trace && !(notify & NOTIFY_NEVER));
	case BOUNCE_DELIVERED:
	case BOUNCE_EXPANDED:
		return notify & NOTIFY_SUCCESS;
	}
	return false;
}

/* ---- what is given back ------------------------------------------------------------ */

static bool take_front(void *arg, struct str piece)
{
	struct buf *front = arg;

	buf_add(front, str_first(piece, BOUNCE_HEADER_MAX - front->len));
	return front->len < BOUNCE_HEADER_MAX;
}

/* Only whole fields, without the blank line; where the text ends early the last one may
 * be cut, and goes. */
static size_t header_len(struct str text)
{
	struct mail_fields fields = mail_fields_over(text);
	struct mail_field field;
	size_t end = 0;

	while (mail_fields_next(&fields, &field))
		if (field.at + field.len < text.len || text.len < BOUNCE_HEADER_MAX)
			end = field.at + field.len;
	return end;
}

/* What may stand in a part of 7 or 8 bits: RFC 2045 §2.7, §2.8. */
static bool is_text(struct str text)
{
	while (text.len > 0) {
		struct str line = str_cut(&text, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (line.len > LINE_MAX_OCTETS || memchr(line.ptr, 0, line.len) ||
		    memchr(line.ptr, '\r', line.len))
			return false;
	}
	return true;
}

enum store_outcome bounce_original(struct store *store, const struct queue_row *row,
				   bool is_failure, struct buf *original, bool *is_whole)
{
	bool may_whole = is_failure && row->ret == 1 && row->size < BOUNCE_ORIGINAL_MAX &&
			 !(row->body_kind & (QUEUE_BINARYMIME | QUEUE_REQUIRETLS));
	struct buf body = BUF(may_whole ? BOUNCE_ORIGINAL_MAX : BOUNCE_HEADER_MAX);
	enum store_outcome outcome =
		may_whole ? store_body(store, row->account, MESSAGE_REF(row->message),
				       &body)
			  : store_body_each(store, row->account,
					    MESSAGE_REF(row->message), take_front, &body);
	struct str text = buf_str(&body);

	*is_whole = may_whole && is_text(text);
	if (outcome == STORE_OK) {
		buf_add(original, row->trace);
		buf_add(original, *is_whole ? text : str_first(text, header_len(text)));
	}
	buf_fini(&body);
	return outcome;
}

/* ---- the report -------------------------------------------------------------------- */

static bool is_ascii(struct str text)
{
	return utf8_ascii_len(text) == text.len;
}

static enum bounce_action worst(const struct bounce *bounce)
{
	enum bounce_action action = bounce->recipients[0].action;

	for (size_t i = 1; i < bounce->count; i++)
		if (bounce->recipients[i].action < action)
			action = bounce->recipients[i].action;
	return action;
}

static void add_subject(const struct bounce *bounce, struct buf *out)
{
	static const char *const words[] = {
		[BOUNCE_FAILED] = "Your mail could not be delivered",
		[BOUNCE_DELAYED] = "Your mail is delayed",
		[BOUNCE_DELIVERED] = "Your mail was delivered",
		[BOUNCE_RELAYED] = "Your mail was passed on",
		[BOUNCE_EXPANDED] = "Your mail was passed on",
	};
	struct str address = bounce_address(&bounce->recipients[0]);

	buf_printf(out, "Subject: %s", words[worst(bounce)]);
	if (bounce->count == 1 && is_ascii(address) && address.len <= 200) {
		buf_add(out, STR("\r\n (to "));
		bounce_add_clean(out, address, address.len, false);
		buf_add(out, STR(")"));
	}
	buf_add(out, STR("\r\n"));
}

/* RFC 3834 §3.1.5. */
static void add_thread(const struct bounce *bounce, struct buf *out)
{
	struct mail_fields fields = mail_fields_over(bounce->original);
	struct mail_field field;
	struct arena arena;
	struct mail_ids ids = {0};

	arena_init(&arena, IDS_ARENA_MAX);
	while (ids.count == 0 && mail_fields_next(&fields, &field))
		if (str_same_nocase(field.name, STR("Message-ID")))
			ids = mail_ids_parse(&arena, field.value, 1);
	if (ids.count > 0 && ids.items[0].len <= 250 && is_ascii(ids.items[0]) &&
	    str_find_byte(ids.items[0], ' ') == ids.items[0].len) {
		buf_add(out, STR("In-Reply-To: <"));
		bounce_add_clean(out, ids.items[0], ids.items[0].len, false);
		buf_add(out, STR(">\r\nReferences: <"));
		bounce_add_clean(out, ids.items[0], ids.items[0].len, false);
		buf_add(out, STR(">\r\n"));
	}
	arena_fini(&arena);
}

static void add_header(const struct bounce *bounce, struct buf *out)
{
	buf_add(out, STR("Date: "));
	mail_date_add(out, bounce->now, 0);
	buf_printf(out, "\r\nMessage-ID: <%.*s@%.*s>\r\n", STR_FMT(bounce->id),
		   STR_FMT(bounce->hostname));
	buf_printf(out, "From: Mail Delivery <postmaster@%.*s>\r\nTo: <",
		   STR_FMT(bounce->domain));
	bounce_add_clean(out, bounce->to, bounce->to.len, true);
	buf_add(out, STR(">\r\n"));
	add_subject(bounce, out);
	add_thread(bounce, out);
	buf_printf(out,
		   "Auto-Submitted: auto-replied\r\n" /* RFC 3834 §5 */
		   "MIME-Version: 1.0\r\n"
		   "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		   "\tboundary=\"report-%.*s\"\r\n\r\n"
		   "This is a report about a mail, in MIME.\r\n",
		   STR_FMT(bounce->id));
}

static void add_delimiter(const struct bounce *bounce, const char *end, struct buf *out)
{
	buf_printf(out, "\r\n--report-%.*s%s\r\n", STR_FMT(bounce->id), end);
}

/* A part with its Content-Transfer-Encoding: what is ASCII goes as it is; the rest too,
 * where the report travels as UTF-8 anyhow, else as quoted-printable.  RFC 6533 §4.5. */
static void add_part(const struct bounce *bounce, const char *type, struct str text,
		     struct buf *out)
{
	bool is_plain = is_ascii(text) && is_text(text);
	bool is_8bit = !is_plain && !is_ascii(bounce->to) && is_text(text);

	add_delimiter(bounce, "", out);
	buf_printf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", type,
		   is_plain  ? "7bit"
		   : is_8bit ? "8bit"
			     : "quoted-printable");
	if (is_plain || is_8bit)
		buf_add(out, text);
	else
		mail_qp_add(out, text);
}

/* message/rfc822 must not be encoded (RFC 2046 §5.2.1), message/global may be. */
static void add_original(const struct bounce *bounce, bool is_global, struct buf *out)
{
	if (!bounce->is_whole)
		return add_part(bounce,
				is_global ? "message/global-headers"
					  : "text/rfc822-headers; charset=utf-8",
				bounce->original, out);
	if (is_global)
		return add_part(bounce, "message/global", bounce->original, out);
	add_delimiter(bounce, "", out);
	buf_printf(out,
		   "Content-Type: message/rfc822\r\n"
		   "Content-Transfer-Encoding: %s\r\n\r\n",
		   is_ascii(bounce->original) ? "7bit" : "8bit");
	buf_add(out, bounce->original);
}

uint8_t bounce_write(const struct bounce *bounce, struct buf *message)
{
	const struct queue_row *row = bounce->recipients[0].row;
	bool is_global = row->body_kind & QUEUE_SMTPUTF8;
	size_t from = message->len;
	struct buf part = BUF(BOUNCE_BYTES_MAX);
	unsigned kind = QUEUE_7BIT;

	ASSERT(bounce->count > 0 && bounce->count <= BOUNCE_RECIPIENTS_MAX);
	add_header(bounce, message);
	part_words_add(bounce, &part);
	add_part(bounce, "text/plain; charset=utf-8", buf_str(&part), message);
	buf_reset(&part);
	part_status_add(bounce, is_global, &part);
	add_part(bounce,
		 is_global ? "message/global-delivery-status" : "message/delivery-status",
		 buf_str(&part), message);
	buf_fini(&part);
	add_original(bounce, is_global, message);
	add_delimiter(bounce, "--", message);
	if (!is_ascii(str_skip(buf_str(message), from)))
		kind = QUEUE_8BITMIME;
	if (!is_ascii(bounce->to))
		kind |= QUEUE_SMTPUTF8;
	if (row->body_kind & QUEUE_REQUIRETLS) /* RFC 8689 §5 */
		kind |= QUEUE_REQUIRETLS;
	return (uint8_t)kind;
}
