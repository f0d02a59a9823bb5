#include "transfer/outgo.h"

#include "store/codec.h"
#include "transfer/text.h"

enum { ARENA_MAX = 16 << 20, KEPT_BYTES = 1 << 20 };
#define TEXT_MAX (STORE_BODY_BYTES_MAX + TRACE_BYTES_MAX)

struct walk {
	const struct export_options *options;
	const struct outgo_format *format;
	void *arg;
	const struct box *box;
	struct buf whole, text;
	struct arena arena;
};

static bool counted(struct walk *walk, const struct message_row *row)
{
	walk->options->report->messages++;
	walk->options->report->bytes += row->size;
	return true;
}

static bool note_damaged(struct walk *walk, const struct message_row *row)
{
	struct str where = arena_printf(&walk->arena, "%.*s, UID %u",
					STR_FMT(walk->box->path), row->uid);

	report_lost(walk->options->report, where, "it has not survived on the disk");
	return true;
}

/* False when the mailbox ends early. */
static bool carry(struct walk *walk, const struct message_row *row)
{
	struct report *report = walk->options->report;

	report_progress(report, walk->box->path);
	if (!walk->format->wants(walk->arg, row)) {
		report->present++;
		return true;
	}
	if (walk->options->is_dry_run)
		return counted(walk, row);
	buf_reset(&walk->whole);
	buf_reset(&walk->text);
	buf_add(&walk->whole, row->trace);
	enum store_outcome outcome =
		store_body(walk->options->store, walk->options->account,
			   MESSAGE_REF(row->message), &walk->whole);

	if (outcome == STORE_ABSENT)
		return true; /* expunged meanwhile */
	if (outcome == STORE_DAMAGED)
		return note_damaged(walk, row);
	if (outcome != STORE_OK)
		return report_fail_store(report, outcome);
	if (!walk->options->keeps_crlf)
		text_add_lf(&walk->text, buf_str(&walk->whole));
	bool goes_on = walk->format->message(
		walk->arg, row,
		buf_str(walk->options->keeps_crlf ? &walk->whole : &walk->text));

	if (walk->whole.room > KEPT_BYTES) {
		buf_release(&walk->whole);
		buf_release(&walk->text);
	}
	return goes_on && counted(walk, row);
}

static bool carry_all(struct walk *walk)
{
	uint32_t next = 1;

	while (next != 0) {
		struct message_row *rows;
		size_t count;

		arena_reset(&walk->arena);
		enum store_outcome outcome = store_rows(
			walk->options->store, walk->options->account, walk->box->row.id,
			(struct uid_range){next, UINT32_MAX}, ROW_KEYWORDS | ROW_MESSAGE,
			&walk->arena, &rows, &count, &next);

		if (outcome == STORE_ABSENT)
			return true; /* deleted meanwhile */
		if (outcome != STORE_OK)
			return report_fail_store(walk->options->report, outcome);
		for (size_t i = 0; i < count; i++)
			if (!carry(walk, &rows[i]))
				return false;
	}
	return true;
}

void outgo(const struct export_options *options, const struct outgo_format *format,
	   void *arg)
{
	struct walk walk = {.options = options,
			    .format = format,
			    .arg = arg,
			    .whole = BUF(TEXT_MAX),
			    .text = BUF(TEXT_MAX)};
	struct boxes boxes;
	enum store_outcome outcome = boxes_load(&boxes, options->store, options->account);

	if (outcome != STORE_OK)
		(void)report_fail_store(options->report, outcome);
	arena_init(&walk.arena, ARENA_MAX);
	for (size_t i = 0; i < boxes.count && options->report->failure.len == 0; i++) {
		walk.box = &boxes.list[i];
		if (walk.box->row.is_container)
			continue;
		bool is_whole = format->begin(arg, walk.box) && carry_all(&walk);

		format->end(arg, is_whole);
		options->report->mailboxes += is_whole;
	}
	buf_fini(&walk.whole);
	buf_fini(&walk.text);
	arena_fini(&walk.arena);
	boxes_fini(&boxes);
}
