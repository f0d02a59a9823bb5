#include "imap/annotated.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/acl.h"

void annotated_fini(struct annotated *annotated)
{
	mem_free(annotated->list);
	annotated->list = NULL;
	annotated->count = annotated->room = 0;
}

/* The scope's name, and what stands behind it in the pair's: "s/comment" is
 * /shared/comment, "p/0000002a/comment" is /private/comment of account 42. */
static bool name_of(struct str entry, account_t self, struct str *root, struct str *below)
{
	struct pair_key key;
	struct str own = pair_private(&key, self);
	bool is_shared = str_starts(entry, STR("s/"));

	*root = is_shared ? STR("/shared/") : STR("/private/");
	*below = str_skip(entry, is_shared ? 2 : own.len);
	return (is_shared || str_starts(entry, own)) && below->len > 0;
}

void annotated_add(struct annotated *annotated, const struct change_row *row)
{
	struct str root, below;

	if (!name_of(row->entry, annotated->self, &root, &below))
		return;
	MEM_ROOM(annotated->list, annotated->count, annotated->room);
	annotated->list[annotated->count++] =
		(struct changed_entry){row->mailbox, row->entry};
}

static int compare(const void *a, const void *b)
{
	const struct changed_entry *one = a, *other = b;

	if (one->mailbox != other->mailbox)
		return one->mailbox < other->mailbox ? -1 : 1;
	return str_cmp(one->entry, other->entry);
}

void annotated_sort(struct annotated *annotated)
{
	size_t kept = 0;

	if (annotated->count == 0)
		return;
	qsort(annotated->list, annotated->count, sizeof *annotated->list, compare);
	for (size_t i = 1; i < annotated->count; i++)
		if (compare(&annotated->list[kept], &annotated->list[i]) != 0)
			annotated->list[++kept] = annotated->list[i];
	annotated->count = kept + 1;
}

size_t annotated_skip(const struct annotated *annotated, size_t at)
{
	uint64_t mailbox = annotated->list[at].mailbox;

	while (at < annotated->count && annotated->list[at].mailbox == mailbox)
		at++;
	return at;
}

size_t annotated_write(struct session *s, const struct annotated *annotated, size_t at,
		       struct str path)
{
	size_t end = annotated_skip(annotated, at);

	buf_add_c(&s->out, "* METADATA ");
	if (path.len > 0)
		imap_write_mailbox(&s->out, path, session_is_utf8(s));
	else
		buf_add_c(&s->out, "\"\"");
	for (; at < end; at++) {
		SCOPED(buf_fini) struct buf name = BUF(KV_KEY_MAX);
		struct str root, below;

		(void)name_of(annotated->list[at].entry, annotated->self, &root,
			      &below); /* it was looked at when it was added */
		buf_add(&name, root);
		buf_add(&name, below);
		buf_add_byte(&s->out, ' ');
		imap_write_astring(&s->out, buf_str(&name));
	}
	buf_add_c(&s->out, "\r\n");
	return end;
}
