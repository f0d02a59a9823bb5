#include "store/codec.h"

#include "base/test.h"
#include "store/body_frame.h"
#include "store/words.h"

/* A request's octets come back as the same request, and then as the same octets. */
struct trip {
	struct arena arena;
	struct buf first;
	struct store_request got;
	bool is_good;
};

static void trip_end(struct trip *trip)
{
	buf_fini(&trip->first);
	arena_fini(&trip->arena);
}

static struct trip trip_request(const struct store_request *request)
{
	struct trip trip = {.first = BUF(512 * 1024)};
	struct buf again = BUF(512 * 1024);

	arena_init(&trip.arena, 1 << 20);
	store_enc_request(&trip.first, request);
	trip.is_good = buf_ok(&trip.first) &&
		       store_dec_request((uint16_t)request->call, buf_str(&trip.first),
					 &trip.arena, &trip.got);
	if (trip.is_good) {
		store_enc_request(&again, &trip.got);
		trip.is_good = str_same(buf_str(&again), buf_str(&trip.first));
	}
	buf_fini(&again);
	return trip;
}

static struct trip trip_commit(const struct store_commit *commit)
{
	struct trip trip = {.first = BUF(512 * 1024)};
	struct buf again = BUF(512 * 1024);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	arena_init(&trip.arena, 1 << 20);
	store_enc_commit(&trip.first, commit, NULL, zstd);
	trip.is_good = buf_ok(&trip.first) &&
		       store_dec_request(CALL_COMMIT, buf_str(&trip.first), &trip.arena,
					 &trip.got);
	if (trip.is_good) {
		store_enc_commit(&again, &trip.got.commit, NULL, zstd);
		trip.is_good = str_same(buf_str(&again), buf_str(&trip.first));
	}
	buf_fini(&again);
	ZSTD_freeCCtx(zstd);
	return trip;
}

static bool survives(struct store_request request)
{
	struct trip trip = trip_request(&request);
	bool is_good = trip.is_good && trip.got.account == request.account;

	trip_end(&trip);
	return is_good;
}

#define REQUEST(what, ...) ((struct store_request){.call = (what), __VA_ARGS__})

TEST(what_the_search_index_gives_comes_back_as_it_went)
{
	const struct uid_range ranges[] = {{1, 5}, {9, 9}, {11, UINT32_MAX}};
	const struct store_candidates sent = {{ranges, 2}, {ranges + 1, 2}};
	const struct index_item items[] = {{7, STR("X: y\r\n")}, {1ull << 47, STR("")}};
	const struct index_work work = {5, 6, 1ull << 47, true, items, 2};
	const struct index_state state = {1, 2, 3, 4, 5, UINT64_MAX};
	struct store_candidates candidates;
	struct index_work got;
	struct index_state states;
	struct arena arena;
	SCOPED(buf_fini) struct buf buf = BUF(1000);

	arena_init(&arena, 10000);
	store_enc_candidates(&buf, &sent);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(store_dec_candidates(&dec, &arena, &candidates));
	CHECK(candidates.sure.count == 2 && candidates.sure.ranges[1].first == 9);
	CHECK(candidates.perhaps.count == 2 &&
	      candidates.perhaps.ranges[1].last == UINT32_MAX);
	buf_reset(&buf);
	store_enc_work(&buf, &work);
	dec = dec_over(buf_str(&buf));
	CHECK(store_dec_work(&dec, &arena, &got));
	CHECK(got.account == 5 && got.from == 6 && got.upto == 1ull << 47 && got.is_more);
	CHECK(got.count == 2 && got.items[1].message == 1ull << 47);
	CHECK_STR(got.items[0].trace, STR("X: y\r\n"));
	buf_reset(&buf);
	store_enc_index_state(&buf, &state);
	dec = dec_over(buf_str(&buf));
	CHECK(store_dec_index_state(&dec, &states));
	CHECK(states.messages == 1 && states.waiting == 3 &&
	      states.segments == UINT64_MAX);
	arena_fini(&arena);
}

