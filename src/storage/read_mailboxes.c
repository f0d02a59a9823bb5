/* The mailboxes of an account, for any thread. */
#include "storage/embedded.h"
#include "store/acl.h"

static enum store_outcome mailbox_get(struct reader *reader, account_t account,
				      uint64_t mailbox, struct arena *arena,
				      struct mailbox_row *row)
{
	struct key key;
	struct str value;

	if (mailbox >> NUMBER_MAX_BITS)
		return STORE_ABSENT;
	err_t err = kv_get(reader->txn, key_mailbox(&key, account, mailbox), &value);

	if (err != OK)
		return read_err(err);
	if (!mailbox_read(value, mailbox, row))
		return read_damaged("mailbox");
	row->rights = ACL_RIGHTS; /* as its owner has them */
	return arena_copy(arena, row->name, &row->name) ? STORE_OK : STORE_INVALID;
}

enum store_outcome storage_mailbox(struct storage *storage, account_t account,
				   uint64_t mailbox, struct arena *arena,
				   struct mailbox_row *row)
{
	SCOPED(reader_end) struct reader reader;
	struct account_row of;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome == STORE_OK)
		outcome = reader_account(&reader, account, &of);
	if (outcome == STORE_OK)
		outcome = mailbox_get(&reader, account, mailbox, arena, row);
	if (outcome == STORE_OK)
		row->change = of.change;
	return outcome;
}

/* The tree on the way: the mailbox whose children come at each level. */
struct tree {
	uint64_t parent[MAILBOX_DEPTH_MAX + 1];
	struct str last[MAILBOX_DEPTH_MAX + 1]; /* the child that was taken last */
	unsigned depth;
};

/* The next child at the tree's level; ERR_ABSENT if there is none. */
static err_t tree_next(struct reader *reader, account_t account, const struct tree *tree,
		       uint64_t *child)
{
	struct key key;
	struct str last = tree->last[tree->depth];
	struct str start = key_name(&key, account, tree->parent[tree->depth], last);
	err_t err = kv_seek(&reader->cursor, start);

	if (err == OK && last.len > 0 && str_same(reader->cursor.key, start))
		err = kv_next(&reader->cursor);
	TRY(err);
	if (!str_starts(reader->cursor.key, str_first(start, start.len - last.len)))
		return ERR_ABSENT;
	struct dec d = dec_over(reader->cursor.value);

	*child = dec_key48(&d);
	return dec_done(&d) ? OK : ERR_SYNTAX;
}

enum store_outcome storage_mailboxes(struct storage *storage, account_t account,
				     struct arena *arena, struct mailbox_row **rows,
				     size_t *count)
{
	SCOPED(reader_end) struct reader reader;
	struct account_row row;
	struct tree tree = {0};
	enum store_outcome outcome = reader_begin(&reader, storage);

	*count = 0;
	if (outcome == STORE_OK)
		outcome = reader_account(&reader, account, &row);
	if (outcome != STORE_OK)
		return outcome;
	*rows = ARENA_ARRAY(arena, struct mailbox_row, row.mailboxes);
	if (!*rows)
		return STORE_INVALID;
	while (*count < row.mailboxes) {
		uint64_t child;
		err_t err = tree_next(&reader, account, &tree, &child);

		if (err == ERR_ABSENT && tree.depth > 0) {
			tree.depth--;
			continue;
		}
		if (err == ERR_ABSENT)
			break;
		if (err != OK)
			return read_err(err);
		outcome = mailbox_get(&reader, account, child, arena, &(*rows)[*count]);
		if (outcome != STORE_OK)
			return outcome;
		tree.last[tree.depth] = (*rows)[*count].name;
		++*count;
		if (tree.depth < MAILBOX_DEPTH_MAX) {
			tree.depth++;
			tree.parent[tree.depth] = child;
			tree.last[tree.depth] = STR("");
		}
	}
	return STORE_OK;
}
