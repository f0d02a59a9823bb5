/* UIDBATCHES: ranges of UIDs that hold about so many messages each.  RFC 10022. */
#include "imap/session.h"

enum {
	SIZE_MIN = 500,    /* RFC 10022 §3.1.3.2 */
	SPAN_MAX = 100000, /* messages of a range of batches, §3.1.5 */
};

/* RFC 10022 §3.1.1: to ask the same again makes sense only after more than half a batch
 * came or went. */
static bool is_too_soon(const struct selected *box, uint32_t size, uint32_t first,
			uint32_t last)
{
	if (box->batched.size != size || box->batched.first != first ||
	    box->batched.last != last)
		return false;
	uint32_t left = numbers_up_to(&box->numbers, box->batched.uid_next - 1);

	return numbers_total(&box->numbers) - left <= size / 2 &&
	       box->batched.count - left <= size / 2;
}

static void note(struct selected *box, uint32_t size, uint32_t first, uint32_t last)
{
	box->batched.size = size;
	box->batched.first = first;
	box->batched.last = last;
	box->batched.count = numbers_total(&box->numbers);
	box->batched.uid_next = box->uid_next;
}

/* The lowest UID of the batches up to this one; 1 if it is the last. */
static uint32_t lowest(const struct selected *box, uint32_t size, uint64_t batch)
{
	uint32_t total = numbers_total(&box->numbers);

	return batch * size >= total
		       ? 1
		       : numbers_uid(&box->numbers, (uint32_t)(total - batch * size + 1));
}

/* The ranges touch each other, so that they cover all UIDs there are. */
static void write_batches(struct session *s, uint32_t size, uint64_t first, uint64_t last)
{
	const struct selected *box = &s->box;
	uint64_t all = ((uint64_t)numbers_total(&box->numbers) + size - 1) / size;

	for (uint64_t batch = first; batch <= num_min(last, all); batch++) {
		uint32_t high =
			batch == 1 ? box->uid_next - 1 : lowest(box, size, batch - 1) - 1;

		buf_printf(&s->out, "%s%u:%u", batch == first ? " " : ",", high,
			   lowest(box, size, batch));
	}
}

err_t on_uidbatches(struct session *s, const struct imap_command *command)
{
	uint32_t size = command->batches.size;
	bool has_range = command->batches.has_range;
	uint32_t first = has_range ? command->batches.first : 1;
	uint32_t last = has_range ? command->batches.last : UINT32_MAX;

	if (first > last)
		return reply_bad(s, command, "[CLIENTBUG] Invalid batch range");
	if (size < SIZE_MIN)
		return reply_no(s, command, "[TOOFEW] Minimum batch size is %d",
				SIZE_MIN);
	if (has_range && ((uint64_t)last - first + 1) * size > SPAN_MAX)
		return reply_no(s, command,
				"[TOOMANY] Too many messages; ask for at most %d at once",
				SPAN_MAX);
	if (selected_number(s) != STORE_OK)
		return reply_bye(s, "[UNAVAILABLE] The mailbox cannot be read now; "
				    "connect again in a minute");
	if (is_too_soon(&s->box, size, first, last))
		return reply_no(
			s, command,
			"[LIMIT] Hardly anything has changed since you asked that");
	note(&s->box, size, first, last);
	buf_add_c(&s->out, "* UIDBATCHES (TAG ");
	imap_write_string(&s->out, command->tag);
	buf_add_byte(&s->out, ')');
	write_batches(s, size, first, last);
	buf_add_c(&s->out, "\r\n");
	return reply_ok(s, command, "That is all");
}