TEST(requests_come_back_as_they_went)
{
	CHECK(survives(REQUEST(CALL_ENTER, .account = 7, .grant = STR("secret"))));
	CHECK(survives(REQUEST(CALL_LEAVE, .account = UINT32_MAX)));
	CHECK(survives(REQUEST(CALL_SUMMARY, .account = 1)));
	CHECK(survives(REQUEST(CALL_MAILBOXES, .account = 2)));
	CHECK(survives(REQUEST(CALL_MAILBOX, .account = 3, .mailbox = 1ull << 47)));
	const struct uid_range ranges[] = {{1, 7}, {9, UINT32_MAX}};

	CHECK(survives(
		REQUEST(CALL_ROWS, .account = 3,
			.rows = {9, {ranges, 2}, ROW_KEYWORDS | ROW_DIGEST | ROW_HASH})));
	CHECK(survives(REQUEST(CALL_CHANGES, .account = 3, .changes = {0, UINT64_MAX})));
	CHECK(survives(REQUEST(CALL_BODY, .account = 3,
			       .body = {{8, 9, UINT32_MAX}, 100, 4096})));
	CHECK(survives(REQUEST(
		CALL_BODIES, .account = 3,
		.bodies = {(const struct message_ref[]){{5, 0, 0}, {1ull << 47, 9, 4}},
			   2})));
	CHECK(survives(REQUEST(CALL_VISIT, .account = 5, .visit = {6, ACCOUNT_VISITS})));
	CHECK(survives(REQUEST(CALL_VISIT_END, .account = 5, .visit = {6, UINT32_MAX})));
	CHECK(survives(REQUEST(CALL_KV_GET, .account = 0, .key = STR("d/acc/1"))));
	CHECK(survives(REQUEST(CALL_KV_SCAN, .scan = {STR("d/"), STR("d/a\0b"), 12})));
	CHECK(survives(REQUEST(CALL_QUEUE_LEASE, .lease = {QUEUE_REMOTE, -5, 77, 500})));
	CHECK(survives(REQUEST(CALL_EXPUNGED, .account = 5, .list = {17, 100})));
	CHECK(survives(REQUEST(CALL_QUEUE_LIST,
			       .listing = {{.by = BY_SENDER | BY_CAUSE | BY_HELD,
					    .sender = STR("joe@example.com"),
					    .cause = CAUSE_OTHER,
					    .received_before = -1,
					    .account = 7,
					    .is_brief = true},
					   {5, 17, false},
					   1000})));
	CHECK(survives(REQUEST(CALL_QUEUE_COUNTS, .counts = {STR("example.org"), 10})));
	CHECK(survives(REQUEST(CALL_SEARCH, .account = 5, .find = {7, 63, STR("WORD")})));
	CHECK(survives(
		REQUEST(CALL_SEARCH, .account = 5, .find = {7, 1, STR("WORD"), true})));
	CHECK(survives(REQUEST(CALL_INDEX_TAKE, .account = 0)));
	CHECK(survives(REQUEST(CALL_INDEX_STATE, .account = 0)));
	CHECK(survives(REQUEST(CALL_INDEX_RENEW, .account = 0)));
	const struct index_doc docs[] = {{8, STR("words")}, {9, STR("")}};

	CHECK(survives(
		REQUEST(CALL_INDEX_PUT, .account = 5, .done = {7, 9, 1, docs, 2})));
	CHECK(survives(REQUEST(CALL_LOCK, .account = 5, .name = STR("maildrop"))));
	CHECK(survives(REQUEST(CALL_UNLOCK, .account = 5, .name = STR("maildrop"))));
	CHECK(survives(REQUEST(CALL_WATCH, .account = 5)));
	CHECK(survives(REQUEST(CALL_UNWATCH, .account = 5)));
	CHECK(survives(REQUEST(CALL_WATCH_QUEUE, .queue = QUEUE_REMOTE)));
	CHECK(survives(REQUEST(CALL_UNWATCH_QUEUE, .queue = QUEUE_LOCAL)));
	CHECK(survives(REQUEST(CALL_STAGE, .stage = {4, 1 << 20, STR("bytes")})));
	CHECK(survives(REQUEST(CALL_STAGE_DROP, .stage = {.id = 4})));
	CHECK(survives(REQUEST(CALL_REST, .rest = {1, 2})));
	CHECK(survives(REQUEST(CALL_STATS)));
	CHECK(survives(REQUEST(CALL_BACKUP_BEGIN)));
	CHECK(survives(REQUEST(CALL_BACKUP_END)));
}

