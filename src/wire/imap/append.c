#include "wire/imap/append.h"

/* "UTF8" SP "(" literal8 ")", of which the rest comes behind the octets. */
static bool utf8_head(struct imap_in *in)
{
	struct str name;

	return imap_label(in, &name) && str_same_nocase(name, STR("UTF8")) &&
	       imap_space(in) && cur_byte(&in->at, '(') && cur_sees(in->at, '~');
}

/* append-message = [SP flag-list] [SP date-time] SP literal */
static bool append_message(struct imap_in *in, struct imap_append_message *message)
{
	*message = (struct imap_append_message){0};
	if (!imap_space(in))
		return false;
	if (cur_sees(in->at, '(') &&
	    (!imap_flag_list(in, &message->flags) || !imap_space(in)))
		return false;
	message->has_date = cur_sees(in->at, '"');
	if (message->has_date && (!imap_date_time(in, &message->date) || !imap_space(in)))
		return false;
	message->is_utf8 = cur_sees(in->at, 'U') || cur_sees(in->at, 'u');
	if (message->is_utf8 && !utf8_head(in))
		return false;
	return imap_literal_head(in, &message->literal);
}

bool imap_append(struct imap_in *in, struct imap_append *append)
{
	struct cursor from = in->at;

	*append = (struct imap_append){0};
	if (imap_mailbox(in, &append->mailbox) && append_message(in, &append->first))
		return true;
	(void)imap_fail_here(in, "a mailbox and a message are expected");
	in->at = from;
	return false;
}

bool imap_append_next(struct imap_in *in, bool was_utf8, bool *is_end,
		      struct imap_append_message *next)
{
	struct cursor from = in->at;

	*is_end = false;
	if (was_utf8 && !cur_byte(&in->at, ')'))
		return imap_fail_here(in, "\"UTF8 (\" does not end");
	struct cursor end = in->at;

	*is_end = cur_byte(&end, '\r') && cur_byte(&end, '\n') && cur_done(end);
	if (*is_end) {
		in->at = end;
		return true;
	}
	if (append_message(in, next))
		return true;
	(void)imap_fail_here(in, "the next message or the end is expected");
	in->at = from;
	return false;
}
