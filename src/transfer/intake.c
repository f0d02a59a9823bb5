#include "transfer/intake.h"

#include "base/mem.h"
#include "store/digest.h"
#include "transfer/text.h"
#include "wire/imap/token.h"

enum {
	BATCH_MESSAGES = 256,
	BATCH_BYTES = 192 * 1024, /* so that they travel in the request (256 KiB) */
	KEPT_BYTES = 64 * 1024,   /* of a buffer, for the next message */
	ARENA_MAX = 32 << 20,
	SCAN_ROWS = 200,
	ZONE_MAX = 24 * 60 - 1,
};

struct item {
	struct incoming head; /* its slices in the arena */
	struct buf text, digest;
};

struct intake {
	struct intake_options options;
	struct boxes boxes;
	struct seen brought; /* by earlier runs */
	struct seen met;     /* in this run */
	struct seen texts;   /* in this run, for intake_ident(); and mailboxes */
	struct item items[BATCH_MESSAGES];
	size_t count, bytes;
	uint64_t mailbox;
	struct str path; /* of ours; in path_arena */
	struct arena arena, path_arena;
	bool has_lock;
};

static struct str key_prefix(const struct intake *intake, struct arena *arena)
{
	return arena_printf(arena, "import/%s/", intake->options.source);
}

/* What earlier runs have noted. */
static enum store_outcome load(struct intake *intake)
{
	SCOPED(arena_fini) struct arena arena;
	char after[KV_KEY_MAX];
	size_t after_len = 0, count;
	struct kv_row *rows;

	arena_init(&arena, ARENA_MAX);
	do {
		struct str last = {after, after_len};

		arena_reset(&arena);
		enum store_outcome outcome =
			store_kv_scan(intake->options.store, intake->options.account,
				      key_prefix(intake, &arena), last, SCAN_ROWS, &arena,
				      &rows, &count);

		if (outcome != STORE_OK)
			return outcome;
		for (size_t i = 0; i < count; i++) {
			struct str ids = rows[i].value;

			for (; ids.len >= IDENT_BYTES; ids = str_skip(ids, IDENT_BYTES)) {
				struct ident ident;

				memcpy(ident.octets, ids.ptr, IDENT_BYTES);
				(void)seen_add(&intake->brought, &ident);
			}
		}
		if (count > 0) {
			after_len = rows[count - 1].key.len;
			memcpy(after, rows[count - 1].key.ptr, after_len);
		}
	} while (count > 0);
	return STORE_OK;
}

static enum store_outcome prepare(struct intake *intake)
{
	const struct intake_options *options = &intake->options;
	enum store_outcome outcome =
		store_lock(options->store, options->account, STR("import"));

	if (outcome != STORE_OK)
		return outcome;
	intake->has_lock = true;
	outcome = load(intake);
	if (outcome != STORE_OK)
		return outcome;
	return boxes_load(&intake->boxes, options->store, options->account);
}

struct intake *intake_open(const struct intake_options *options)
{
	struct intake *intake = NEW(struct intake);

	intake->options = *options;
	arena_init(&intake->arena, ARENA_MAX);
	arena_init(&intake->path_arena, ARENA_MAX);
	for (size_t i = 0; i < BATCH_MESSAGES; i++) {
		intake->items[i].text = BUF(options->message_bytes_max);
		intake->items[i].digest = BUF(DIGEST_BYTES_MAX);
	}
	enum store_outcome outcome = prepare(intake);

	if (outcome == STORE_OK)
		return intake;
	if (outcome == STORE_CONFLICT)
		(void)report_fail(options->report,
				  "Another import into this account is under way.");
	else
		(void)report_fail_store(options->report, outcome);
	intake_close(&intake);
	return NULL;
}

void intake_close(struct intake **intake_ptr)
{
	struct intake *intake = *intake_ptr;

	*intake_ptr = NULL;
	if (!intake)
		return;
	(void)intake_flush(intake); /* the report knows */
	if (intake->has_lock)
		store_unlock(intake->options.store, intake->options.account,
			     STR("import"));
	for (size_t i = 0; i < BATCH_MESSAGES; i++) {
		buf_fini(&intake->items[i].text);
		buf_fini(&intake->items[i].digest);
	}
	seen_fini(&intake->brought);
	seen_fini(&intake->met);
	seen_fini(&intake->texts);
	boxes_fini(&intake->boxes);
	arena_fini(&intake->arena);
	arena_fini(&intake->path_arena);
	mem_free(intake);
}

