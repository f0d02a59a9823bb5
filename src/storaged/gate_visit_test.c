/* What a visitor may do in an account that shares with him. */
#include "base/test.h"
#include "storaged/gate.h"
#include "store/acl.h"

enum { MINE = 7, OTHER = 8, MESSAGE = 71 };
enum { BOX = 21, UNDER = 22, SEEN_UID = 5 };

/* What OTHER gives to MINE in BOX; in UNDER, nothing. */
static uint32_t given;

static bool is_granted(void *arg, account_t account, enum grant_right right)
{
	const unsigned *rights = arg;

	return account == MINE && (*rights & right);
}

static bool is_leased(void *arg, account_t account, uint64_t what)
{
	(void)arg;
	(void)account;
	(void)what;
	return false;
}

static uint32_t rights_there(void *arg, account_t owner, account_t visitor,
			     uint64_t mailbox)
{
	(void)arg;
	return owner == OTHER && visitor == MINE && mailbox == BOX ? given : 0;
}

static bool sees_there(void *arg, account_t owner, const struct message_ref *ref)
{
	(void)arg;
	return owner == OTHER && ref->mailbox == BOX && ref->uid == SEEN_UID &&
	       ref->message == MESSAGE;
}

static enum store_outcome visit(unsigned grant, struct store_request request)
{
	struct gate_view view = {GATE_DOOR, &grant,       is_granted, is_leased,
				 is_leased, rights_there, sees_there};

	request.account = OTHER;
	request.visitor = MINE;
	return gate_judge(&view, &request);
}

static enum store_outcome visit_op(struct store_op *op)
{
	struct store_request request = {.call = CALL_COMMIT};

	request.commit = (struct store_commit){.account = OTHER, .ops = op, .count = 1};
	return visit(GRANT_ALL, request);
}

/* What each needs, and no less. */
static const struct {
	struct store_request request;
	uint32_t rights;
} visits[] = {
	{{.call = CALL_ROWS, .rows = {.mailbox = BOX}}, ACL_READ},
	{{.call = CALL_CHANGES, .changes = {.mailbox = BOX}}, ACL_READ},
	{{.call = CALL_SEARCH, .find = {.mailbox = BOX}}, ACL_READ},
	{{.call = CALL_BODY, .body = {.ref = {MESSAGE, BOX, SEEN_UID}}}, ACL_READ},
	{{.call = CALL_KV_GET, .key = STR("acl/000000000015")}, ACL_ADMIN},
	{{.call = CALL_KV_GET, .key = STR("meta/000000000015/s/x")},
	 ACL_LOOKUP | ACL_READ},
	{{.call = CALL_KV_SCAN, .scan = {.prefix = STR("meta/000000000015/s/")}},
	 ACL_LOOKUP | ACL_SEEN},
	{{.call = CALL_KV_SCAN, .scan = {.prefix = STR("meta/000000000015/p/00000007/")}},
	 ACL_LOOKUP | ACL_POST},
};

TEST(a_visitor_may_call_what_his_rights_say)
{
	for (size_t i = 0; i < COUNT_OF(visits); i++) {
		given = visits[i].rights;
		CHECK(visit(GRANT_ALL, visits[i].request) == STORE_OK);
		CHECK(visit(0, visits[i].request) == STORE_DENIED);
		given = ACL_RIGHTS & ~visits[i].rights;
		CHECK(visit(GRANT_ALL, visits[i].request) ==
		      (given & ACL_LOOKUP ? STORE_DENIED : STORE_ABSENT));
		given = 0;
		CHECK(visit(GRANT_ALL, visits[i].request) == STORE_ABSENT);
	}
}

/* What is his of that, is found out when it is read (visits_read.c). */
TEST(a_visitor_may_always_ask_whether_something_happened)
{
	given = 0;
	CHECK(visit(GRANT_ALL, (struct store_request){.call = CALL_SUMMARY}) == STORE_OK);
	CHECK(visit(GRANT_ALL, (struct store_request){.call = CALL_CHANGES}) == STORE_OK);
	CHECK(visit(0, (struct store_request){.call = CALL_CHANGES}) == STORE_DENIED);
}

