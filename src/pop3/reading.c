#include "pop3/reading.h"

enum {
	PAGE_ARENA_MAX = 1 << 20, /* a page of rows */
	PAGE_MESSAGES = 64,
};

void reading_init(struct reading *reading)
{
	*reading = (struct reading){0};
	arena_init(&reading->page, PAGE_ARENA_MAX);
}

void reading_fini(struct reading *reading)
{
	ahead_free(&reading->ahead);
	arena_fini(&reading->page);
}

static size_t find(const struct reading *reading, uint32_t uid)
{
	size_t i = 0;

	while (i < reading->count && reading->rows[i].uid != uid)
		i++;
	return i;
}

/* From message number on: that one, or a page if they are read in order. */
static enum store_outcome fetch(struct reading *reading, struct maildrop *drop,
				uint32_t number, bool is_in_order)
{
	const struct maildrop_item *items = drop->items;
	size_t last = number - 1;
	uint32_t next;

	if (is_in_order)
		last = last + PAGE_MESSAGES < drop->count ? last + PAGE_MESSAGES
							  : drop->count - 1;
	reading->count = 0;
	arena_reset(&reading->page);
	return store_rows(drop->store, drop->account, MAILBOX_INBOX,
			  (struct uid_range){items[number - 1].uid, items[last].uid},
			  ROW_MESSAGE, &reading->page, &reading->rows, &reading->count,
			  &next);
}

enum store_outcome reading_row(struct reading *reading, struct maildrop *drop,
			       uint32_t number, const struct message_row **row)
{
	uint32_t uid = drop->items[number - 1].uid;
	bool is_in_order = number == 1 || number == reading->last + 1;
	size_t at = find(reading, uid);

	reading->last = number;
	if (at == reading->count) {
		enum store_outcome outcome = fetch(reading, drop, number, is_in_order);

		if (outcome != STORE_OK)
			return outcome;
		at = find(reading, uid);
	}
	if (at == reading->count)
		return STORE_ABSENT;
	*row = &reading->rows[at];
	if (!is_in_order) {
		ahead_free(&reading->ahead);
		return STORE_OK;
	}
	if (!reading->ahead)
		reading->ahead = ahead_new(drop->store, drop->account, MAILBOX_INBOX);
	ahead_want(reading->ahead, *row, reading->count - at);
	return STORE_OK;
}

enum store_outcome reading_body(struct reading *reading, struct maildrop *drop,
				const struct message_row *row,
				bool (*take)(void *arg, struct str), void *arg)
{
	SCOPED(buf_fini) struct buf body = BUF(AHEAD_BODY_MAX);
	struct message_ref ref = MESSAGE_REF(row->message);
	enum store_outcome outcome;

	if (!reading->ahead)
		return store_body_each(drop->store, drop->account, ref, take, arg);
	if (!ahead_take(reading->ahead, row->message, &body, &outcome))
		return ahead_each(reading->ahead, ref, take, arg);
	if (outcome == STORE_OK)
		(void)take(arg, buf_str(&body));
	return outcome;
}
