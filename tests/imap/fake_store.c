#include "imap/fake_store.h"

#include <stdlib.h>

#include "base/mem.h"
#include "login/login.h"
#include "rt/clock.h"
#include "store/acl.h"
#include "store/digest.h"
#include "store/search.h"

enum {
	PAGE_ROWS = 7,
	PAGE_CHANGES = 3,
	/* The log forgets its beginning once there is something to tell. */
	TRIMMED_UPTO = 2,
	TRIMMED_FROM = 9,
	PIECE = 1000,
	BOXES_MAX = 100,
	SLOW_MS = 25000,
	WATCHES_MAX = 100
};

struct letter {
	struct str body, trace, digest;
	int64_t received_at;
	int16_t received_zone;
};

struct member {
	uint64_t mailbox, member, modseq;
	int64_t saved_at;
	uint32_t uid;
	uint8_t flags;
	struct str words[KEYWORDS_MAX];
	size_t word_count;
	size_t letter;
};

static struct mailbox_row boxes[BOXES_MAX];
static size_t box_count;
static struct member *members;
static size_t member_count, member_room;
static struct letter *letters;
static size_t letter_count, letter_room;
static struct change_row *changes;
static size_t change_count, change_room;
static struct kv_row *pairs;
static size_t pair_count, pair_room;
static uint64_t counter = 1; /* of mailboxes and members */
static uint64_t change;      /* the last commit that changed something */
static bool has_changed;     /* the one under way has */
static struct arena kept;
static struct store_watch *watches[WATCHES_MAX];

static struct str keep(struct str text)
{
	struct str copy;

	ASSERT(arena_copy(&kept, text, &copy));
	return copy;
}

static struct mailbox_row *box_of(uint64_t id)
{
	for (size_t i = 0; i < box_count; i++) {
		if (boxes[i].id == id)
			return &boxes[i];
	}
	return NULL;
}

static uint64_t box_add(uint64_t parent, struct str name, enum mailbox_role role)
{
	struct mailbox_row *box = &boxes[box_count++];

	ASSERT(box_count < BOXES_MAX);
	*box = (struct mailbox_row){.id = counter++,
				    .parent = parent,
				    .name = keep(name),
				    .role = role,
				    .uid_validity = 1,
				    .uid_next = 1,
				    .recent_from = 1};
	box->uid_validity = (uint32_t)box->id;
	return box->id;
}

void fake_store_init(void)
{
	arena_init(&kept, (size_t)1 << 30);
	ASSERT(box_add(0, STR("INBOX"), ROLE_INBOX) == MAILBOX_INBOX);
	box_add(0, STR("Sent"), ROLE_SENT);
}

static void changed(enum change_kind kind, uint64_t mailbox, uint32_t uid)
{
	change += !has_changed;
	has_changed = true;
	if (box_of(mailbox))
		box_of(mailbox)->modseq = change;
	MEM_ROOM(changes, change_count, change_room);
	changes[change_count++] = (struct change_row){
		.change = change, .kind = kind, .mailbox = mailbox, .uids = {uid, uid}};
}

static bool in_set(struct uid_set set, uint32_t uid)
{
	for (size_t i = 0; i < set.count; i++) {
		if (uid >= set.ranges[i].first && uid <= set.ranges[i].last)
			return true;
	}
	return false;
}

/* A set that grows in the arena given with the commit. */
struct growing {
	struct uid_range *list;
	size_t count;
};

static void grow(struct growing *set, uint32_t uid)
{
	set->list[set->count++] = (struct uid_range){uid, uid};
}

static struct growing growing(struct arena *arena)
{
	return (struct growing){ARENA_ARRAY(arena, struct uid_range, member_count + 1),
				0};
}

static struct member *member_add(uint64_t mailbox, size_t letter)
{
	MEM_ROOM(members, member_count, member_room);
	struct member *m = &members[member_count++];

	*m = (struct member){.mailbox = mailbox,
			     .member = counter++,
			     .letter = letter,
			     .saved_at = clock_s(),
			     .uid = box_of(mailbox)->uid_next++};
	changed(CHANGE_MESSAGE_NEW, mailbox, m->uid);
	m->modseq = change;
	return m;
}

static void member_drop(size_t i)
{
	changed(CHANGE_MESSAGE_GONE, members[i].mailbox, members[i].uid);
	memmove(&members[i], &members[i + 1], (--member_count - i) * sizeof *members);
}