static const struct str words[] = {{"$Junk", 5}, {"work", 4}};
static const struct uid_range ranges[] = {{1, 1}, {2, 9}, {4000000000, UINT32_MAX}};
static const struct queue_recipient people[] = {
	{QUEUE_LOCAL, STR("ann@example.org"), STR("ann+x@example.org"), 4, STR(""), 0},
	{QUEUE_REMOTE, STR("bob@example.net"), STR(""), 0, STR("rfc822;bob"), 6},
};
static const uint64_t numbers[] = {2, 3, (uint64_t)1 << 47};
static const struct store_op every_op[] = {
	{OP_ACCOUNT_CREATE, .append = {0}},
	{OP_APPEND,
	 .append = {.mailbox = MAILBOX_INBOX,
		    .body = {.raw = STR("Subject: x\r\n\r\nhello hello hello\r\n")},
		    .trace = STR("Return-Path: <>\r\n"),
		    .digest = STR("\1\2\0\3"),
		    .received_at = -1,
		    .received_zone = -90,
		    .flags = FLAG_SEEN,
		    .keywords = {words, 2}}},
	{OP_FLAGS,
	 .flags = {5, {ranges, 3}, FLAGS_ADD, FLAG_DRAFT, {words, 1}, UINT64_MAX}},
	{OP_COPY, .copy = {5, 6, {ranges, 2}}},
	{OP_MOVE, .copy = {6, 5, {ranges + 2, 1}}},
	{OP_EXPUNGE, .expunge = {5, {NULL, 0}, true}},
	{OP_MAILBOX_CREATE, .mailbox = {0, 0, STR("Entwürfe"), ROLE_DRAFTS, false, true}},
	{OP_MAILBOX_RENAME, .mailbox = {9, 3, STR("x"), ROLE_NONE, false, false}},
	{OP_MAILBOX_DELETE, .mailbox = {.mailbox = 9}},
	{OP_MAILBOX_SUBSCRIBE, .mailbox = {.mailbox = 9, .is_subscribed = true}},
	{OP_KV_PUT, .kv = {STR("key"), STR("value"), true}},
	{OP_KV_DELETE, .kv = {STR("key"), STR(""), false}},
	{OP_QUEUE_ADD, .queue_add = {.sender = STR("joe@example.com"),
				     .id = STR("QID"),
				     .body = {.from_account = 3, .from_message = 44},
				     .trace = STR("Received: x\r\n"),
				     .received_at = 1,
				     .due_at = 2,
				     .envid = STR("env"),
				     .ret = 2,
				     .body_kind = 129,
				     .priority = QUEUE_BULK,
				     .timing = {-5, 1ll << 40, QUEUE_BY_TRACE},
				     .recipients = people,
				     .count = 2}},
	{OP_QUEUE_SETTLE, .settle = {3, UINT64_MAX, QUEUE_PROLONG, 99, STR("later"), 3,
				     CAUSE_TLS, STR("mx")}},
	{OP_QUEUE_CHANGE,
	 .queue_change = {ROWS_REROUTE, numbers, 3, QUEUE_HELD, STR("hop:25")}},
	{OP_ACL, .acl = {9, ACL_REMOVE, {{ACL_ACCOUNT, true, 77}, UINT32_MAX}}},
	{OP_RECENT, .recent = {9, UINT32_MAX}},
	{OP_KEY_FORGET, .key_forget = STR("QID/1")},
};

