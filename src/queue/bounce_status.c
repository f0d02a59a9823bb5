#include "base/num.h"
#include "base/utf8.h"
#include "queue/part.h"
#include "wire/mail/date.h"
#include "wire/smtp/param.h"

enum { FIELD_MAX = 800, DIAGNOSTIC_LINES_MAX = 10, DIAGNOSTIC_LINE_MAX = 500 };

struct str bounce_action_name(enum bounce_action action)
{
	switch (action) {
	case BOUNCE_FAILED:
		return STR("failed");
	case BOUNCE_DELAYED:
		return STR("delayed");
	case BOUNCE_DELIVERED:
		return STR("delivered");
	case BOUNCE_RELAYED:
		return STR("relayed");
	case BOUNCE_EXPANDED:
		return STR("expanded");
	}
	return STR("");
}

struct smtp_enhanced bounce_status(const struct bounce_recipient *recipient)
{
	if (recipient->status.class != 0)
		return recipient->status;
	switch (recipient->action) {
	case BOUNCE_FAILED:
		return (struct smtp_enhanced){5, 0, 0}; /* RFC 3461 §6.3 (g) */
	case BOUNCE_DELAYED:
		return (struct smtp_enhanced){4, 0, 0};
	case BOUNCE_RELAYED:
		return (struct smtp_enhanced){2, 1, 9};
	case BOUNCE_DELIVERED:
	case BOUNCE_EXPANDED:
		break;
	}
	return (struct smtp_enhanced){2, 1, 5};
}

struct str bounce_address(const struct bounce_recipient *recipient)
{
	const struct queue_recipient *to = &recipient->row->recipient;

	return to->original.len > 0 ? to->original : to->address;
}

void bounce_add_clean(struct buf *out, struct str line, size_t max, bool is_global)
{
	for (line = utf8_first(line, max); line.len > 0;) {
		uint32_t code;
		bool is_good = utf8_take(&line, &code);
		/* C0, DEL and C1 controls; what turns the direction of the line around.
		 */
		bool is_visible = is_good && code >= 32 && !(code >= 127 && code < 160) &&
				  !(code >= 0x202a && code <= 0x202e) &&
				  !(code >= 0x2066 && code <= 0x2069) && code != 0x2028 &&
				  code != 0x2029;

		if (is_visible && (is_global || code < 128))
			utf8_add(out, code);
		else
			buf_add_byte(out, code == '\t' ? ' ' : '?');
	}
}

static void add_date_field(struct buf *out, const char *name, int64_t at)
{
	if (at <= 0)
		return;
	buf_add_c(out, name);
	mail_date_add(out, at, 0);
	buf_add(out, STR("\r\n"));
}

/* utf-8-addr-xtext: what is not ASCII as "\x{1F600}".  RFC 6533 §3. */
static void add_unitext(struct buf *out, struct str address)
{
	address = utf8_first(address, FIELD_MAX);
	while (address.len > 0) {
		uint32_t code;

		(void)utf8_take(&address, &code); /* or the sign for a broken one */
		if (code > 32 && code < 127 && code != '\\' && code != '+' && code != '=')
			buf_add_byte(out, (char)code);
		else
			buf_printf(out, "\\x{%02X}", (unsigned)code);
	}
}

/* "rfc822; ann@example.org", or of the type utf-8. */
static void add_address(struct buf *out, struct str address, bool is_global)
{
	bool is_ascii = utf8_ascii_len(address) == address.len;

	buf_add_c(out, is_ascii ? "rfc822; " : "utf-8; ");
	if (is_ascii || is_global)
		bounce_add_clean(out, address, FIELD_MAX, is_global);
	else
		add_unitext(out, address);
	buf_add(out, STR("\r\n"));
}

/* The one character that "\x{...}" at the front names; false, and nothing moved, if it is
 * none. */
static bool take_embedded(struct str *text, uint32_t *code)
{
	if (!str_starts(*text, STR("\\x{")))
		return false;
	struct str digits = str_skip(*text, 3);
	size_t len = str_find_byte(digits, '}');

	if (len < 2 || len > 6 || len == digits.len)
		return false;
	*code = 0;
	for (size_t i = 0; i < len; i++) {
		int digit = num_hex(digits.ptr[i]);

		if (digit < 0)
			return false;
		*code = *code << 4 | (uint32_t)digit;
	}
	*text = str_skip(digits, len + 1);
	return true;
}

/* The value of ORCPT, as it was given but for "\x{...}", which is undone where UTF-8 may
 * stand.  RFC 6533 §3. */
