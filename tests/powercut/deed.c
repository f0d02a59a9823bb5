#include "powercut/deed.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "store/acl.h"

enum {
	BODY_MAX = 4000,
	KNOWN_BYTES = 5000,
	KNOWN_KINDS = 4,
	BODY_BIG = 100 * 1000,
	ONE_IN_BIG = 25,
	SPAN = 6,
	NAMES = 12
};

/* What a deed is made from. */
struct scene {
	struct deeds *deeds;
	struct arena *arena;
	account_t account;
	struct mailbox_row *mailboxes;
	size_t mailbox_count;
};

static const struct mailbox_row *any_mailbox(const struct scene *scene)
{
	return &scene->mailboxes[rand_below(scene->mailbox_count)];
}

static bool is_likely(unsigned percent)
{
	return rand_below(100) < percent;
}

/* A few UIDs somewhere in the mailbox; some may be gone. */
static struct uid_set some_uids(const struct scene *scene, const struct mailbox_row *row)
{
	struct uid_range *range = ARENA_NEW(scene->arena, struct uid_range);
	uint64_t first = 1 + rand_below(num_max(row->uid_next, 1));

	*range =
		(struct uid_range){(uint32_t)first, (uint32_t)(first + rand_below(SPAN))};
	return (struct uid_set){range, 1};
}

/* Now and then one of a few, so that equal ones come and go, in all accounts. */
static struct str known_text(const struct scene *scene)
{
	size_t kind = (size_t)rand_below(KNOWN_KINDS);
	size_t len = (size_t)KNOWN_BYTES << kind; /* the long ones leave holes */
	char *text = arena_alloc(scene->arena, len, 1);

	memset(text, 'a' + (int)kind, len);
	return (struct str){text, len};
}

static struct str any_text(const struct scene *scene)
{
	if (is_likely(25))
		return known_text(scene);
	bool is_big = rand_below(ONE_IN_BIG) == 0;
	size_t len = 1 + (size_t)rand_below(is_big ? BODY_BIG : BODY_MAX);
	char *text = arena_alloc(scene->arena, len, 1);

	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = rand_u64();

		memcpy(text + i, &word, num_min(8, len - i));
	}
	return (struct str){text, len};
}

/* Of a mail that waits in the queue, or one of the account's own, so that it is shared.
 */
static bool body_shared(const struct scene *scene, struct store_body *body)
{
	struct queue_row *rows;
	size_t count;

	if (storage_queue_list(scene->deeds->storage, &(struct queue_select){0},
			       &(struct queue_place){0}, 20, scene->arena, &rows,
			       &count) != STORE_OK ||
	    count == 0)
		return false;
	const struct queue_row *row = &rows[rand_below(count)];

	*body = (struct store_body){.from_account = row->account,
				    .from_message = row->message};
	return true;
}

static void body_make(const struct scene *scene, struct store_body *body)
{
	struct str text;

	if (is_likely(20) && body_shared(scene, body))
		return;
	text = any_text(scene);
	*body = (struct store_body){.frame = text, .raw_size = text.len};
}

static struct keywords any_keywords(const struct scene *scene)
{
	static const struct str words[] = {STR("$Label1"), STR("$Junk"), STR("work")};
	struct str *list = ARENA_ARRAY(scene->arena, struct str, 1);

	list[0] = words[rand_below(COUNT_OF(words))];
	return (struct keywords){list, rand_below(2)};
}

/* ---- the deeds --------------------------------------------------------------------- */

static void append(const struct scene *scene, struct store_op *op)
{
	op->append = (struct op_append){
		.mailbox = is_likely(60) ? MAILBOX_INBOX : any_mailbox(scene)->id,
		.trace = STR("Received: by us\r\n"),
		.digest =
			arena_printf(scene->arena, "digest %u", (unsigned)rand_below(99)),
		.received_at = (int64_t)rand_below(1 << 30),
		.received_zone = 60,
		.flags = (uint8_t)rand_below(32),
		.keywords = any_keywords(scene)};
	body_make(scene, &op->append.body);
}

static void flags(const struct scene *scene, struct store_op *op)
{
	const struct mailbox_row *row = any_mailbox(scene);

	op->flags = (struct op_flags){.mailbox = row->id,
				      .uids = some_uids(scene, row),
				      .mode = (enum flags_mode)rand_below(3),
				      .flags = (uint8_t)rand_below(32),
				      .keywords = any_keywords(scene),
				      .unchanged_since =
					      is_likely(20) ? row->modseq : UINT64_MAX};
	if (!is_likely(20))
		return;
	op->flags.kept = FLAG_SEEN | (uint8_t)rand_below(64); /* as a visitor's */
	op->flags.seen_by = (account_t)(1 + rand_below(3));
}

