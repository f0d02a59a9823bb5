#include "storage/gone.h"

#include "store/acl.h"

/* A whole name, put together from its last level on: it ends where text does. */
struct path {
	char text[MAILBOX_PATH_MAX];
	size_t at;
};

static struct str path_text(const struct path *path)
{
	return (struct str){path->text + path->at, sizeof path->text - path->at};
}

static bool path_prepend(struct path *path, struct str level)
{
	bool is_last = path->at == sizeof path->text;

	if (level.len + !is_last > path->at)
		return false;
	if (!is_last)
		path->text[--path->at] = '/';
	path->at -= level.len;
	memcpy(path->text + path->at, level.ptr, level.len);
	return true;
}

/* Prepends the names of the mailbox and of all above it.  ABSENT if one is lost. */
static err_t path_through(struct work *work, uint64_t mailbox, struct path *path)
{
	while (mailbox != 0) {
		struct mailbox_row *row;

		TRY(work_mailbox(work, mailbox, &row));
		if (!path_prepend(path, row->name))
			return ERR_ABSENT;
		mailbox = row->parent;
	}
	return OK;
}

static err_t has_room(struct work *work, bool *has)
{
	struct key key;
	struct str start = key_kv(&key, work->account.id, PAIR_GONE);
	size_t count = 0;
	err_t err = kv_seek(&work->cursor, start);

	for (; err == OK && str_starts(work->cursor.key, start) &&
	       count < SUBSCRIBED_GONE_MAX;
	     count++)
		err = kv_next(&work->cursor);
	*has = count < SUBSCRIBED_GONE_MAX;
	return err == ERR_ABSENT ? OK : err;
}

err_t gone_leave(struct work *work, uint64_t mailbox)
{
	struct path path = {.at = sizeof path.text};
	struct pair_key name;
	struct key key;
	bool may_add;
	err_t err = path_through(work, mailbox, &path);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	TRY(has_room(work, &may_add));
	if (!may_add)
		return OK;
	struct str text = path_text(&path);

	return kv_put(work->txn, key_kv(&key, work->account.id, pair_gone(&name, text)),
		      text);
}

err_t gone_take(struct work *work, uint64_t parent, struct str name, bool *is_subscribed)
{
	struct path path = {.at = sizeof path.text};
	struct pair_key pair;
	struct key key;
	struct str value;
	err_t err = path_prepend(&path, name) ? path_through(work, parent, &path)
					      : ERR_ABSENT;

	if (err == OK)
		err = kv_get(work->txn,
			     key_kv(&key, work->account.id,
				    pair_gone(&pair, path_text(&path))),
			     &value);
	if (err == OK && !str_same(value, path_text(&path)))
		err = ERR_ABSENT; /* another name with the same hash */
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	*is_subscribed = true;
	return kv_delete(work->txn, key_kv(&key, work->account.id,
					   pair_gone(&pair, path_text(&path))));
}