TEST(a_visitor_gets_nothing_else_whatever_his_rights)
{
	static const enum store_message refused[] = {
		CALL_ENTER,        CALL_LEAVE,        CALL_QUEUE_LEASE, CALL_QUEUE_LIST,
		CALL_LOCK,         CALL_UNLOCK,       CALL_WATCH_QUEUE, CALL_STATS,
		CALL_BACKUP_END,   CALL_BACKUP_BEGIN, CALL_EXPUNGED,    CALL_VISIT,
		CALL_QUEUE_COUNTS, CALL_INDEX_TAKE,   CALL_INDEX_PUT,   CALL_INDEX_STATE,
		CALL_INDEX_RENEW};
	static const struct store_request others[] = {
		{.call = CALL_ROWS, .rows = {.mailbox = UNDER}},
		{.call = CALL_SEARCH, .find = {.mailbox = UNDER}},
		{.call = CALL_SEARCH, .find = {.mailbox = 0}},
		{.call = CALL_CHANGES, .changes = {.mailbox = UNDER}},
		{.call = CALL_BODY, .body = {.ref = {MESSAGE, UNDER, SEEN_UID}}},
		{.call = CALL_BODY, .body = {.ref = {MESSAGE, BOX, SEEN_UID + 1}}},
		{.call = CALL_BODY, .body = {.ref = {MESSAGE + 1, BOX, SEEN_UID}}},
		{.call = CALL_BODY, .body = {.ref = {MESSAGE, 0, 0}}},
		{.call = CALL_KV_GET, .key = STR("quota")},
		{.call = CALL_KV_GET, .key = STR("acl/000000000016")},
		{.call = CALL_KV_GET, .key = STR("acl/000000000015/")},
		{.call = CALL_KV_GET, .key = STR("seen/000000000015/00000007")},
		{.call = CALL_KV_SCAN, .scan = {.prefix = STR("")}},
		{.call = CALL_KV_SCAN, .scan = {.prefix = STR("acl/")}},
		{.call = CALL_KV_SCAN, .scan = {.prefix = STR("meta/000000000015/")}},
		{.call = CALL_KV_SCAN, .scan = {.prefix = STR("meta/000000000015/p/")}},
		{.call = CALL_KV_SCAN,
		 .scan = {.prefix = STR("meta/000000000015/p/00000008/")}},
		{.call = CALL_KV_SCAN, .scan = {.prefix = STR("meta/000000000016/s/")}},
	};

	given = ACL_RIGHTS;
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		CHECK(visit(GRANT_ALL, (struct store_request){.call = refused[i]}) ==
		      STORE_DENIED);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		CHECK(visit(GRANT_ALL, others[i]) != STORE_OK);
}

static const struct {
	struct store_op op;
	uint32_t rights;
} visit_ops[] = {
	{{OP_APPEND, .append = {.mailbox = BOX}}, ACL_INSERT},
	{{OP_EXPUNGE, .expunge = {.mailbox = BOX, .only_deleted = true}}, ACL_EXPUNGE},
	{{OP_EXPUNGE, .expunge = {.mailbox = BOX}}, ACL_EXPUNGE | ACL_TRASH},
	{{OP_MAILBOX_CREATE, .mailbox = {.parent = BOX}}, ACL_CREATE},
	{{OP_MAILBOX_RENAME, .mailbox = {.mailbox = BOX, .parent = BOX}},
	 ACL_DELETE | ACL_CREATE},
	{{OP_MAILBOX_DELETE, .mailbox = {.mailbox = BOX}}, ACL_DELETE},
	{{OP_ACL, .acl = {.mailbox = BOX}}, ACL_ADMIN},
	{{OP_KV_PUT, .kv = {.key = STR("meta/000000000015/p/00000007/x")}}, ACL_LOOKUP},
};

TEST(a_visitor_may_change_what_his_rights_say)
{
	for (size_t i = 0; i < COUNT_OF(visit_ops); i++) {
		struct store_op op = visit_ops[i].op;

		given = visit_ops[i].rights | ACL_LOOKUP | ACL_POST;
		CHECK(visit_op(&op) == STORE_OK);
		for (uint32_t right = 1; right <= ACL_ADMIN; right <<= 1) {
			given = ACL_RIGHTS & ~right;
			CHECK((visit_op(&op) == STORE_OK) ==
			      !(visit_ops[i].rights & right));
		}
		given = 0;
		CHECK(visit_op(&op) == STORE_ABSENT);
	}
}