static bool has_word(const struct member *m, struct str word)
{
	for (size_t i = 0; i < m->word_count; i++) {
		if (str_same_nocase(m->words[i], word))
			return true;
	}
	return false;
}

static void word_set(struct member *m, struct str word, bool is_on)
{
	for (size_t i = 0; i < m->word_count; i++) {
		if (!str_same_nocase(m->words[i], word))
			continue;
		if (!is_on)
			m->words[i] = m->words[--m->word_count];
		return;
	}
	if (is_on)
		m->words[m->word_count++] = keep(word);
}

static bool same_words(const struct member *a, const struct member *b)
{
	for (size_t i = 0; i < a->word_count; i++) {
		if (!has_word(b, a->words[i]))
			return false;
	}
	return a->word_count == b->word_count;
}

static bool flags_one(struct member *m, const struct op_flags *op)
{
	struct member before = *m;

	if (op->mode == FLAGS_SET) {
		m->flags = op->flags;
		m->word_count = 0;
	} else if (op->mode == FLAGS_ADD) {
		m->flags |= op->flags;
	} else {
		m->flags &= (uint8_t)~op->flags;
	}
	for (size_t i = 0; i < op->keywords.count; i++)
		word_set(m, op->keywords.words[i], op->mode != FLAGS_REMOVE);
	if (m->flags == before.flags && same_words(m, &before))
		return false;
	changed(CHANGE_MESSAGE_FLAGS, m->mailbox, m->uid);
	m->modseq = change;
	return true;
}

static enum store_outcome do_append(const struct op_append *op, struct op_result *result)
{
	if (!box_of(op->mailbox))
		return STORE_ABSENT;
	MEM_ROOM(letters, letter_count, letter_room);
	letters[letter_count] =
		(struct letter){keep(op->body.raw), keep(op->trace), keep(op->digest),
				op->received_at, op->received_zone};
	struct member *m = member_add(op->mailbox, letter_count++);

	m->flags = op->flags;
	for (size_t i = 0; i < op->keywords.count; i++)
		word_set(m, op->keywords.words[i], true);
	result->uid = m->uid;
	result->uid_validity = box_of(op->mailbox)->uid_validity;
	return STORE_OK;
}

static void do_copy(const struct op_copy *op, bool is_move, struct arena *arena,
		    struct op_result *result)
{
	struct growing from = growing(arena), to = growing(arena);
	size_t count = member_count;

	for (size_t i = 0; i < count; i++) {
		struct member m = members[i];

		if (m.mailbox != op->mailbox || !in_set(op->uids, m.uid))
			continue;
		struct member *copy = member_add(op->to_mailbox, m.letter);

		copy->flags = m.flags;
		memcpy(copy->words, m.words, sizeof m.words);
		copy->word_count = m.word_count;
		grow(&from, m.uid);
		grow(&to, copy->uid);
	}
	for (size_t i = count; is_move && i-- > 0;) {
		if (members[i].mailbox == op->mailbox &&
		    in_set(op->uids, members[i].uid) &&
		    in_set((struct uid_set){from.list, from.count}, members[i].uid))
			member_drop(i);
	}
	result->uids = (struct uid_set){from.list, from.count};
	result->to_uids = (struct uid_set){to.list, to.count};
	result->uid_validity = box_of(op->to_mailbox)->uid_validity;
}

static struct kv_row *pair_of(struct str key)
{
	for (size_t i = 0; i < pair_count; i++) {
		if (str_same(pairs[i].key, key))
			return &pairs[i];
	}
	return NULL;
}

static void log_pair(struct str key)
{
	struct change_row row;

	if (!pair_is_logged(key, &row))
		return;
	changed(row.kind, 0, 0); /* a mailbox's mod-sequence stays */
	changes[change_count - 1].mailbox = row.mailbox;
	changes[change_count - 1].entry = keep(row.entry);
}

static enum store_outcome do_pair(const struct store_op *op)
{
	struct kv_row *pair = pair_of(op->kv.key);

	if (op->kind == OP_KV_DELETE && !pair)
		return STORE_ABSENT;
	if (op->kind == OP_KV_DELETE) {
		*pair = pairs[--pair_count];
	} else if (pair) {
		pair->value = keep(op->kv.value);
	} else {
		MEM_ROOM(pairs, pair_count, pair_room);
		pairs[pair_count++] =
			(struct kv_row){keep(op->kv.key), keep(op->kv.value)};
	}
	log_pair(op->kv.key);
	return STORE_OK;
}