static void share(const struct scene *scene, struct store_op *op)
{
	op->acl = (struct op_acl){
		.mailbox = any_mailbox(scene)->id,
		.change = (enum acl_change)rand_below(3),
		.entry = {.who = {.kind = ACL_ACCOUNT,
				  .is_negative = is_likely(10),
				  .account = (account_t)(50 + rand_below(5))},
			  .rights = (uint32_t)rand_below(ACL_RIGHTS + 1)}};
}

static void recent(const struct scene *scene, struct store_op *op)
{
	const struct mailbox_row *row = any_mailbox(scene);

	op->recent = (struct op_recent){.mailbox = row->id,
					.below = row->uid_next - (uint32_t)rand_below(3)};
}

static void copy(const struct scene *scene, struct store_op *op)
{
	const struct mailbox_row *row = any_mailbox(scene);

	op->copy = (struct op_copy){.mailbox = row->id,
				    .to_mailbox = any_mailbox(scene)->id,
				    .uids = some_uids(scene, row)};
}

static void expunge(const struct scene *scene, struct store_op *op)
{
	const struct mailbox_row *row = any_mailbox(scene);

	/* Now and then all, so that packs become sparse. */
	op->expunge = (struct op_expunge){.mailbox = row->id,
					  .uids = is_likely(20) ? (struct uid_set){0}
								: some_uids(scene, row),
					  .only_deleted = is_likely(30)};
}

/* What came last: its body may be dead before the index shows that it ever lived. */
static void expunge_last(const struct scene *scene, struct store_op *op)
{
	const struct mailbox_row *row = any_mailbox(scene);
	struct uid_range *range = ARENA_NEW(scene->arena, struct uid_range);

	*range = (struct uid_range){(uint32_t)num_max(row->uid_next, 3) - 2, UINT32_MAX};
	op->expunge = (struct op_expunge){.mailbox = row->id,
					  .uids = {.ranges = range, .count = 1}};
}

/* How long messages stay in a mailbox. */
static void rule(const struct scene *scene, struct store_op *op)
{
	op->kv = (struct op_kv){
		.key = arena_printf(scene->arena, STORE_KV_RETENTION "%llu",
				    (unsigned long long)any_mailbox(scene)->id),
		.value = arena_printf(scene->arena, "%u", 5 + (unsigned)rand_below(40))};
}

/* What such a rule lets go, if anything. */
static void expire(const struct scene *scene, struct store_op *op)
{
	struct retention_walk walk = {.account = scene->account};
	struct retention_rules rules = {.junk_days = 0};

	if (storage_retention(scene->deeds->storage, &rules, clock_s(), &walk) !=
		    STORE_OK ||
	    walk.count == 0 || walk.account != scene->account) {
		expunge(scene, op);
		return;
	}
	struct uid_range *range = ARENA_NEW(scene->arena, struct uid_range);

	*range = walk.uids;
	op->expunge = (struct op_expunge){.mailbox = walk.mailbox, .uids = {range, 1}};
}

/* One of those that can be brought back, or none. */
static void undelete(const struct scene *scene, struct store_op *op)
{
	struct undelete_row *rows;
	size_t count = 0;

	(void)storage_expunged(scene->deeds->storage, scene->account, 0,
			       EXPUNGED_PAGE_MAX, scene->arena, &rows, &count);
	op->undelete = (struct op_undelete){
		.member = count > 0 ? rows[rand_below(count)].member : 1,
		.mailbox = is_likely(50) ? MAILBOX_INBOX : any_mailbox(scene)->id};
}

static struct str any_name(const struct scene *scene)
{
	return arena_printf(scene->arena, "folder %u", (unsigned)rand_below(NAMES));
}

static void mailbox_create(const struct scene *scene, struct store_op *op)
{
	op->mailbox =
		(struct op_mailbox){.name = any_name(scene),
				    .parent = is_likely(70) ? 0 : any_mailbox(scene)->id,
				    .is_subscribed = is_likely(50)};
}

static void mailbox_change(const struct scene *scene, struct store_op *op)
{
	op->mailbox = (struct op_mailbox){.mailbox = any_mailbox(scene)->id,
					  .name = any_name(scene),
					  .is_subscribed = is_likely(50)};
}

static void kv_put(const struct scene *scene, struct store_op *op)
{
	op->kv = (struct op_kv){
		.key = arena_printf(scene->arena, "pair %u", (unsigned)rand_below(20)),
		.value = str_first(any_text(scene), rand_below(500)),
		.only_if_absent = is_likely(10)};
}