TEST(a_commit_of_every_operation_comes_back)
{
	struct store_commit commit = {9, STR("a key"), 7, every_op, COUNT_OF(every_op)};
	struct trip trip = trip_commit(&commit);
	const struct store_commit *got = &trip.got.commit;

	CHECK(trip.is_good && got->count == COUNT_OF(every_op));
	if (trip.is_good) {
		const struct op_append *append = &got->ops[1].append;
		ZSTD_DCtx *zstd = words_unpacker_new();
		char raw[100];

		CHECK(got->account == 9 && got->key_minute == 7);
		CHECK_STR(got->key, STR("a key"));
		CHECK(append->received_at == -1 && append->received_zone == -90);
		CHECK_STR(append->keywords.words[1], STR("work"));
		CHECK_STR(append->digest, STR("\1\2\0\3"));
		CHECK(frame_unpack(zstd, append->body.frame, raw, append->body.raw_size));
		CHECK_STR(((struct str){raw, append->body.raw_size}),
			  every_op[1].append.body.raw);
		ZSTD_freeDCtx(zstd);
		CHECK(got->ops[2].flags.uids.ranges[2].last == UINT32_MAX);
		CHECK(got->ops[2].flags.unchanged_since == UINT64_MAX);
		CHECK(got->ops[12].queue_add.body.from_message == 44);
		CHECK_STR(got->ops[12].queue_add.recipients[1].orcpt, STR("rfc822;bob"));
		CHECK(got->ops[12].queue_add.timing.deliver_by == -5);
		CHECK(got->ops[12].queue_add.timing.hold_until == 1ll << 40);
		CHECK(got->ops[12].queue_add.timing.modes == QUEUE_BY_TRACE);
		CHECK(got->ops[12].queue_add.priority == QUEUE_BULK);
		CHECK(got->ops[13].settle.told == 3);
		CHECK(got->ops[13].settle.cause == CAUSE_TLS);
		CHECK_STR(got->ops[13].settle.host, STR("mx"));
		CHECK(got->ops[14].queue_change.count == 3);
		CHECK(memcmp(got->ops[14].queue_change.rows, numbers, sizeof numbers) ==
		      0);
		CHECK(got->ops[14].queue_change.until == QUEUE_HELD);
		CHECK(got->ops[15].acl.change == ACL_REMOVE);
		CHECK(got->ops[15].acl.entry.who.account == 77 &&
		      got->ops[15].acl.entry.who.is_negative);
		CHECK(got->ops[16].recent.mailbox == 9 &&
		      got->ops[16].recent.below == UINT32_MAX);
		CHECK_STR(got->ops[6].mailbox.name, STR("Entwürfe"));
	}
	trip_end(&trip);
}

TEST(a_commit_cut_short_anywhere_is_refused)
{
	struct store_commit commit = {9, STR("a key"), 7, every_op, COUNT_OF(every_op)};
	struct trip trip = trip_commit(&commit);
	struct store_request request;

	for (size_t len = 0; len < trip.first.len; len++) {
		arena_reset(&trip.arena);
		CHECK(!store_dec_request(CALL_COMMIT,
					 str_first(buf_str(&trip.first), len),
					 &trip.arena, &request));
	}
	buf_add_byte(&trip.first, 0);
	CHECK(!store_dec_request(CALL_COMMIT, buf_str(&trip.first), &trip.arena,
				 &request));
	trip_end(&trip);
}

TEST(a_frame_that_lies_about_its_size_is_refused)
{
	struct store_op op = every_op[1];
	struct store_commit commit = {9, STR("k"), 7, &op, 1};
	char frame[200];
	size_t len = ZSTD_compress(frame, sizeof frame, "twelve bytes", 12, 1);

	op.append.body = (struct store_body){.frame = {frame, len}, .raw_size = 12};
	struct trip trip = trip_commit(&commit);

	CHECK(trip.is_good);
	trip_end(&trip);
	op.append.body.raw_size = 13;
	trip = trip_commit(&commit);
	CHECK(!trip.is_good);
	trip_end(&trip);
	op.append.body = (struct store_body){.frame = STR("not zstd"), .raw_size = 12};
	trip = trip_commit(&commit);
	CHECK(!trip.is_good);
	trip_end(&trip);
}

