#include "wire/imap/append.h"

bool imap_append(struct imap_in *in, struct imap_append *append)
{
	struct cursor from = in->at;

	*append = (struct imap_append){0};
	if (!imap_mailbox(in, &append->mailbox) || !imap_space(in))
		goto out;
	if (cur_sees(in->at, '(') &&
	    (!imap_flag_list(in, &append->flags) || !imap_space(in)))
		goto out;
	append->has_date = cur_sees(in->at, '"');
	if (append->has_date && (!imap_date_time(in, &append->date) || !imap_space(in)))
		goto out;
	if (imap_literal_head(in, &append->message))
		return true;
out:
	(void)imap_fail_here(in, "a mailbox and a message are expected");
	in->at = from;
	return false;
}
