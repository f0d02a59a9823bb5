#include "imap/named.h"

#include "base/num.h"

err_t named_unreadable(struct session *s)
{
	return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now; "
			    "connect again in a minute");
}

bool named_uids(struct session *s, const struct imap_command *command,
		const struct imap_sequence_set *set, struct imap_range **list,
		size_t *count, err_t *err)
{
	const char *reason = "";

	switch (selected_uids(s, set, command->is_uid ? BY_UID : BY_NUMBER, list, count,
			      &reason)) {
	case SELECTED_OK:
		return true;
	case SELECTED_BAD:
		*err = reply_bad(s, command, "%s", reason);
		return false;
	case SELECTED_LOST:
		break;
	}
	*err = named_unreadable(s);
	return false;
}

uint64_t named_at_most(const struct session *s, const struct imap_range *list,
		       size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += (uint64_t)list[i].last - list[i].first + 1;
	return num_min(total, s->box.count);
}
