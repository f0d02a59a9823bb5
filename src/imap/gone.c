#include "imap/gone.h"

#include "store/acl.h"

enum { NAMES_A_PAGE = 50 }; /* each of MAILBOX_PATH_MAX at most */

enum store_outcome gone_is_subscribed(struct session *s, struct str path,
				      bool *is_subscribed)
{
	struct pair_key name;
	struct str value;
	enum store_outcome outcome =
		store_kv_get(session_store(s), s->login.account, pair_gone(&name, path),
			     &s->scratch, &value);

	*is_subscribed = outcome == STORE_OK && str_same(value, path);
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

static size_t levels_of(struct str path)
{
	size_t count = 1;

	for (size_t i = 0; i < path.len; i++)
		count += path.ptr[i] == '/';
	return count;
}

/* Reads the names; *levels is how many levels they have together. */
static enum store_outcome read_names(struct session *s, struct str *names, size_t *count,
				     size_t *levels)
{
	struct str after = STR("");
	struct kv_row *rows;
	size_t found = NAMES_A_PAGE;

	*count = *levels = 0;
	while (found == NAMES_A_PAGE && *count + NAMES_A_PAGE <= SUBSCRIBED_GONE_MAX) {
		enum store_outcome outcome =
			store_kv_scan(session_store(s), s->login.account, PAIR_GONE,
				      after, NAMES_A_PAGE, &s->scratch, &rows, &found);

		if (outcome != STORE_OK)
			return outcome;
		for (size_t i = 0; i < found; i++) {
			names[(*count)++] = rows[i].value;
			*levels += levels_of(rows[i].value);
			after = rows[i].key;
		}
	}
	return STORE_OK;
}

static struct mailbox *known(const struct mailboxes *all, struct mailboxes *gone,
			     struct str path)
{
	struct mailbox *found = mailboxes_find(all, path);

	return found ? found : mailboxes_find(gone, path);
}

/* The level of that name, and those above it; there is room for all. */
static struct mailbox *put(struct session *s, const struct mailboxes *all,
			   struct mailboxes *gone, struct str path)
{
	struct mailbox *above = NULL, *level = NULL;

	for (size_t at = 0; at < path.len; at++) {
		at += str_find_byte(str_skip(path, at), '/');
		struct str front = str_first(path, at);

		level = known(all, gone, front);
		if (!level) {
			level = &gone->list[gone->count++];
			*level = (struct mailbox){.row = {.is_container = true},
						  .account = s->login.account,
						  .owner = s->login.account,
						  .path = front,
						  .above = above,
						  .is_visible = true,
						  .is_nonexistent = true};
		}
		above = level;
	}
	return level;
}

enum store_outcome gone_load(struct session *s, const struct mailboxes *all,
			     struct mailboxes *gone)
{
	struct str *names = ARENA_ARRAY(&s->scratch, struct str, SUBSCRIBED_GONE_MAX);
	size_t count, levels;

	*gone = (struct mailboxes){.account = s->login.account,
				   .owner = s->login.account};
	if (!names)
		return STORE_INVALID;
	enum store_outcome outcome = read_names(s, names, &count, &levels);

	if (outcome != STORE_OK)
		return outcome;
	gone->list = ARENA_ARRAY(&s->scratch, struct mailbox, levels + 1);
	if (!gone->list)
		return STORE_INVALID;
	for (size_t i = 0; i < count; i++) {
		struct mailbox *mailbox = put(s, all, gone, names[i]);

		if (!mailbox)
			continue;
		mailbox->row.is_subscribed = true;
		for (struct mailbox *above = mailbox->above; above; above = above->above)
			above->has_subscribed_below = true;
	}
	return STORE_OK;
}