TEST(what_breaks_a_bound_is_not_even_sent)
{
	static char big[TRACE_BYTES_MAX + 1];
	static const struct uid_range unordered[] = {{5, 6}, {6, 7}};
	struct buf buf = BUF(512 * 1024);
	struct store_op op = every_op[1];
	struct store_commit commit = {9, STR("k"), 7, &op, 1};
	ZSTD_CCtx *zstd = ZSTD_createCCtx();

	op.append.trace = (struct str){big, sizeof big};
	store_enc_commit(&buf, &commit, NULL, zstd);
	CHECK(!buf_ok(&buf));
	buf_reset(&buf);
	op = every_op[3];
	op.copy.uids = (struct uid_set){unordered, 2};
	store_enc_commit(&buf, &commit, NULL, zstd);
	CHECK(!buf_ok(&buf));
	buf_fini(&buf);
	ZSTD_freeCCtx(zstd);
}

TEST(a_count_without_octets_behind_it_takes_no_memory)
{
	struct arena arena;
	struct buf buf = BUF(100);
	struct store_request request;

	arena_init(&arena, 1 << 20);
	enc_var(&buf, 9);
	enc_str(&buf, STR(""));
	enc_u32(&buf, 0);
	enc_var(&buf, COMMIT_OPS_MAX);
	CHECK(!store_dec_request(CALL_COMMIT, buf_str(&buf), &arena, &request));
	CHECK(arena.used == 0);
	arena_fini(&arena);
	buf_fini(&buf);
}

/* Two of them. */
static void enc_rows(struct buf *buf, unsigned columns, const struct message_row *rows,
		     uint32_t next_uid)
{
	struct rows_writer writer = store_enc_rows(buf, columns);

	for (size_t i = 0; i < 2; i++)
		store_enc_row(&writer, &rows[i]);
	store_enc_rows_end(&writer, next_uid);
}

TEST(results_and_rows_come_back_as_they_went)
{
	struct arena arena;
	struct buf buf = BUF(1 << 20);
	struct flags_run runs[] = {{{1, 1}, FLAG_SEEN, {0}},
				   {{7, UINT32_MAX}, 0, {words, 2}}};
	struct op_result ops[] = {
		{.mailbox = 3, .uid = 9, .uid_validity = 5, .message = 8},
		{.row = 7,
		 .uids = {ranges, 3},
		 .to_uids = {ranges, 1},
		 .refused = {ranges + 1, 1},
		 .runs = runs,
		 .run_count = 2}};
	struct store_result result = {55, true, ops, 2, 1}, got;
	const struct message_row rows[] = {
		{.uid = 3, .flags = 1, .modseq = 9, .member = 4},
		{.uid = 70000,
		 .keywords = {words, 2},
		 .received_zone = -60,
		 .size = 4096,
		 .trace = STR("T: x\r\n"),
		 .digest = STR("d"),
		 .thread = 1ull << 40}};
	struct message_row *got_rows;
	uint32_t next_uid;
	size_t count;

	arena_init(&arena, 1 << 20);
	store_enc_result(&buf, &result);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(store_dec_result(&dec, &arena, &got) && got.count == 2 && got.is_repeat);
	CHECK(got.change == 55 && got.failed_op == 1 && got.ops[0].uid == 9);
	CHECK(got.ops[1].uids.count == 3 && got.ops[1].refused.ranges[0].last == 9);
	CHECK(got.ops[0].run_count == 0 && got.ops[1].run_count == 2);
	CHECK(got.ops[1].runs[0].flags == FLAG_SEEN);
	CHECK(got.ops[1].runs[1].uids.first == 7);
	CHECK(got.ops[1].runs[1].uids.last == UINT32_MAX);
	CHECK_STR(got.ops[1].runs[1].keywords.words[0], STR("$Junk"));
	buf_reset(&buf);
	enc_rows(&buf, ROW_KEYWORDS | ROW_MESSAGE | ROW_DIGEST | ROW_THREAD, rows, 70001);
	dec = dec_over(buf_str(&buf));
	CHECK(store_dec_rows(&dec, &arena, &got_rows, &count, &next_uid));
	CHECK(count == 2 && next_uid == 70001 && got_rows[1].uid == 70000);
	CHECK(got_rows[0].member == 4 && got_rows[1].received_zone == -60);
	CHECK_STR(got_rows[1].trace, STR("T: x\r\n"));
	CHECK_STR(got_rows[1].keywords.words[0], STR("$Junk"));
	CHECK_STR(got_rows[1].digest, STR("d"));
	CHECK(got_rows[0].thread == 0 && got_rows[1].thread == 1ull << 40);
	CHECK(got_rows[0].modseq == 0);
	buf_reset(&buf);
	enc_rows(&buf, ROW_MODSEQ, rows, 0);
	CHECK(buf.len == 9 + 3 + 5);
	dec = dec_over(buf_str(&buf));
	CHECK(store_dec_rows(&dec, &arena, &got_rows, &count, &next_uid) && count == 2);
	CHECK(got_rows[0].modseq == 9 && got_rows[0].flags == 1 && next_uid == 0);
	CHECK(got_rows[0].member == 0 && got_rows[1].keywords.count == 0);
	buf_reset(&buf);
	enc_rows(&buf, ROW_KEYS, rows, 0);
	dec = dec_over(buf_str(&buf));
	CHECK(store_dec_rows(&dec, &arena, &got_rows, &count, &next_uid) && count == 2);
	CHECK(got_rows[1].size == 4096 && got_rows[1].trace.len == 0);
	CHECK_STR(got_rows[1].digest, STR("d"));
	buf_fini(&buf);
	arena_fini(&arena);
}