static void add_original_recipient(struct buf *out, struct str orcpt, bool is_global)
{
	struct str type = str_first(orcpt, str_find_byte(orcpt, ';'));
	struct str address = str_skip(orcpt, type.len + 1);
	bool is_utf8 = str_same_nocase(type, STR("utf-8"));

	buf_add(out, STR("Original-Recipient: "));
	bounce_add_clean(out, type, FIELD_MAX, false);
	buf_add(out, STR("; "));
	if (is_utf8 && !is_global && utf8_ascii_len(address) < address.len) {
		add_unitext(out, address);
	} else if (is_utf8 && is_global) {
		SCOPED(buf_fini) struct buf plain = BUF(4 * FIELD_MAX);

		for (uint32_t code; address.len > 0;)
			if (take_embedded(&address, &code) || utf8_take(&address, &code))
				utf8_add(&plain, code);
		bounce_add_clean(out, buf_str(&plain), FIELD_MAX, true);
	} else {
		bounce_add_clean(out, address, FIELD_MAX, is_global);
	}
	buf_add(out, STR("\r\n"));
}

/* RFC 3461 §9.2: the reply, its lines as one folded field. */
static void add_diagnostic(struct buf *out, struct str said, bool is_ours, bool is_global)
{
	if (said.len == 0)
		return;
	buf_add_c(out,
		  is_ours ? "Diagnostic-Code: x-postrider; " : "Diagnostic-Code: smtp; ");
	for (size_t i = 0; i < DIAGNOSTIC_LINES_MAX && said.len > 0; i++) {
		if (i > 0)
			buf_add(out, STR("\r\n "));
		struct str line = str_trim(str_cut(&said, '\n'));

		/* A line of spaces would be a fold of nothing. */
		bounce_add_clean(out, line.len > 0 ? line : STR("-"), DIAGNOSTIC_LINE_MAX,
				 is_global);
	}
	buf_add(out, STR("\r\n"));
}

static void add_recipient(const struct bounce_recipient *to, bool is_global,
			  struct buf *out)
{
	struct smtp_enhanced status = bounce_status(to);

	buf_add(out, STR("\r\n"));
	if (to->row->recipient.orcpt.len > 0)
		add_original_recipient(out, to->row->recipient.orcpt, is_global);
	buf_add(out, STR("Final-Recipient: "));
	add_address(out, bounce_address(to), is_global);
	buf_printf(out, "Action: %.*s\r\nStatus: %u.%u.%u\r\n",
		   STR_FMT(bounce_action_name(to->action)), status.class, status.subject,
		   status.detail);
	if (to->host.len > 0) {
		buf_add(out, STR("Remote-MTA: dns; "));
		bounce_add_clean(out, to->host, FIELD_MAX, false);
		buf_add(out, STR("\r\n"));
	}
	add_diagnostic(out, to->said, to->host.len == 0, is_global);
	add_date_field(out, "Last-Attempt-Date: ", to->tried_at);
	if (to->action == BOUNCE_DELAYED) /* and nowhere else.  RFC 3464 §2.3.9 */
		add_date_field(out, "Will-Retry-Until: ", to->retry_until);
}

/* What was asked of MAIL with HOLDFOR or HOLDUNTIL.  RFC 4865 §5.1.2. */
static void add_hold(struct buf *out, const struct queue_row *row)
{
	const struct queue_timing *timing = &row->timing;

	if (timing->hold_until == 0)
		return;
	if (timing->modes & QUEUE_HOLD_FOR) {
		int64_t hold_s = timing->hold_until - row->received_at;

		buf_printf(out, "Future-Release-Request: for;%lld\r\n",
			   (long long)(hold_s > 0 ? hold_s : 0));
		return;
	}
	buf_add(out, STR("Future-Release-Request: until;"));
	smtp_date_time_add(out, timing->hold_until);
	buf_add(out, STR("\r\n"));
}

void part_status_add(const struct bounce *bounce, bool is_global, struct buf *out)
{
	const struct queue_row *row = bounce->recipients[0].row;

	if (row->envid.len > 0) {
		buf_add(out, STR("Original-Envelope-Id: "));
		bounce_add_clean(out, row->envid, FIELD_MAX, false);
		buf_add(out, STR("\r\n"));
	}
	buf_printf(out, "Reporting-MTA: dns; %.*s\r\n", STR_FMT(bounce->hostname));
	add_date_field(out, "Arrival-Date: ", row->received_at);
	if (row->timing.modes & (QUEUE_BY_NOTIFY | QUEUE_BY_RETURN))
		add_date_field(out, "Deliver-By-Date: ", row->timing.deliver_by);
	add_hold(out, row);
	buf_add(out, STR("X-Postrider-Queue-ID: "));
	bounce_add_clean(out, row->id, FIELD_MAX, false);
	buf_add(out, STR("\r\n"));
	for (size_t i = 0; i < bounce->count; i++)
		add_recipient(&bounce->recipients[i], is_global, out);
}