TEST(operations_that_are_no_visitors_are_refused)
{
	static const struct store_op refused[] = {
		{OP_ACCOUNT_CREATE},
		{OP_COPY, .copy = {BOX, BOX, {0}}},
		{OP_MOVE, .copy = {BOX, BOX, {0}}},
		{OP_MAILBOX_SUBSCRIBE, .mailbox = {.mailbox = BOX}},
		{OP_MAILBOX_CREATE, .mailbox = {.parent = 0}},
		{OP_MAILBOX_CREATE, .mailbox = {.parent = UNDER}},
		{OP_MAILBOX_CREATE, .mailbox = {.parent = BOX, .role = ROLE_JUNK}},
		{OP_MAILBOX_RENAME, .mailbox = {.mailbox = BOX, .parent = 0}},
		{OP_KV_PUT, .kv = {.key = STR("acl/000000000015")}},
		{OP_KV_PUT, .kv = {.key = STR("quota")}},
		{OP_KV_PUT, .kv = {.key = STR("meta/000000000015/p/00000008/x")}},
		{OP_KV_DELETE, .kv = {.key = STR("seen/000000000015/00000007")}},
		{OP_QUEUE_ADD},
		{OP_QUEUE_SETTLE},
		{OP_UNDELETE},
		{OP_QUEUE_CHANGE},
		{OP_RECENT, .recent = {BOX, 5}},
		{OP_KEY_FORGET},
		{OP_APPEND, .append = {.mailbox = MAILBOX_JUNK}},
	};

	given = ACL_RIGHTS;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		struct store_op op = refused[i];

		CHECK(visit_op(&op) != STORE_OK);
	}
}

TEST(flags_without_a_right_stay_as_they_are)
{
	static const struct {
		uint32_t rights;
		enum flags_mode mode;
		uint8_t flags;
		bool ok;
		uint8_t kept;
		bool is_seen;
	} cases[] = {
		{ACL_SEEN, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, true, 63, true},
		{ACL_SEEN, FLAGS_ADD, FLAG_FLAGGED, false, 0, false},
		{ACL_TRASH, FLAGS_SET, FLAG_SEEN, true, 63 - FLAG_DELETED, false},
		{ACL_WRITE, FLAGS_REMOVE, FLAG_FLAGGED, true, FLAG_SEEN | FLAG_DELETED,
		 false},
		{ACL_WRITE | ACL_SEEN | ACL_TRASH, FLAGS_SET, 0, true, FLAG_SEEN, true},
		{0, FLAGS_SET, 0, false, 0, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct store_op op = {OP_FLAGS, .flags = {.mailbox = BOX,
							  .mode = cases[i].mode,
							  .flags = cases[i].flags}};

		given = cases[i].rights | ACL_READ | ACL_LOOKUP;
		CHECK((visit_op(&op) == STORE_OK) == cases[i].ok);
		if (!cases[i].ok)
			continue;
		CHECK(op.flags.kept == cases[i].kept);
		CHECK(op.flags.seen_by == (cases[i].is_seen ? MINE : 0));
	}
	struct store_op append = {OP_APPEND, .append = {.mailbox = BOX, .flags = 31}};

	given = ACL_INSERT | ACL_TRASH;
	CHECK(visit_op(&append) == STORE_OK && append.append.flags == FLAG_DELETED);
}

TEST(what_is_copied_from_a_visit_must_be_readable_there)
{
	struct store_op op = {OP_APPEND, .append = {.mailbox = MAILBOX_INBOX,
						    .body = {.from_account = OTHER,
							     .from_message = MESSAGE,
							     .from_mailbox = BOX,
							     .from_uid = SEEN_UID,
							     .from_visitor = MINE}}};
	struct store_request request = {.call = CALL_COMMIT, .account = MINE};
	unsigned grant = GRANT_ALL;
	struct gate_view view = {GATE_DOOR, &grant,       is_granted, is_leased,
				 is_leased, rights_there, sees_there};

	request.commit = (struct store_commit){.account = MINE, .ops = &op, .count = 1};
	given = ACL_READ;
	CHECK(gate_judge(&view, &request) == STORE_OK);
	given = ACL_RIGHTS & ~ACL_READ;
	CHECK(gate_judge(&view, &request) == STORE_DENIED);
	given = ACL_READ;
	op.append.body.from_uid++;
	CHECK(gate_judge(&view, &request) == STORE_DENIED);
	op.append.body.from_uid--;
	op.append.body.from_visitor = 0; /* as if the account were one's own */
	CHECK(gate_judge(&view, &request) == STORE_DENIED);
}