static void quota(const struct scene *scene, struct store_op *op)
{
	op->kv = (struct op_kv){.key = STR(STORE_KV_QUOTA),
				.value = arena_printf(scene->arena, "%u 0",
						      100 + (unsigned)rand_below(200))};
}

static void queue_add(const struct scene *scene, struct store_op *op)
{
	size_t count = 1 + (size_t)rand_below(3);
	struct queue_recipient *to =
		ARENA_ARRAY(scene->arena, struct queue_recipient, count);

	for (size_t i = 0; i < count; i++)
		to[i] = (struct queue_recipient){
			.kind = (enum queue_kind)rand_below(2),
			.address = arena_printf(scene->arena, "u%zu@example.org", i),
			.account = 1 + (account_t)rand_below(ACCOUNTS)};
	op->queue_add = (struct op_queue_add){.sender = STR("ann@example.org"),
					      .id = STR("Q1"),
					      .trace = STR("Received: by us\r\n"),
					      .digest = STR("queue digest"),
					      .due_at = 1000 + (int64_t)rand_below(1000),
					      .priority = (uint8_t)rand_below(3),
					      .recipients = to,
					      .count = count};
	body_make(scene, &op->queue_add.body);
}

static void settle(const struct scene *scene, struct store_op *op)
{
	struct deeds *deeds = scene->deeds;

	for (size_t i = 0; i < deeds->leased_count; i++) {
		struct leased leased = deeds->leased[i];

		if (leased.account != scene->account)
			continue;
		deeds->leased[i] = deeds->leased[--deeds->leased_count];
		op->settle = (struct op_queue_settle){
			.row = leased.row,
			.lease = leased.lease,
			.outcome = is_likely(60)
					   ? QUEUE_DONE
					   : (enum queue_outcome)(1 + rand_below(3)),
			.due_at = 1000 + (int64_t)rand_below(1000),
			.cause = (enum queue_cause)rand_below(CAUSES),
			.host = STR("mx.example.org"),
			.reason = STR("try later")};
		return;
	}
	op->settle = (struct op_queue_settle){.row = 1 + rand_below(50), .lease = 7};
}

/* Of a few numbers, among which some rows may be. */
static void queue_change(const struct scene *scene, struct store_op *op)
{
	enum { SPREAD = 40, COUNT = 8 };
	uint64_t *rows = ARENA_ARRAY(scene->arena, uint64_t, COUNT);
	enum queue_change change = (enum queue_change)rand_below(ROWS_REROUTE + 1);
	struct queue_select select = {.by = BY_ACCOUNT, .account = scene->account};
	struct queue_row *found;
	size_t count = 0;

	rows[0] = 1 + rand_below(100);
	if (storage_queue_list(scene->deeds->storage, &select, &(struct queue_place){0},
			       SPREAD, scene->arena, &found, &count) == STORE_OK &&
	    count > 0)
		rows[0] = found[rand_below(count)].row;
	for (size_t i = 1; i < COUNT; i++)
		rows[i] = rows[i - 1] + 1 + rand_below(3);
	op->queue_change = (struct op_queue_change){
		.change = change,
		.rows = rows,
		.count = 1 + rand_below(COUNT),
		.until = is_likely(50) ? QUEUE_HELD : (int64_t)rand_below(3000),
		.text = change == ROWS_REROUTE || change == ROWS_BOUNCE
				? STR("next.hop:25")
				: STR("")};
}

static struct str key_of(struct arena *arena, const char *word, uint64_t count)
{
	return arena_printf(arena, "%s %015llu", word, (unsigned long long)count);
}

/* Of a commit some time ago: it may be there, or forgotten, or never have been. */
static void key_forget(const struct scene *scene, struct store_op *op)
{
	op->key_forget =
		key_of(scene->arena, "once", rand_below(scene->deeds->count + 1));
}

struct deed {
	enum store_op_kind kind;
	unsigned weight; /* of 100 or so */
	void (*make)(const struct scene *scene, struct store_op *op);
	bool is_remembered; /* its result comes again with its key */
};
/* A new operation of the store belongs here; what is no commit (maintenance, backups), in
 * the table of load.c. */
