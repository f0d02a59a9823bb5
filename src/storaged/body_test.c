/* Messages, their bodies and pairs, there and back through the store process. */
#include <stdio.h>

#include "base/base64.h"
#include "base/mem.h"
#include "storaged/world.h"
#include "store/ahead.h"

static void appends_and_reads(void)
{
	struct str raw = STR("Subject: hello\r\n\r\nWorld, world, world, world\r\n");
	struct store_result result;
	struct message_row *rows = NULL;
	struct mailbox_row *mailboxes = NULL;
	struct account_summary summary;
	struct change_row *changes;
	struct buf body = BUF(1000);
	uint32_t next_uid;
	uint64_t upto;
	size_t count = 0;
	bool more;
	struct store_op op = append_op(raw);

	op.append.trace = STR("Return-Path: <>\r\n");
	op.append.digest = STR("digest");
	enter(w.door, ANN, 1);
	CHECK(commit_one(w.door, ANN, STR(""), op, &result) == STORE_OK);
	CHECK(result.count == 1 && result.ops[0].uid == 1 && !result.is_repeat);
	CHECK(store_rows(w.door, ANN, MAILBOX_INBOX, (struct uid_range){1, UINT32_MAX},
			 ROW_MESSAGE | ROW_DIGEST | ROW_KEYWORDS, &w.arena, &rows, &count,
			 &next_uid) == STORE_OK);
	CHECK(count == 1 && next_uid == 0 && rows[0].uid == 1);
	CHECK(rows[0].size == raw.len + 17 && rows[0].received_at == 1000);
	CHECK_STR(rows[0].trace, STR("Return-Path: <>\r\n"));
	CHECK_STR(rows[0].digest, STR("digest"));
	CHECK(store_body(w.door, ANN, MESSAGE_REF(rows[0].message), &body) == STORE_OK);
	CHECK_STR(buf_str(&body), raw);
	body.max = body.len + 5; /* too small for another */
	CHECK(store_body(w.door, ANN, MESSAGE_REF(rows[0].message), &body) ==
	      STORE_INVALID);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK && summary.messages == 1);
	CHECK(store_mailboxes(w.door, ANN, &w.arena, &mailboxes, &count) == STORE_OK);
	CHECK(count == 1);
	CHECK_STR(mailboxes[0].name, STR("INBOX"));
	CHECK(store_changes(w.door, ANN, 0, 0, &w.arena, &changes, &count, &upto,
			    &more) == STORE_OK);
	CHECK(count > 0 && upto == summary.change && !more);
	buf_fini(&body);
	store_leave(w.door, ANN);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_DENIED);
}

TEST(a_message_appended_is_read_back)
{
	world_run(appends_and_reads);
}

static void keeps_pairs(void)
{
	struct store_op op = {.kind = OP_KV_PUT};
	struct kv_row *rows;
	struct str value;
	size_t count;
	char key[16];

	for (int i = 0; i < 450; i++) {
		(void)snprintf(key, sizeof key, "d/k%03d", i);
		op.kv.key = str_c(key);
		op.kv.value = str_c(key + 2);
		CHECK(commit_one(w.ctl, 0, STR(""), op, NULL) == STORE_OK);
	}
	op.kv.only_if_absent = true;
	CHECK(commit_one(w.ctl, 0, STR(""), op, NULL) == STORE_CONFLICT);
	CHECK(store_kv_get(w.deliverd, 0, STR("d/k007"), &w.arena, &value) == STORE_OK);
	CHECK_STR(value, STR("k007"));
	CHECK(store_kv_get(w.deliverd, 0, STR("d/none"), &w.arena, &value) ==
	      STORE_ABSENT);
	CHECK(store_kv_get(w.deliverd, 0, STR("x"), &w.arena, &value) == STORE_DENIED);
	/* More than one portion. */
	CHECK(store_kv_scan(w.ctl, 0, STR("d/"), STR("d/k003"), 1000, &w.arena, &rows,
			    &count) == STORE_OK);
	CHECK(count == 446);
	CHECK_STR(rows[0].key, STR("d/k004"));
	CHECK_STR(rows[445].value, STR("k449"));
	CHECK(store_kv_scan(w.ctl, 0, STR("d/"), STR(""), 250, &w.arena, &rows, &count) ==
	      STORE_OK);
	CHECK(count == 250);
}

TEST(pairs_are_kept_and_scanned_in_portions)
{
	world_run(keeps_pairs);
}