const struct intake_options *intake_options(const struct intake *intake)
{
	return &intake->options;
}

bool intake_is_over(const struct intake *intake)
{
	return intake->options.report->failure.len > 0;
}

/* ---- committing -------------------------------------------------------------------- */

static struct store_op op_of(const struct intake *intake, const struct item *item)
{
	const struct incoming *head = &item->head;
	int zone = head->zone_minutes;
	struct store_op op = {.kind = OP_APPEND};

	op.append = (struct op_append){
		.mailbox = intake->mailbox,
		.body.raw = buf_str(&item->text),
		.body.raw_size = item->text.len,
		.digest = buf_str(&item->digest),
		.received_at = head->received_at,
		.received_zone =
			(int16_t)(zone >= -ZONE_MAX && zone <= ZONE_MAX ? zone : 0),
		.flags = head->flags,
		.keywords = {head->keywords, head->keyword_count},
	};
	return op;
}

/* The note that these were brought. */
static struct store_op note_of(struct intake *intake, const struct item *items,
			       size_t count, char ids[][IDENT_BYTES])
{
	struct store_op op = {.kind = OP_KV_PUT};
	char hex[2 * IDENT_BYTES + 1];

	for (size_t i = 0; i < IDENT_BYTES; i++) {
		static const char digits[] = "0123456789abcdef";

		hex[2 * i] = digits[items[0].head.ident.octets[i] >> 4];
		hex[2 * i + 1] = digits[items[0].head.ident.octets[i] & 15];
	}
	for (size_t i = 0; i < count; i++)
		memcpy(ids[i], items[i].head.ident.octets, IDENT_BYTES);
	op.kv.key = arena_printf(&intake->arena, "import/%s/%.*s", intake->options.source,
				 2 * IDENT_BYTES, hex);
	op.kv.value = (struct str){ids[0], count * IDENT_BYTES};
	return op;
}

static enum store_outcome commit_items(struct intake *intake, const struct item *items,
				       size_t count)
{
	struct store_op *ops = NEW_ARRAY(struct store_op, count + 1);
	char(*ids)[IDENT_BYTES] = mem_zeroed(count, IDENT_BYTES);
	struct store_commit commit = {
		.account = intake->options.account, .ops = ops, .count = count + 1};

	for (size_t i = 0; i < count; i++)
		ops[i] = op_of(intake, &items[i]);
	ops[count] = note_of(intake, items, count, ids);
	enum store_outcome outcome =
		store_commit(intake->options.store, &commit, &intake->arena, NULL);

	mem_free(ops);
	mem_free(ids);
	return outcome;
}

static const char *why_refused(enum store_outcome outcome)
{
	switch (outcome) {
	case STORE_OVER_QUOTA:
		return "the account has no room left";
	case STORE_ABSENT:
		return "the mailbox it was for is gone";
	case STORE_CONFLICT:
	case STORE_INVALID:
	case STORE_DAMAGED:
		return "the store does not take it";
	case STORE_OK:
	case STORE_DENIED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		break;
	}
	return NULL; /* then nothing more goes */
}

static void count_brought(struct intake *intake, const struct item *items, size_t count)
{
	struct report *report = intake->options.report;

	for (size_t i = 0; i < count; i++) {
		report->messages++;
		report->bytes += items[i].text.len;
	}
}

/* What is refused is looked for by halves, and the rest goes in; depth is how often the
 * BATCH_MESSAGES can be halved. */
static bool commit_by_halves(struct intake *intake, const struct item *items,
			     size_t count, unsigned depth)
{
	enum store_outcome outcome = STORE_OK;

	if (!intake->options.is_dry_run)
		outcome = commit_items(intake, items, count);
	if (outcome == STORE_OK) {
		count_brought(intake, items, count);
		return true;
	}
	const char *why = why_refused(outcome);

	if (!why)
		return report_fail_store(intake->options.report, outcome);
	if (count > 1 && depth > 0)
		return commit_by_halves(intake, items, count / 2, depth - 1) &&
		       commit_by_halves(intake, items + count / 2, count - count / 2,
					depth - 1);
	report_lost(intake->options.report, items[0].head.where, why);
	return true;
}

