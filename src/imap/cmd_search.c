/* SEARCH and SORT.  RFC 9051 §6.4.4, RFC 5256 §3; "$" is RFC 5182, UPDATE is RFC 5267. */
#include "imap/context.h"
#include "imap/esearch.h"

static err_t search(struct session *s, const struct imap_command *command,
		    struct context **context)
{
	SCOPED(find_fini) struct find find;
	SCOPED(found_fini) struct found found = {0};
	err_t err;

	if (!find_begin(&find, s, command, &err))
		return err;
	enum store_outcome outcome = esearch_find(&find, command, &found);

	if (outcome == STORE_OK)
		outcome = esearch_write(s, command, &found);
	if (outcome != STORE_OK)
		return find_failed(s, command, outcome);
	if ((command->search.returns & IMAP_RETURN_UPDATE) &&
	    !context_begin(s, context, &found))
		esearch_refuse_updates(s, command->tag);
	return reply_ok(s, command, "That is all");
}

err_t on_search(struct session *s, const struct imap_command *command)
{
	SCOPED(context_free) struct context *context = NULL;

	if (command->search.returns & IMAP_RETURN_UPDATE) {
		if (context_find(s, command->tag)) /* RFC 5267 §4.3 */
			return reply_bad(s, command, "the tag is in use by an UPDATE");
		context = context_new(s, command);
	}
	return search(s, command, &context);
}

/* RFC 5267 §4.3.5 */
err_t on_cancelupdate(struct session *s, const struct imap_command *command)
{
	bool are_known = true;

	for (size_t i = 0; i < command->cancel.count; i++)
		are_known &= context_cancel(s, command->cancel.tags[i]);
	if (!are_known)
		return reply_no(s, command, "No updates are sent for all of these tags");
	return reply_ok(s, command, "No more updates");
}