static void stages_big_bodies(void)
{
	enum { BYTES = 5 << 20 };
	struct buf raw = BUF(BYTES), got = BUF(BYTES);
	struct store_result result;
	uint32_t x = 12345;

	/* Hard to compress, so that the frame has many pieces and pages. */
	for (size_t i = 0; i < BYTES / 4; i++) {
		x = x * 1664525 + 1013904223;
		buf_add(&raw, (struct str){(const char *)&x, 4});
	}
	enter(w.door, ANN, 1);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(buf_str(&raw)), &result) ==
	      STORE_OK);
	CHECK(result.count == 1);
	if (result.count == 1) {
		CHECK(store_body(w.door, ANN, MESSAGE_REF(result.ops[0].message), &got) ==
		      STORE_OK);
		CHECK(str_same(buf_str(&got), buf_str(&raw)));
	}
	buf_fini(&raw);
	buf_fini(&got);
	store_leave(w.door, ANN);
}

TEST(a_body_of_5_mb_is_staged_and_comes_back)
{
	world_run(stages_big_bodies);
}

struct taken {
	struct str want;
	size_t at;
	bool is_same;
};

static bool take(void *arg, struct str piece)
{
	struct taken *taken = arg;

	taken->is_same =
		taken->is_same &&
		str_same(str_first(str_skip(taken->want, taken->at), piece.len), piece);
	taken->at += piece.len;
	task_yield();
	return taken->at < (3 << 20);
}

static void streams_bodies(void)
{
	enum { BYTES = 4 << 20 };
	struct buf raw = BUF(BYTES);
	struct store_result result;

	for (unsigned i = 0; raw.len < BYTES - 32; i++)
		buf_printf(&raw, "line %u of many\r\n", i * i);
	enter(w.door, ANN, 1);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(buf_str(&raw)), &result) ==
	      STORE_OK);
	struct taken taken = {buf_str(&raw), 0, true};

	CHECK(store_body_each(w.door, ANN, MESSAGE_REF(result.ops[0].message), take,
			      &taken) == STORE_OK);
	CHECK(taken.is_same && taken.at >= (3 << 20) && taken.at < BYTES - 32);
	taken = (struct taken){str_first(buf_str(&raw), 40000), 0, true};
	CHECK(commit_one(w.door, ANN, STR(""), append_op(taken.want), &result) ==
	      STORE_OK);
	CHECK(store_body_each(w.door, ANN, MESSAGE_REF(result.ops[0].message), take,
			      &taken) == STORE_OK);
	CHECK(taken.is_same && taken.at == 40000);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(STR("")), &result) == STORE_OK);
	taken = (struct taken){STR(""), 0, true};
	CHECK(store_body_each(w.door, ANN, MESSAGE_REF(result.ops[0].message), take,
			      &taken) == STORE_OK);
	CHECK(taken.at == 0);
	buf_fini(&raw);
	store_leave(w.door, ANN);
}

/* A mail with so many octets as base64. */
static void add_attachment(struct buf *raw, size_t octets)
{
	char line[57];
	uint32_t x = 12345;

	buf_add_c(raw, "A: b\r\n\r\n");
	for (; octets > 0; octets -= sizeof line) {
		for (size_t i = 0; i < sizeof line; i++) {
			x = x * 1664525 + 1013904223;
			line[i] = (char)(unsigned char)(x >> 24);
		}
		base64_add(raw, (struct str){line, sizeof line});
		buf_add_c(raw, "\r\n");
	}
	buf_add_c(raw, "--b--\r\n");
}

/* A body with so many octets as base64, in INBOX. */
static uint64_t append_attachment(size_t octets, struct buf *raw)
{
	struct store_result result;

	add_attachment(raw, octets);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(buf_str(raw)), &result) ==
	      STORE_OK);
	return result.ops[0].message;
}