TEST(changes_come_back_as_they_went)
{
	const struct change_row rows[] = {
		{1ull << 40, CHANGE_MESSAGE_NEW, 7, {4, UINT32_MAX}, STR("")},
		{5, CHANGE_ANNOTATION, 0, {0, 0}, STR("p/00000007/vendor/x")},
		{6, CHANGE_SHARES, 0, {0, 0}, STR("")},
	};
	struct buf buf = BUF(1000);
	struct arena arena, small;
	struct change_row *got;
	size_t count;
	uint64_t upto;
	bool more;

	arena_init(&arena, 10000);
	arena_init(&small, 3 * sizeof *got + 10);
	store_enc_changes(&buf, rows, COUNT_OF(rows), 99, true);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(store_dec_changes(&dec, &arena, &got, &count, &upto, &more));
	CHECK(count == 3 && upto == 99 && more);
	CHECK(got[0].change == 1ull << 40 && got[0].uids.last == UINT32_MAX);
	CHECK(got[1].kind == CHANGE_ANNOTATION && got[0].entry.len == 0);
	CHECK_STR(got[1].entry, rows[1].entry);
	CHECK(got[1].entry.ptr < buf.ptr || got[1].entry.ptr >= buf.ptr + buf.len);
	CHECK(got[2].kind == CHANGE_SHARES);
	dec = dec_over(buf_str(&buf));
	CHECK(!store_dec_changes(&dec, &small, &got, &count, &upto, &more));
	buf_fini(&buf);
	arena_fini(&small);
	arena_fini(&arena);
}

TEST(counts_come_back_as_they_went)
{
	struct queue_domain in = {STR("example.org"), {.rows = 3, .causes = {1, 0, 2}}},
			    *out;
	struct queue_count all = {.rows = 1 << 20, .leased = 7}, got;
	struct arena arena;
	struct buf buf = BUF(1000);
	size_t count;

	arena_init(&arena, 1 << 16);
	store_enc_counts(&buf, &all, &in, 1);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(store_dec_counts(&dec, &arena, &got, &out, &count) && count == 1);
	CHECK(memcmp(&got, &all, sizeof all) == 0);
	CHECK(memcmp(&out->count, &in.count, sizeof in.count) == 0);
	CHECK_STR(out->domain, in.domain);
	buf_fini(&buf);
	arena_fini(&arena);
}