static const struct deed deeds_table[] = {
	{OP_APPEND, 34, append, true},
	{OP_FLAGS, 12, flags, false},
	{OP_COPY, 6, copy, false},
	{OP_MOVE, 6, copy, false},
	{OP_EXPUNGE, 12, expunge, false},
	{OP_EXPUNGE, 8, expunge_last, false},
	{OP_EXPUNGE, 5, expire, false},
	{OP_UNDELETE, 4, undelete, false},
	{OP_MAILBOX_CREATE, 4, mailbox_create, true},
	{OP_MAILBOX_RENAME, 2, mailbox_change, false},
	{OP_MAILBOX_DELETE, 2, mailbox_change, false},
	{OP_MAILBOX_SUBSCRIBE, 2, mailbox_change, false},
	{OP_KV_PUT, 6, kv_put, true},
	{OP_KV_PUT, 1, quota, true},
	{OP_KV_PUT, 3, rule, true},
	{OP_KV_DELETE, 3, kv_put, false},
	{OP_QUEUE_ADD, 7, queue_add, true},
	{OP_QUEUE_SETTLE, 8, settle, false},
	{OP_QUEUE_CHANGE, 4, queue_change, true},
	{OP_ACL, 3, share, true},
	{OP_RECENT, 4, recent, false},
	{OP_KEY_FORGET, 2, key_forget, false},
};
/* The system's account has pairs and queue rows, and nothing else. */
static bool is_for_system(enum store_op_kind kind)
{
	return kind == OP_KV_PUT || kind == OP_KV_DELETE || kind == OP_QUEUE_ADD ||
	       kind == OP_QUEUE_SETTLE || kind == OP_QUEUE_CHANGE;
}

static const struct deed *any_deed(account_t account)
{
	for (;;) {
		uint64_t weight = 0, at;

		for (size_t i = 0; i < COUNT_OF(deeds_table); i++)
			weight += deeds_table[i].weight;
		at = rand_below(weight);
		for (size_t i = 0; i < COUNT_OF(deeds_table); i++) {
			const struct deed *deed = &deeds_table[i];

			if (at < deed->weight) {
				if (account != ACCOUNT_SYSTEM ||
				    (is_for_system(deed->kind) && deed->make != quota &&
				     deed->make != rule))
					return deed;
				break;
			}
			at -= deed->weight;
		}
	}
}

bool deed_make(struct deeds *deeds, struct arena *arena, struct store_commit *commit)
{
	struct scene scene = {.deeds = deeds,
			      .arena = arena,
			      .account = (account_t)rand_below(ACCOUNTS + 1)};
	size_t count = is_likely(60) ? 1 : 1 + (size_t)rand_below(OPS_MAX);
	struct store_op *ops = ARENA_ARRAY(arena, struct store_op, OPS_MAX);
	bool is_remembered = false, may_be_forgotten = is_likely(15);

	deeds->count++;
	*commit = (struct store_commit){
		.account = scene.account,
		.key = key_of(arena, may_be_forgotten ? "once" : "key", deeds->count),
		.key_minute = is_likely(50) && !may_be_forgotten
				      ? (uint32_t)(clock_s() / 60)
				      : 0,
		.ops = ops,
		.count = count};
	if (scene.account != ACCOUNT_SYSTEM &&
	    storage_mailboxes(deeds->storage, scene.account, arena, &scene.mailboxes,
			      &scene.mailbox_count) != STORE_OK) {
		/* Some keep nothing of what they expunge. */
		commit->count = 1 + scene.account % 2;
		ops[0].kind = OP_ACCOUNT_CREATE;
		ops[1] = (struct store_op){.kind = OP_KV_PUT,
					   .kv = {STR(STORE_KV_UNDELETE), STR("0")}};
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct deed *deed = any_deed(scene.account);

		ops[i].kind = deed->kind;
		deed->make(&scene, &ops[i]);
		is_remembered |= deed->is_remembered;
	}
	return is_remembered && !may_be_forgotten;
}

void deed_make_equal(struct deeds *deeds, struct arena *arena,
		     struct store_commit *commit)
{
	enum { EQUAL_BYTES = 2000 }; /* of several sectors */
	struct store_op *op = ARENA_NEW(arena, struct store_op);
	char *value = arena_alloc(arena, EQUAL_BYTES, 1);

	memset(value, 'a' + (int)rand_below(26), EQUAL_BYTES);
	*op = (struct store_op){
		.kind = OP_KV_PUT,
		.kv = {.key = STR("equal"), .value = {value, EQUAL_BYTES}}};
	*commit = (struct store_commit){.account = ACCOUNT_SYSTEM,
					.key = key_of(arena, "key", ++deeds->count),
					.ops = op,
					.count = 1};
}

void deeds_leased(struct deeds *deeds, const struct storage_lease *lease)
{
	for (size_t i = 0; i < lease->count && deeds->leased_count < LEASED_MAX; i++)
		deeds->leased[deeds->leased_count++] =
			(struct leased){.account = lease->rows[i].account,
					.row = lease->rows[i].row,
					.lease = lease->rows[i].lease};
}

void deeds_forget_leases(struct deeds *deeds)
{
	deeds->leased_count = 0;
}