static void begins_bodies(void)
{
	SCOPED(buf_fini) struct buf raw = BUF(8 << 20), other = BUF(8 << 20);
	uint64_t first, second;

	enter(w.door, ANN, 1);
	first = append_attachment(57 * 30000, &raw);
	second = append_attachment(57 * 20000, &other);
	struct taken taken = {buf_str(&raw), 0, true};
	struct taken taken_other = {buf_str(&other), 0, true};
	struct body_pages *one = store_body_begin(w.door, ANN, MESSAGE_REF(first), NULL);
	struct body_pages *two = store_body_begin(w.door, ANN, MESSAGE_REF(second), one);
	struct body_pages *none = store_body_begin(w.door, ANN, MESSAGE_REF(999), two);

	CHECK(store_body_rest(&one, take, &taken) == STORE_OK && !one);
	CHECK(taken.is_same && taken.at == raw.len);
	/* The second is there or on its way, when the store begins anew. */
	store_process_stop();
	store_process_start();
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	CHECK(store_body_rest(&two, take, &taken_other) == STORE_OK);
	CHECK(taken_other.is_same && taken_other.at == other.len);
	CHECK(store_body_rest(&none, take, &taken_other) == STORE_ABSENT);

	/* Dropped: never asked for, on its way, and there. */
	one = store_body_begin(w.door, ANN, MESSAGE_REF(first), NULL);
	two = store_body_begin(w.door, ANN, MESSAGE_REF(second), one);
	store_body_drop(&two);
	store_body_drop(&one);
	one = store_body_begin(w.door, ANN, MESSAGE_REF(first), NULL);
	two = store_body_begin(w.door, ANN, MESSAGE_REF(second), one);
	task_turn();
	store_body_drop(&one);
	CHECK(task_sleep_ms(50) == OK);
	store_body_drop(&two);
	store_body_drop(&two);
	store_leave(w.door, ANN);
}

TEST(bodies_are_begun_before_it_is_their_turn)
{
	world_run(begins_bodies);
}

/* Pages that were asked for before so many octets had been taken. */
struct slow_taker {
	size_t at, stops_at, page_count;
};

static bool take_slowly(void *arg, struct str piece)
{
	struct slow_taker *taker = arg;

	taker->at += piece.len;
	CHECK(task_sleep_ms(20) == OK);
	if (taker->at < taker->stops_at)
		return true;
	taker->page_count = w.page_count;
	return false;
}

static void waits_for_slow_takers(void)
{
	SCOPED(buf_fini) struct buf raw = BUF(8 << 20);
	struct slow_taker first = {.stops_at = 1}, second = {.stops_at = 300 * 1000};

	enter(w.door, ANN, 1);
	uint64_t message = append_attachment(57 * 40000, &raw);

	w.page_count = 0;
	CHECK(store_body_each(w.door, ANN, MESSAGE_REF(message), take_slowly, &first) ==
	      STORE_OK);
	CHECK(first.page_count == 1); /* it might have been enough, and was */
	CHECK(task_sleep_ms(20) == OK && w.page_count == 1);
	w.page_count = 0;
	CHECK(store_body_each(w.door, ANN, MESSAGE_REF(message), take_slowly, &second) ==
	      STORE_OK);
	CHECK(second.page_count == 2);
	store_leave(w.door, ANN);
}

TEST(who_takes_slowly_is_one_page_ahead)
{
	world_run(waits_for_slow_takers);
}

static struct message_row long_row(uint32_t uid, uint64_t message, size_t size)
{
	return (struct message_row){.uid = uid, .message = message, .size = size};
}

/* Of long ones the one whose turn it is and the next, and no others. */
static void wants_long_ones(void)
{
	SCOPED(buf_fini) struct buf raw = BUF(8 << 20), body = BUF(1 << 20);
	SCOPED(ahead_free) struct ahead *ahead = ahead_new(w.door, ANN, MAILBOX_INBOX);
	struct message_row rows[4];
	enum store_outcome outcome;

	enter(w.door, ANN, 1);
	for (uint32_t i = 0; i < COUNT_OF(rows); i++) {
		buf_reset(&raw);
		uint64_t message = append_attachment(i == 2 ? 57 * 50 : 57 * 9000, &raw);

		rows[i] = long_row(i + 1, message, raw.len);
	}
	struct taken taken = {buf_str(&raw), 0, true};

	ahead_want(ahead, rows, COUNT_OF(rows));
	CHECK(!ahead_take_long(ahead, rows[3].message));
	struct body_pages *begun = ahead_take_long(ahead, rows[0].message);

	CHECK(begun && !ahead_take_long(ahead, rows[0].message));
	CHECK(store_body_rest(&begun, take, &taken) == STORE_OK && taken.is_same);
	ahead_want(ahead, rows + 1, COUNT_OF(rows) - 1); /* and is passed over */
	ahead_want(ahead, rows + 2, COUNT_OF(rows) - 2);
	CHECK(!ahead_take_long(ahead, rows[1].message));
	CHECK(!ahead_take_long(ahead, rows[2].message));
	CHECK(ahead_take(ahead, rows[2].message, &body, &outcome) && outcome == STORE_OK);
	ahead_want(ahead, rows + 3, 1);
	begun = ahead_take_long(ahead, rows[3].message);
	taken.at = 0;
	CHECK(begun && store_body_rest(&begun, take, &taken) == STORE_OK);
	CHECK(taken.is_same && taken.at == raw.len);
	store_leave(w.door, ANN);
}