TEST(queue_rows_come_back_as_they_went)
{
	struct arena arena;
	struct buf buf = BUF(1 << 20);
	struct queue_row row = {.account = 2,
				.row = 77,
				.lease = UINT64_MAX,
				.message = 12,
				.id = STR("QID"),
				.recipient = people[1],
				.due_at = 5,
				.timing = {7, 8, 9},
				.told = QUEUE_TOLD_LATE,
				.tries = 3,
				.reason = STR("because"),
				.is_given_up = true,
				.held_until = QUEUE_HELD,
				.cause = CAUSE_DNS,
				.route = STR("hop")};
	struct queue_row *rows;
	size_t count;

	arena_init(&arena, 1 << 20);
	store_enc_queue_rows(&buf, &row, 1);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(store_dec_queue_rows(&dec, &arena, &rows, &count) && count == 1);
	CHECK(rows[0].lease == UINT64_MAX && rows[0].tries == 3);
	CHECK(rows[0].is_given_up && rows[0].held_until == QUEUE_HELD);
	CHECK(rows[0].cause == CAUSE_DNS);
	CHECK_STR(rows[0].route, STR("hop"));
	CHECK(rows[0].timing.deliver_by == 7 && rows[0].timing.hold_until == 8);
	CHECK(rows[0].timing.modes == 9 && rows[0].told == QUEUE_TOLD_LATE);
	CHECK_STR(rows[0].recipient.address, STR("bob@example.net"));
	CHECK_STR(rows[0].reason, STR("because"));
	buf_fini(&buf);
	arena_fini(&arena);
}

TEST(expunged_messages_come_back_as_they_went)
{
	struct arena arena;
	struct buf buf = BUF(1 << 20);
	struct undelete_row row = {.member = 7,
				   .message = 12,
				   .mailbox = 1,
				   .uid = UINT32_MAX,
				   .flags = FLAG_SEEN,
				   .received_at = -1,
				   .expunged_at = 5,
				   .until = INT64_MAX,
				   .size = 99,
				   .digest = STR("digest")};
	struct undelete_row *rows;
	size_t count;

	arena_init(&arena, 1 << 20);
	store_enc_undelete_rows(&buf, &row, 1);
	struct dec dec = dec_over(buf_str(&buf));

	CHECK(store_dec_undelete_rows(&dec, &arena, &rows, &count) && count == 1);
	CHECK(rows->member == 7 && rows->message == 12 && rows->mailbox == 1);
	CHECK(rows->uid == UINT32_MAX && rows->flags == FLAG_SEEN && rows->size == 99);
	CHECK(rows->received_at == -1 && rows->expunged_at == 5);
	CHECK(rows->until == INT64_MAX);
	CHECK_STR(rows->digest, STR("digest"));
	buf_fini(&buf);
	arena_fini(&arena);
}

TEST(events_come_back_as_they_went)
{
	struct arena arena;
	struct buf buf = BUF(1 << 16);
	account_t accounts[] = {1, 0, UINT32_MAX};
	struct store_event event = {1u << QUEUE_REMOTE, accounts, 3}, got;

	arena_init(&arena, 1 << 20);
	store_enc_event(&buf, &event);
	CHECK(store_dec_event(buf_str(&buf), &arena, &got));
	CHECK(got.queues == 2 && got.count == 3 && got.accounts[2] == UINT32_MAX);
	CHECK(!store_dec_event(str_first(buf_str(&buf), 3), &arena, &got));
	buf_fini(&buf);
	arena_fini(&arena);
}

TEST(an_extent_comes_back_as_it_went)
{
	struct pack_extent packs[] = {{1, 64}, {UINT32_MAX, UINT64_MAX}};
	struct store_extent extent = {3, UINT64_MAX, packs, 2}, got;
	SCOPED(buf_fini) struct buf buf = BUF(1000);
	struct arena arena;

	arena_init(&arena, 1000);
	store_enc_extent(&buf, &extent);
	struct dec dec = dec_over(buf_str(&buf));
	struct dec cut = dec_over(str_first(buf_str(&buf), buf.len - 1));

	CHECK(store_dec_extent(&dec, &arena, &got) && got.count == 2);
	CHECK(got.epoch == 3 && got.sequence == UINT64_MAX);
	CHECK(got.packs[1].number == UINT32_MAX && got.packs[1].length == UINT64_MAX);
	CHECK(!store_dec_extent(&cut, &arena, &got));
	arena_fini(&arena);
}