bool intake_flush(struct intake *intake)
{
	bool is_good = !intake_is_over(intake);

	if (is_good && intake->count > 0)
		is_good = commit_by_halves(intake, intake->items, intake->count, 9);
	for (size_t i = 0; i < intake->count; i++) {
		if (intake->items[i].text.room > KEPT_BYTES)
			buf_release(&intake->items[i].text);
		buf_reset(&intake->items[i].text);
	}
	intake->count = intake->bytes = 0;
	arena_reset(&intake->arena);
	return is_good;
}

/* ---- what sources say -------------------------------------------------------------- */

bool intake_mailbox(struct intake *intake, struct str path, enum mailbox_role role)
{
	struct report *report = intake->options.report;
	enum store_outcome outcome = STORE_OK;

	if (!intake_flush(intake))
		return false;
	arena_reset(&intake->path_arena);
	if (path.len == 0)
		path = STR("INBOX");
	if (!intake->options.keeps_names)
		path = boxes_map(&intake->boxes, path, role, &intake->path_arena);
	if (!arena_copy(&intake->path_arena, path, &intake->path))
		intake->path = STR("");
	report_progress(report, intake->path);
	if (!intake->options.is_dry_run)
		outcome =
			boxes_make(&intake->boxes, intake->path, role, &intake->mailbox);
	if (outcome == STORE_OK) {
		struct ident ident = ident_of(&intake->path, 1);

		report->mailboxes += seen_add(&intake->texts, &ident) == 0;
		return true;
	}
	if (outcome != STORE_INVALID && outcome != STORE_CONFLICT)
		return report_fail_store(report, outcome);
	report_lost(report, path, "no mailbox of that name can be made");
	return false;
}

bool intake_has(const struct intake *intake, const struct ident *ident)
{
	return seen_has(&intake->brought, ident) || seen_has(&intake->met, ident);
}

bool intake_wants(struct intake *intake, const struct ident *ident)
{
	bool is_first = seen_add(&intake->met, ident) == 0;
	bool is_new = !seen_has(&intake->brought, ident);

	intake->options.report->present += is_first && !is_new;
	report_progress(intake->options.report, intake->path);
	return is_first && is_new;
}

struct ident intake_ident(struct intake *intake, struct str mailbox, struct str text)
{
	struct str parts[] = {mailbox, text, STR("")};
	struct ident ident = ident_of(parts, 2);
	uint32_t times = seen_add(&intake->texts, &ident);

	parts[1] = (struct str){(const char *)ident.octets, IDENT_BYTES};
	parts[2] = (struct str){(const char *)&times, sizeof times};
	return ident_of(parts, 3);
}

struct buf *intake_text(struct intake *intake)
{
	struct buf *text = &intake->items[intake->count].text;

	buf_reset(text);
	return text;
}

static void keep_keywords(struct intake *intake, struct incoming *head)
{
	struct str *kept = ARENA_ARRAY(&intake->arena, struct str, KEYWORDS_MAX);
	size_t count = 0;

	for (size_t i = 0; i < head->keyword_count && count < KEYWORDS_MAX && kept; i++) {
		struct imap_in in = imap_in_over(head->keywords[i], &intake->arena);
		struct str word;

		if (imap_atom(&in, &word) && cur_done(in.at) &&
		    word.len <= KEYWORD_BYTES_MAX &&
		    arena_copy(&intake->arena, word, &kept[count]))
			count++;
	}
	head->keywords = kept;
	head->keyword_count = count;
}

/* NULL, or why it cannot be brought. */
static const char *why_not(const struct intake *intake, const struct buf *text)
{
	if (!buf_ok(text) || text->len > intake->options.message_bytes_max)
		return "it is longer than messages may be here (limits.message-size)";
	if (text->len == 0)
		return "it is empty";
	return NULL;
}

bool intake_add(struct intake *intake, const struct incoming *incoming)
{
	struct item *item = &intake->items[intake->count];
	const char *why = why_not(intake, &item->text);

	if (why) {
		report_lost(intake->options.report, incoming->where, why);
		return true;
	}
	item->head = *incoming;
	if (!arena_copy(&intake->arena, incoming->where, &item->head.where))
		item->head.where = STR("");
	keep_keywords(intake, &item->head);
	if (text_mend_nuls(&item->text) > 0)
		report_remark(intake->options.report, incoming->where,
			      "brought, with octet 128 in place of each NUL");
	buf_reset(&item->digest);
	digest_make_warily("import digest", buf_str(&item->text), &item->digest);
	intake->bytes += item->text.len;
	intake->count++;
	if (intake->count < BATCH_MESSAGES && intake->bytes < BATCH_BYTES)
		return true;
	return intake_flush(intake);
}