TEST(of_long_bodies_the_next_is_begun)
{
	world_run(wants_long_ones);
}

static void decodes_runs(void)
{
	static const size_t sizes[] = {57 * 50, 57 * 1000, 57 * 40000};

	enter(w.door, ANN, 1);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct buf raw = BUF(8 << 20), got = BUF(8 << 20), other = BUF(8 << 20);
		struct store_result result;
		enum store_outcome outcome;

		add_attachment(&raw, sizes[i]);
		CHECK(commit_one(w.door, ANN, STR(""), append_op(buf_str(&raw)),
				 &result) == STORE_OK);
		uint64_t message = result.ops[0].message;
		struct taken taken = {buf_str(&raw), 0, true};

		CHECK(store_body(w.door, ANN, MESSAGE_REF(message), &got) == STORE_OK);
		CHECK(str_same(buf_str(&got), buf_str(&raw)));
		CHECK(store_bodies(w.door, ANN, &MESSAGE_REF(message), 1, &other,
				   &outcome) == STORE_OK);
		/* A frame too long for it is for store_body(). */
		CHECK(outcome == (i < 2 ? STORE_OK : STORE_INVALID));
		CHECK(i == 2 || str_same(buf_str(&other), buf_str(&raw)));
		CHECK(store_body_each(w.door, ANN, MESSAGE_REF(message), take, &taken) ==
		      STORE_OK);
		CHECK(taken.is_same && (taken.at == raw.len || taken.at >= (3 << 20)));
		buf_fini(&raw);
		buf_fini(&got);
		buf_fini(&other);
	}
	store_leave(w.door, ANN);
}

TEST(base64_comes_back_as_it_was)
{
	world_run(decodes_runs);
}

TEST(bodies_stream_piece_by_piece_until_enough)
{
	world_run(streams_bodies);
}

/* Bodies never change: who reads old ones does not make the store write its index. */
static void old_and_new_bodies(void)
{
	enum { ATTEMPTS = 20 }; /* it may be time for an index commit just then */
	struct message_ref refs[2] = {0};
	enum store_outcome outcomes[2];
	bool was_left = false;

	enter(w.door, ANN, 1);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		struct buf bodies[2] = {BUF(100), BUF(100)};
		struct store_result result;

		CHECK(commit_one(w.door, ANN, STR(""), append_op(STR("new\r\n")),
				 &result) == STORE_OK);
		refs[1] = MESSAGE_REF(result.ops[0].message);
		if (i > 0) {
			CHECK(store_bodies(w.door, ANN, refs, 1, bodies, outcomes) ==
				      STORE_OK &&
			      outcomes[0] == STORE_OK);
			was_left |= storage_is_behind(w.storage, ANN, STORAGE_MAIL);
			buf_reset(bodies);
			CHECK(store_bodies(w.door, ANN, refs, 2, bodies, outcomes) ==
				      STORE_OK &&
			      outcomes[0] == STORE_OK && outcomes[1] == STORE_OK);
			CHECK_STR(buf_str(&bodies[0]), STR("new\r\n"));
			CHECK_STR(buf_str(&bodies[1]), STR("new\r\n"));
		}
		CHECK(exists(ANN) == i + 1); /* now the index has it */
		refs[0] = refs[1];
		buf_fini(&bodies[0]);
		buf_fini(&bodies[1]);
	}
	CHECK(was_left);
	store_leave(w.door, ANN);
}

TEST(old_bodies_are_read_before_the_index_has_new_ones)
{
	world_run(old_and_new_bodies);
}

static void many_mailboxes(void)
{
	struct mailbox_row *rows = NULL;
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct store_op *ops = NEW_ARRAY(struct store_op, 1000);
	char *names = mem_zeroed(1000, 256);
	struct store_commit commit = {.account = ANN, .ops = ops, .count = 1000};
	size_t count = 0;

	/* About 700 KB: more than a frame holds. */
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < 1000; i++) {
			char *name = names + i * 256;

			memset(name, 'x', 240);
			(void)snprintf(name, 10, "%zu-%05zu", round, i);
			name[7] = 'y';
			op.mailbox.name = (struct str){name, 240};
			ops[i] = op;
		}
		CHECK(store_commit(w.ctl, &commit, &w.arena, NULL) == STORE_OK);
	}
	CHECK(store_mailboxes(w.ctl, ANN, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 3001);
	if (count == 3001)
		CHECK(rows[0].name.len == 240 && rows[2999].name.len == 240);
	mem_free(ops);
	mem_free(names);
}

TEST(a_reply_longer_than_a_frame_comes_in_parts)
{
	world_run(many_mailboxes);
}
