#include "base/utf8.h"
#include "queue/part.h"
#include "queue/status.h"
#include "wire/mail/date.h"

enum { SAID_LINES_MAX = 10, SAID_LINE_MAX = 300, ADDRESS_MAX = 320 };

static void add_line(struct buf *out, const char *text)
{
	buf_add_c(out, text);
	buf_add(out, STR("\r\n"));
}

static void add_date(struct buf *out, int64_t at)
{
	mail_date_add(out, at, 0);
}

/* The words of the other server, marked as such. */
static void add_said(const struct bounce_recipient *to, struct buf *out)
{
	struct str said = to->said;

	if (said.len == 0)
		return;
	buf_add(out, STR("    "));
	if (to->host.len > 0) {
		buf_add(out, STR("The server "));
		bounce_add_clean(out, to->host, ADDRESS_MAX, true);
		buf_add(out, STR(" said:\r\n"));
	} else {
		buf_add(out, STR("In detail:\r\n"));
	}
	for (size_t i = 0; i < SAID_LINES_MAX && said.len > 0; i++) {
		buf_add(out, STR("    > "));
		bounce_add_clean(out, str_cut(&said, '\n'), SAID_LINE_MAX, true);
		buf_add(out, STR("\r\n"));
	}
}

static void add_failed(const struct bounce_recipient *to, struct buf *out)
{
	struct smtp_enhanced status = bounce_status(to);
	struct status_words words = status_words(status);

	buf_printf(out, "    %s\r\n", words.what);
	if (status.class == 4) {
		buf_add(out, STR("    We have tried since "));
		add_date(out, to->row->received_at);
		buf_add(out, STR(", and have given up.\r\n"));
	}
	add_said(to, out);
	if (words.advice[0] != '\0')
		buf_printf(out, "    %s\r\n", words.advice);
}

static void add_delayed(const struct bounce_recipient *to, struct buf *out)
{
	buf_printf(out, "    %s\r\n", status_words(bounce_status(to)).what);
	add_said(to, out);
	if (to->retry_until > 0) {
		buf_add(out, STR("    We keep trying until "));
		add_date(out, to->retry_until);
		buf_add(out, STR(".\r\n"));
	}
}

static void add_recipient(const struct bounce_recipient *to, struct buf *out)
{
	buf_add(out, STR("\r\n  "));
	bounce_add_clean(out, bounce_address(to), ADDRESS_MAX, true);
	buf_add(out, STR("\r\n"));
	switch (to->action) {
	case BOUNCE_FAILED:
		add_failed(to, out);
		return;
	case BOUNCE_DELAYED:
		add_delayed(to, out);
		return;
	case BOUNCE_RELAYED:
		if (to->host.len > 0) {
			buf_add(out, STR("    It was handed to the server "));
			bounce_add_clean(out, to->host, ADDRESS_MAX, true);
			buf_add(out, STR(".\r\n"));
		}
		return;
	case BOUNCE_DELIVERED:
	case BOUNCE_EXPANDED:
		return;
	}
}

static const char *opening(enum bounce_action action)
{
	switch (action) {
	case BOUNCE_FAILED:
		return "Your mail could not be delivered to:";
	case BOUNCE_DELAYED:
		return "Your mail could not be delivered yet to:";
	case BOUNCE_DELIVERED:
		return "Your mail was delivered to the mailbox of:";
	case BOUNCE_RELAYED:
		return "Your mail was passed on, to a server that will not tell you of "
		       "its "
		       "delivery, for:";
	case BOUNCE_EXPANDED:
		return "Your mail was passed on to all those who stand behind:";
	}
	return "";
}

static const char *closing(enum bounce_action action)
{
	switch (action) {
	case BOUNCE_FAILED:
		return "For these recipients nothing was kept: who shall have the mail "
		       "must "
		       "be sent it\r\nagain.";
	case BOUNCE_DELAYED:
		return "You need do nothing, and need not send it again. If it fails in "
		       "the end, you will be\r\ntold.";
	case BOUNCE_DELIVERED:
		return "That does not mean that it has been read.";
	case BOUNCE_RELAYED:
	case BOUNCE_EXPANDED:
		break;
	}
	return NULL;
}

static void add_section(const struct bounce *bounce, enum bounce_action action,
			struct buf *out)
{
	bool is_open = false;

	for (size_t i = 0; i < bounce->count; i++) {
		if (bounce->recipients[i].action != action)
			continue;
		if (!is_open) {
			add_line(out, "");
			add_line(out, opening(action));
		}
		is_open = true;
		add_recipient(&bounce->recipients[i], out);
	}
	if (is_open && closing(action)) {
		add_line(out, "");
		add_line(out, closing(action));
	}
}

void part_words_add(const struct bounce *bounce, struct buf *out)
{
	bool has_failed = false;

	buf_printf(out,
		   "This is the mail server %.*s, writing by itself about a mail that\r\n"
		   "came here from you on ",
		   STR_FMT(bounce->hostname));
	add_date(out, bounce->recipients[0].row->received_at);
	add_line(out, ".");
	for (int action = BOUNCE_FAILED; action <= BOUNCE_EXPANDED; action++)
		add_section(bounce, (enum bounce_action)action, out);
	for (size_t i = 0; i < bounce->count; i++)
		has_failed |= bounce->recipients[i].action == BOUNCE_FAILED;
	add_line(out, "");
	add_line(out, bounce->is_whole
			      ? "Your mail follows below, with what programs want "
				"to know of this."
			      : "The header of your mail follows below, with what "
				"programs want to know of this.");
	if (has_failed)
		add_line(out, "Who does not understand this may ask the postmaster: just "
			      "answer this mail.");
}