/* The whole name; good until the next. */
static struct str path_of(const struct mailbox_row *box)
{
	static char text[MAILBOX_PATH_MAX];
	size_t at = sizeof text;

	for (; box; box = box_of(box->parent)) {
		text[--at] = '/';
		at -= box->name.len;
		memcpy(text + at, box->name.ptr, box->name.len);
	}
	return (struct str){text + at, sizeof text - at - 1};
}

/* As storage/gone.h has it: a name that is subscribed to stays it. */
static void gone_leave(struct mailbox_row *box)
{
	struct store_op op = {.kind = OP_KV_PUT};
	struct pair_key key;

	if (!box->is_subscribed)
		return;
	op.kv.value = path_of(box);
	op.kv.key = pair_gone(&key, op.kv.value);
	(void)do_pair(&op); /* there is room */
}

static void gone_take(struct mailbox_row *box)
{
	struct store_op op = {.kind = OP_KV_DELETE};
	struct pair_key key;

	op.kv.key = pair_gone(&key, path_of(box));
	box->is_subscribed |= do_pair(&op) == STORE_OK;
}

static enum store_outcome do_mailbox(const struct store_op *op, struct op_result *result)
{
	const struct op_mailbox *o = &op->mailbox;
	struct mailbox_row *box = box_of(o->mailbox);

	if (op->kind == OP_MAILBOX_CREATE) {
		result->mailbox = box_add(o->parent, o->name, o->role);
		gone_take(box_of(result->mailbox));
		changed(CHANGE_MAILBOX, result->mailbox, 0);
		return STORE_OK;
	}
	if (!box)
		return STORE_ABSENT;
	if (op->kind == OP_MAILBOX_RENAME) {
		box->parent = o->parent;
		box->name = keep(o->name);
		gone_take(box);
		changed(CHANGE_MAILBOX, box->id, 0);
	} else if (op->kind == OP_MAILBOX_SUBSCRIBE) {
		box->is_subscribed = o->is_subscribed;
		changed(CHANGE_MAILBOX, box->id, 0);
	} else {
		gone_leave(box);
		changed(CHANGE_MAILBOX_GONE, box->id, 0);
		*box = boxes[--box_count];
	}
	return STORE_OK;
}

static enum store_outcome do_recent(const struct op_recent *op, struct op_result *result)
{
	struct mailbox_row *box = box_of(op->mailbox);

	if (!box)
		return STORE_ABSENT;
	uint32_t below = op->below < box->uid_next ? op->below : box->uid_next;

	result->uid = box->recent_from;
	if (below > box->recent_from)
		box->recent_from = below;
	return STORE_OK;
}

static enum store_outcome do_op(const struct store_op *op, struct arena *arena,
				struct op_result *result)
{
	struct growing done = growing(arena), refused = growing(arena);

	switch (op->kind) {
	case OP_APPEND:
		return do_append(&op->append, result);
	case OP_COPY:
	case OP_MOVE:
		if (!box_of(op->copy.mailbox) || !box_of(op->copy.to_mailbox))
			return STORE_ABSENT;
		do_copy(&op->copy, op->kind == OP_MOVE, arena, result);
		return STORE_OK;
	case OP_FLAGS:
		for (size_t i = 0; i < member_count; i++) {
			if (members[i].mailbox != op->flags.mailbox ||
			    !in_set(op->flags.uids, members[i].uid))
				continue;
			if (members[i].modseq > op->flags.unchanged_since)
				grow(&refused, members[i].uid);
			else if (flags_one(&members[i], &op->flags))
				grow(&done, members[i].uid);
		}
		break;
	case OP_EXPUNGE:
		for (size_t i = member_count; i-- > 0;) {
			if (members[i].mailbox == op->expunge.mailbox &&
			    (!op->expunge.only_deleted ||
			     (members[i].flags & FLAG_DELETED)) &&
			    (op->expunge.uids.count == 0 ||
			     in_set(op->expunge.uids, members[i].uid))) {
				done.list[done.count++] = (struct uid_range){
					members[i].uid, members[i].uid};
				member_drop(i);
			}
		}
		break;
	case OP_MAILBOX_CREATE:
	case OP_MAILBOX_RENAME:
	case OP_MAILBOX_DELETE:
	case OP_MAILBOX_SUBSCRIBE:
		return do_mailbox(op, result);
	case OP_KV_PUT:
	case OP_KV_DELETE:
		return do_pair(op);
	case OP_RECENT:
		return do_recent(&op->recent, result);
	case OP_ACCOUNT_CREATE:
	case OP_QUEUE_ADD:
	case OP_QUEUE_SETTLE:
	case OP_UNDELETE:
	case OP_QUEUE_CHANGE:
	case OP_ACL:
	case OP_KEY_FORGET:
		return STORE_INVALID;
	}
	result->uids = (struct uid_set){done.list, done.count};
	result->refused = (struct uid_set){refused.list, refused.count};
	return STORE_OK;
}

/* What is done in a mailbox of that name takes long. */
static bool is_slow(const struct store_op *op)
{
	const struct mailbox_row *box = NULL;

	if (op->kind == OP_FLAGS)
		box = box_of(op->flags.mailbox);
	if (op->kind == OP_COPY || op->kind == OP_MOVE)
		box = box_of(op->copy.mailbox);
	if (op->kind == OP_EXPUNGE)
		box = box_of(op->expunge.mailbox);
	return box && str_same(box->name, STR("slow"));
}

enum store_outcome store_commit(struct store *store, const struct store_commit *commit,
				struct arena *arena, struct store_result *result)
{
	struct op_result *ops = ARENA_ARRAY(arena, struct op_result, commit->count);

	(void)store;
	task_yield(); /* as the real one suspends */
	if (is_slow(&commit->ops[0]))
		(void)task_sleep_ms(SLOW_MS); /* or it ends with the test */
	has_changed = false;
	for (size_t i = 0; i < commit->count; i++) {
		enum store_outcome outcome = do_op(&commit->ops[i], arena, &ops[i]);

		if (outcome != STORE_OK)
			return outcome;
	}
	if (result)
		*result = (struct store_result){
			.change = change, .ops = ops, .count = commit->count};
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (!watches[i])
			continue;
		watches[i]->rings++;
		wake_all(&watches[i]->changed);
	}
	return STORE_OK;
}

enum store_outcome store_summary(struct store *store, account_t account,
				 struct account_summary *summary)
{
	(void)store, (void)account;
	*summary = (struct account_summary){.change = change, .messages = member_count};
	for (size_t i = 0; i < member_count; i++)
		summary->bytes += letters[members[i].letter].body.len;
	return STORE_OK;
}

static struct mailbox_row filled(struct mailbox_row box)
{
	for (size_t i = 0; i < member_count; i++) {
		const struct letter *letter = &letters[members[i].letter];

		if (members[i].mailbox != box.id)
			continue;
		box.exists++;
		box.unseen += !(members[i].flags & FLAG_SEEN);
		box.deleted += (members[i].flags & FLAG_DELETED) != 0;
		box.recent += members[i].uid >= box.recent_from;
		box.bytes += letter->body.len + letter->trace.len;
	}
	box.rights = ACL_RIGHTS;
	box.change = change;
	return box;
}

static void list_below(uint64_t parent, struct mailbox_row *rows, size_t *count)
{
	struct str last = STR("");

	for (;;) {
		const struct mailbox_row *next = NULL;

		for (size_t i = 0; i < box_count; i++) {
			if (boxes[i].parent == parent &&
			    str_cmp(boxes[i].name, last) > 0 &&
			    (!next || str_cmp(boxes[i].name, next->name) < 0))
				next = &boxes[i];
		}
		if (!next)
			return;
		last = next->name;
		rows[(*count)++] = filled(*next);
		list_below(next->id, rows, count);
	}
}

enum store_outcome store_mailboxes(struct store *store, account_t account,
				   struct arena *arena, struct mailbox_row **rows,
				   size_t *count)
{
	(void)store, (void)account;
	*rows = ARENA_ARRAY(arena, struct mailbox_row, box_count);
	*count = 0;
	list_below(0, *rows, count);
	return STORE_OK;
}

enum store_outcome store_mailbox(struct store *store, account_t account, uint64_t mailbox,
				 struct arena *arena, struct mailbox_row *row)
{
	(void)store, (void)account, (void)arena;
	if (!box_of(mailbox))
		return STORE_ABSENT;
	*row = filled(*box_of(mailbox));
	return STORE_OK;
}

/* The members move when others come, so their words are copied. */
static struct keywords words_of(const struct member *m, struct arena *arena)
{
	struct str *words = ARENA_ARRAY(arena, struct str, m->word_count + 1);

	memcpy(words, m->words, m->word_count * sizeof *words);
	return (struct keywords){words, m->word_count};
}

static struct message_row row_of(const struct member *m, unsigned columns,
				 struct arena *arena)
{
	const struct letter *letter = &letters[m->letter];
	struct message_row row = {.uid = m->uid, .flags = m->flags};

	if (columns & ROW_MODSEQ)
		row.modseq = m->modseq;
	if (columns & ROW_KEYWORDS)
		row.keywords = words_of(m, arena);
	if (columns & ROW_MESSAGE) {
		row.member = m->member;
		row.message = m->letter + 1;
		row.received_at = letter->received_at;
		row.received_zone = letter->received_zone;
		row.saved_at = m->saved_at;
		row.size = letter->body.len + letter->trace.len;
		row.trace = letter->trace;
	}
	if (columns & ROW_THREAD)
		row.thread = m->letter + 1; /* each is one of its own */
	if (columns & ROW_KEYS) {
		row.received_at = letter->received_at;
		row.size = letter->body.len + letter->trace.len;
		row.digest = digest_front(letter->digest);
	}
	if (columns & ROW_DIGEST)
		row.digest = letter->digest;
	return row;
}

static bool is_among(struct uid_set uids, uint32_t uid)
{
	for (size_t i = 0; i < uids.count; i++) {
		if (uid >= uids.ranges[i].first && uid <= uids.ranges[i].last)
			return true;
	}
	return false;
}

enum store_outcome store_rows_among(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_set uids,
				    unsigned columns, struct arena *arena,
				    struct message_row **rows, size_t *count,
				    uint32_t *next_uid)
{
	(void)store, (void)account;
	task_yield();
	*rows = ARENA_ARRAY(arena, struct message_row, PAGE_ROWS);
	*count = 0;
	*next_uid = 0;
	for (size_t i = 0; i < member_count; i++) {
		const struct member *m = &members[i];

		if (m->mailbox != mailbox || !is_among(uids, m->uid))
			continue;
		if (*count == PAGE_ROWS) {
			*next_uid = m->uid;
			return STORE_OK;
		}
		(*rows)[(*count)++] = row_of(m, columns, arena);
	}
	return STORE_OK;
}

enum store_outcome store_changes(struct store *store, account_t account, uint64_t mailbox,
				 uint64_t since, struct arena *arena,
				 struct change_row **rows, size_t *count, uint64_t *upto,
				 bool *more)
{
	(void)store, (void)account;
	*count = 0;
	*more = false;
	bool is_trimmed = since < TRIMMED_UPTO && change >= TRIMMED_FROM;

	if (is_trimmed || since > change)
		return STORE_CONFLICT;
	*rows = ARENA_ARRAY(arena, struct change_row, change_count + 1);
	*upto = since;
	for (size_t i = 0; i < change_count; i++) {
		if (changes[i].change <= since ||
		    (mailbox != 0 && changes[i].mailbox != mailbox))
			continue;
		if (*count >= PAGE_CHANGES && changes[i].change != *upto) {
			*more = true;
			return STORE_OK;
		}
		*upto = changes[i].change;
		(*rows)[(*count)++] = changes[i];
	}
	*upto = change;
	return STORE_OK;
}

enum store_outcome store_body_each(struct store *store, account_t account,
				   struct message_ref ref,
				   bool (*take)(void *arg, struct str), void *arg)
{
	struct str body = letters[ref.message - 1].body;

	(void)store, (void)account;
	while (body.len > 0 && take(arg, str_first(body, PIECE)))
		body = str_skip(body, PIECE);
	return STORE_OK;
}

struct body_pages {
	struct message_ref ref;
};

struct body_pages *store_body_begin(struct store *store, account_t account,
				    struct message_ref ref, struct body_pages *after)
{
	struct body_pages *begun = NEW(struct body_pages);

	(void)store, (void)account, (void)after;
	begun->ref = ref;
	return begun;
}

enum store_outcome store_body_rest(struct body_pages **begun,
				   bool (*take)(void *arg, struct str), void *arg)
{
	struct message_ref ref = (*begun)->ref;

	store_body_drop(begun);
	return store_body_each(NULL, 0, ref, take, arg);
}

void store_body_drop(struct body_pages **begun)
{
	mem_free(*begun);
	*begun = NULL;
}

enum store_outcome store_bodies(struct store *store, account_t account,
				const struct message_ref *refs, size_t count,
				struct buf *bodies, enum store_outcome *outcomes)
{
	for (size_t i = 0; i < count; i++) {
		outcomes[i] = i % 3 == 2
				      ? STORE_INVALID /* "too long" */
				      : store_body(store, account, refs[i], &bodies[i]);
	}
	return STORE_OK;
}

enum store_outcome store_body(struct store *store, account_t account,
			      struct message_ref ref, struct buf *body)
{
	(void)store, (void)account;
	task_yield();
	buf_add(body, letters[ref.message - 1].body);
	return buf_ok(body) ? STORE_OK : STORE_INVALID;
}

/* No index: everything is looked through. */
enum store_outcome store_search(struct store *store, account_t account,
				const struct store_find *find, struct arena *arena,
				struct store_candidates *candidates)
{
	(void)store, (void)account, (void)find, (void)arena, (void)candidates;
	return STORE_ABSENT;
}

/* Nobody else is here, who could share anything. */
enum store_outcome store_visit(struct store *store, account_t account, account_t owner,
			       account_t *visit)
{
	(void)store, (void)account, (void)owner, (void)visit;
	return STORE_ABSENT;
}

void store_visit_end(struct store *store, account_t visit)
{
	(void)store, (void)visit;
}

enum store_outcome store_kv_get(struct store *store, account_t account, struct str key,
				struct arena *arena, struct str *value)
{
	const struct kv_row *pair = pair_of(key);

	(void)store, (void)account, (void)arena;
	if (pair)
		*value = pair->value;
	return pair ? STORE_OK : STORE_ABSENT;
}

enum store_outcome store_kv_scan(struct store *store, account_t account,
				 struct str prefix, struct str after, size_t limit,
				 struct arena *arena, struct kv_row **rows, size_t *count)
{
	(void)store, (void)account;
	*count = 0;
	*rows = ARENA_ARRAY(arena, struct kv_row, pair_count + 1);
	for (size_t i = 0; *rows && i < pair_count && *count < limit; i++) {
		if (str_starts(pairs[i].key, prefix) && str_cmp(pairs[i].key, after) > 0)
			(*rows)[(*count)++] = pairs[i];
	}
	return *rows ? STORE_OK : STORE_INVALID;
}

enum store_outcome store_watch_open(struct store *store, struct store_watch *watch,
				    account_t account)
{
	size_t i = 0;

	while (watches[i])
		ASSERT(++i < WATCHES_MAX);
	*watch = (struct store_watch){.account = account, .store = store};
	watches[i] = watch;
	return STORE_OK;
}

void store_watch_close(struct store_watch *watch)
{
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (watches[i] == watch)
			watches[i] = NULL;
	}
}

const char *store_outcome_text(enum store_outcome outcome)
{
	return outcome == STORE_OK ? "done" : "not done";
}

enum login_outcome login_try(const struct login_service *service, struct str name,
			     struct str password, const struct login_client *client,
			     struct login *login)
{
	(void)service, (void)client;
	if (!str_same(name, STR("alice")) || !str_same(password, STR("pass")))
		return LOGIN_REFUSED;
	*login = (struct login){.account = FAKE_ACCOUNT, .address = STR("alice")};
	return LOGIN_OK;
}

/* Nobody logs in so here: the dialogues of tests/dialog do. */
enum login_outcome login_scram_begin(const struct login_service *service, struct str name,
				     const struct login_client *client,
				     account_t *account, struct vault_scram *begun)
{
	(void)service;
	(void)name;
	(void)client;
	(void)account;
	(void)begun;
	return LOGIN_LATER;
}

enum login_outcome login_external(const struct login_service *service, struct str authzid,
				  const struct login_client *client,
				  const struct tls_proof *proof, struct login *login)
{
	(void)service;
	(void)authzid;
	(void)client;
	(void)proof;
	(void)login;
	return LOGIN_LATER;
}

enum login_outcome login_scram_prove(const struct login_service *service, struct str name,
				     const struct login_client *client, account_t account,
				     const struct vault_scram_proof *proof,
				     struct buf *signature, struct login *login)
{
	(void)service;
	(void)name;
	(void)client;
	(void)account;
	(void)proof;
	(void)signature;
	(void)login;
	return LOGIN_LATER;
}

void login_end(const struct login_service *service, struct login *login)
{
	(void)service;
	login->account = 0;
}
