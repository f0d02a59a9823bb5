#include "storaged/gate.h"

#include "base/test.h"
#include "store/acl.h"

enum { MINE = 7, OTHER = 8, ROW = 70, MESSAGE = 71 };

/* What the channel in question has: a grant of rights for MINE, and a row of OTHER. */
struct has {
	unsigned rights;
	bool lease;
};

static bool is_granted(void *arg, account_t account, enum grant_right right)
{
	const struct has *has = arg;

	return account == MINE && (has->rights & right);
}

static bool is_leased_row(void *arg, account_t account, uint64_t row)
{
	const struct has *has = arg;

	return has->lease && account == OTHER && row == ROW;
}

static bool is_leased_message(void *arg, account_t account, uint64_t message)
{
	const struct has *has = arg;

	return has->lease && account == OTHER && message == MESSAGE;
}

static bool allows(enum gate_role role, unsigned rights, bool lease,
		   struct store_request request)
{
	struct has has = {rights, lease};
	struct gate_view view = {role, &has, is_granted, is_leased_row,
				 is_leased_message};

	return gate_judge(&view, &request) == STORE_OK;
}

/* As which role each call is allowed: with nothing, and with every right to MINE. */
static const struct {
	enum store_message call;
	const char *bare,
		*granted; /* of "dscmli": door, smtpd, ctl, mta, deliverd, indexd
			   */
} calls[] = {
	{CALL_ENTER, "dsl", "dsl"},
	{CALL_LEAVE, "dsl", "dsl"},
	{CALL_SUMMARY, "c", "dc"},
	{CALL_MAILBOXES, "c", "dc"},
	{CALL_MAILBOX, "c", "dc"},
	{CALL_ROWS, "c", "dc"},
	{CALL_CHANGES, "c", "dc"},
	{CALL_BODY, "c", "dc"},
	{CALL_BODIES, "c", "dc"},
	{CALL_KV_GET, "c", "dc"},
	{CALL_KV_SCAN, "c", "dc"},
	{CALL_QUEUE_LEASE, "cl", "cl"},
	{CALL_QUEUE_LIST, "c", "c"},
	{CALL_LOCK, "c", "dc"},
	{CALL_UNLOCK, "dc", "dc"},
	{CALL_WATCH, "c", "dc"},
	{CALL_UNWATCH, "dc", "dc"},
	{CALL_WATCH_QUEUE, "cl", "cl"},
	{CALL_UNWATCH_QUEUE, "cml", "cml"},
	{CALL_STAGE, "dcml", "dcml"},
	{CALL_STAGE_DROP, "dcml", "dcml"},
	{CALL_REST, "dscmli", "dscmli"},
	{CALL_STATS, "c", "c"},
	{CALL_BACKUP_BEGIN, "c", "c"},
	{CALL_BACKUP_END, "c", "c"},
	{CALL_EXPUNGED, "c", "dc"},
	{CALL_QUEUE_COUNTS, "c", "c"},
	{CALL_SEARCH, "c", "dc"},
	{CALL_INDEX_TAKE, "i", "i"},
	{CALL_INDEX_PUT, "i", "i"},
	{CALL_INDEX_STATE, "c", "c"},
	{CALL_INDEX_RENEW, "c", "c"},
	{CALL_VISIT, "", "d"},
	{CALL_VISIT_END, "d", "d"},
};

static bool is_in(const char *roles, enum gate_role role)
{
	static const char letters[] = {'d', 's', 'c', 'v', 'm', 'l', 'i'};

	return strchr(roles, letters[role]);
}

TEST(the_gate_judges_every_call_by_role_and_grant)
{
	CHECK(COUNT_OF(calls) == CALL_COUNT_ - 2); /* all but the commit */
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		for (int r = 0; r < GATE_ROLES; r++) {
			enum gate_role role = (enum gate_role)r;
			struct store_request request = {.call = calls[i].call,
							.account = MINE};

			CHECK(allows(role, 0, false, request) ==
			      is_in(calls[i].bare, role));
			CHECK(allows(role, GRANT_ALL, false, request) ==
			      is_in(calls[i].granted, role));
			request.account = OTHER; /* a grant helps nobody else */
			CHECK(allows(role, GRANT_ALL, true, request) ==
			      is_in(calls[i].bare, role));
		}
	}
}

static const struct {
	enum store_op_kind kind;
	const char *bare, *granted;
} ops[] = {
	{OP_ACCOUNT_CREATE, "c", "c"},
	{OP_APPEND, "cl", "dcl"},
	{OP_FLAGS, "c", "dc"},
	{OP_COPY, "c", "dc"},
	{OP_MOVE, "c", "dc"},
	{OP_EXPUNGE, "c", "dc"},
	{OP_MAILBOX_CREATE, "c", "dc"},
	{OP_MAILBOX_RENAME, "c", "dc"},
	{OP_MAILBOX_DELETE, "c", "dc"},
	{OP_MAILBOX_SUBSCRIBE, "c", "dc"},
	{OP_KV_PUT, "c", "dc"},
	{OP_KV_DELETE, "c", "dc"},
	{OP_QUEUE_ADD, "c", "dcl"},
	{OP_QUEUE_SETTLE, "c", "c"},
	{OP_UNDELETE, "c", "dc"},
	{OP_QUEUE_CHANGE, "c", "c"},
	{OP_ACL, "c", "dc"},
	{OP_RECENT, "c", "dc"},
	{OP_KEY_FORGET, "cl", "dcl"},
};

static bool allows_op(enum gate_role role, unsigned rights, bool lease, account_t account,
		      struct store_op op)
{
	struct store_request request = {.call = CALL_COMMIT, .account = account};

	request.commit =
		(struct store_commit){.account = account, .ops = &op, .count = 1};
	return allows(role, rights, lease, request);
}

TEST(the_gate_judges_every_operation_by_role_and_grant)
{
	CHECK(COUNT_OF(ops) == OP_KEY_FORGET + 1);
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		for (int r = 0; r < GATE_ROLES; r++) {
			enum gate_role role = (enum gate_role)r;
			struct store_op op = {.kind = ops[i].kind};

			if (op.kind == OP_APPEND)
				op.append.mailbox = MAILBOX_INBOX;
			CHECK(allows_op(role, 0, false, MINE, op) ==
			      is_in(ops[i].bare, role));
			CHECK(allows_op(role, GRANT_ALL, false, MINE, op) ==
			      is_in(ops[i].granted, role));
			CHECK(allows_op(role, GRANT_ALL, true, OTHER, op) ==
			      is_in(ops[i].bare, role));
			CHECK(allows_op(role, GRANT_READ, false, MINE, op) ==
			      is_in(ops[i].bare, role));
		}
	}
}

TEST(one_refused_operation_refuses_the_commit)
{
	struct store_op two[] = {{.kind = OP_KEY_FORGET}, {.kind = OP_EXPUNGE}};
	struct store_request request = {.call = CALL_COMMIT, .account = MINE};

	request.commit = (struct store_commit){.account = MINE, .ops = two, .count = 2};
	CHECK(!allows(GATE_DELIVERD, 0, false, request));
	request.commit.count = 1;
	CHECK(allows(GATE_DELIVERD, 0, false, request));
}

TEST(deliverd_writes_lists_of_keys_and_nothing_else_of_the_directory)
{
	struct store_op put = {.kind = OP_KV_PUT}, delete = {.kind = OP_KV_DELETE};

	put.kv.key = delete.kv.key = STR("d/dkm/example.org");
	CHECK(allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, OTHER, put));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, delete));
	CHECK(!allows_op(GATE_MTA, 0, false, ACCOUNT_SYSTEM, put));
	put.kv.key = STR("d/srs");
	CHECK(allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	put.kv.key = STR("d/srs2");
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	put.kv.key = STR("d/adr/ann@example.org");
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	put.kv.key = STR("t/sts/example.org");
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
}

TEST(deliverd_appends_as_delivery_names_mailboxes_only)
{
	struct store_op op = {.kind = OP_APPEND};

	op.append.mailbox = 2;
	CHECK(!allows_op(GATE_DELIVERD, 0, false, OTHER, op));
	op.append.mailbox = MAILBOX_INBOX;
	CHECK(allows_op(GATE_DELIVERD, 0, false, OTHER, op));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, op));
	op.append.mailbox = MAILBOX_JUNK;
	CHECK(allows_op(GATE_DELIVERD, 0, false, OTHER, op));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, op));
	op.append.mailbox = MAILBOX_NAMED;
	CHECK(allows_op(GATE_DELIVERD, 0, false, OTHER, op));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, op));
}

TEST(deliverd_reads_scripts_and_nothing_else_of_people)
{
	struct store_request get = {.call = CALL_KV_GET, .account = OTHER};
	struct store_op put = {.kind = OP_KV_PUT};

	get.key = STR(STORE_KV_SIEVE);
	CHECK(allows(GATE_DELIVERD, 0, false, get));
	CHECK(!allows(GATE_SMTPD, 0, false, get));
	CHECK(!allows(GATE_MTA, 0, false, get));
	get.key = STR(STORE_KV_SIEVE "2");
	CHECK(!allows(GATE_DELIVERD, 0, false, get));
	get.key = STR(STORE_KV_QUOTA);
	CHECK(!allows(GATE_DELIVERD, 0, false, get));
	put.kv.key = STR(STORE_KV_SIEVE);
	CHECK(!allows_op(GATE_DELIVERD, 0, false, OTHER, put));
}

TEST(deliverd_counts_for_reports_of_dmarc_alone)
{
	struct store_op put = {.kind = OP_KV_PUT, .kv = {.key = STR("r/dmarc/1/a/0")}};
	struct store_op other = {.kind = OP_KV_DELETE, .kv = {.key = STR("d/x")}};
	struct store_request scan = {.call = CALL_KV_SCAN};

	CHECK(allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, MINE, put));
	CHECK(!allows_op(GATE_MTA, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, other));
	put.kind = OP_KV_DELETE;
	CHECK(allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	scan.scan.prefix = STR("r/dmarc/");
	CHECK(allows(GATE_DELIVERD, 0, false, scan) && !allows(GATE_MTA, 0, false, scan));
	scan.scan.prefix = STR("r/");
	CHECK(!allows(GATE_DELIVERD, 0, false, scan));
}

TEST(deliverd_keeps_reports_of_others_and_ctl_reads_them)
{
	struct store_op put = {.kind = OP_KV_PUT};
	struct store_request scan = {.call = CALL_KV_SCAN};

	put.kv.key = STR("r/kept/example.org/020000/dmarc/0123456789abcdef");
	CHECK(allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(allows_op(GATE_CTL, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, MINE, put));
	CHECK(!allows_op(GATE_MTA, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, true, ACCOUNT_SYSTEM, put));
	put.kv.key = STR("r/keptother/x");
	CHECK(!allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, put));
	scan.scan.prefix = STR("r/kept/");
	CHECK(allows(GATE_DELIVERD, 0, false, scan) && allows(GATE_CTL, 0, false, scan));
	CHECK(!allows(GATE_MTA, 0, false, scan) && !allows(GATE_DOOR, 0, false, scan));
}

TEST(a_body_is_shared_only_with_who_may_read_it)
{
	struct store_op op = {.kind = OP_APPEND};

	op.append.mailbox = MAILBOX_INBOX;
	op.append.body.from_account = OTHER;
	op.append.body.from_message = MESSAGE;
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, true, MINE, op));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, MINE, op));
	CHECK(allows_op(GATE_DELIVERD, 0, true, MINE, op));
	CHECK(!allows_op(GATE_CTL, 0, true, MINE, op));
	op.append.body.from_message++;
	CHECK(!allows_op(GATE_DELIVERD, 0, true, MINE, op));
	op.append.body.from_account = MINE;
	CHECK(allows_op(GATE_DOOR, GRANT_ALL, false, MINE, op));
	op = (struct store_op){.kind = OP_QUEUE_ADD};
	op.queue_add.body.from_account = OTHER;
	op.queue_add.body.from_message = MESSAGE;
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, true, MINE, op));
}

TEST(queue_rows_are_settled_by_who_has_them)
{
	struct store_op op = {.kind = OP_QUEUE_SETTLE};

	op.settle.row = ROW;
	CHECK(allows_op(GATE_DELIVERD, 0, true, OTHER, op));
	CHECK(!allows_op(GATE_DELIVERD, 0, false, OTHER, op));
	CHECK(!allows_op(GATE_DELIVERD, 0, true, MINE, op));
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, true, OTHER, op));
	op = (struct store_op){.kind = OP_QUEUE_ADD};
	CHECK(allows_op(GATE_DELIVERD, 0, false, ACCOUNT_SYSTEM, op));
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, false, ACCOUNT_SYSTEM, op));
}

TEST(a_report_goes_along_with_its_row)
{
	struct store_op two[] = {{.kind = OP_QUEUE_ADD}, {.kind = OP_QUEUE_SETTLE}};
	struct store_request request = {.call = CALL_COMMIT, .account = OTHER};

	two[1].settle.row = ROW;
	request.commit = (struct store_commit){.account = OTHER, .ops = two, .count = 2};
	CHECK(allows(GATE_DELIVERD, 0, true, request));
	CHECK(!allows(GATE_DELIVERD, 0, false, request));
	request.commit.count = 1;
	CHECK(!allows(GATE_DELIVERD, 0, true, request));
	request.commit.count = 2;
	two[1].settle.row++;
	CHECK(!allows(GATE_DELIVERD, 0, true, request));
}

TEST(deliverd_reads_what_it_has_under_lease_and_no_more)
{
	struct store_request request = {.call = CALL_BODY, .account = OTHER};

	request.body.ref.message = MESSAGE;
	CHECK(allows(GATE_DELIVERD, 0, true, request));
	CHECK(!allows(GATE_DELIVERD, 0, false, request));
	request.body.ref.message++;
	CHECK(!allows(GATE_DELIVERD, GRANT_ALL, true, request));
}

TEST(deliverd_leases_local_rows_only)
{
	struct store_request request = {.call = CALL_QUEUE_LEASE};

	request.lease.kind = QUEUE_REMOTE;
	CHECK(!allows(GATE_DELIVERD, GRANT_ALL, true, request));
	request = (struct store_request){.call = CALL_WATCH_QUEUE};
	request.queue = QUEUE_REMOTE;
	CHECK(!allows(GATE_DELIVERD, GRANT_ALL, true, request));
}

TEST(the_mta_has_what_it_leases_and_no_more)
{
	struct store_request request = {.call = CALL_QUEUE_LEASE};

	request.lease.kind = QUEUE_LOCAL;
	CHECK(!allows(GATE_MTA, GRANT_ALL, true, request));
	request.lease.kind = QUEUE_REMOTE;
	CHECK(allows(GATE_MTA, 0, false, request));
	request = (struct store_request){.call = CALL_BODY, .account = OTHER};
	request.body.ref.message = MESSAGE;
	CHECK(allows(GATE_MTA, 0, true, request));
	CHECK(!allows(GATE_MTA, 0, false, request));
	request.body.ref.message++;
	CHECK(!allows(GATE_MTA, GRANT_ALL, true, request));
	const struct message_ref two[] = {{.message = MESSAGE}, {.message = MESSAGE + 1}};

	request.call = CALL_BODIES;
	request.bodies.refs = two;
	request.bodies.count = 1;
	CHECK(allows(GATE_MTA, 0, true, request));
	request.bodies.count = 2;
	CHECK(!allows(GATE_MTA, 0, true, request));
}

TEST(the_mta_keeps_tls_policies_and_reads_the_directory)
{
	struct store_request get = {.call = CALL_KV_GET, .account = ACCOUNT_SYSTEM};
	struct store_op put = {.kind = OP_KV_PUT};

	put.kv.key = get.key = STR("t/sts/example.org");
	CHECK(allows(GATE_MTA, 0, false, get));
	CHECK(allows_op(GATE_MTA, 0, false, ACCOUNT_SYSTEM, put));
	CHECK(!allows_op(GATE_MTA, 0, false, OTHER, put));
	put.kv.key = get.key = STR("d/adr/ann@example.org");
	CHECK(allows(GATE_MTA, 0, false, get));
	CHECK(!allows_op(GATE_MTA, 0, false, ACCOUNT_SYSTEM, put));
	get.key = STR("x");
	CHECK(!allows(GATE_MTA, GRANT_ALL, true, get));
}

TEST(the_mta_reports_only_what_it_settles)
{
	struct store_op two[] = {{.kind = OP_QUEUE_ADD}, {.kind = OP_QUEUE_SETTLE}};
	struct store_request request = {.call = CALL_COMMIT, .account = OTHER};

	two[1].settle.row = ROW;
	request.commit = (struct store_commit){.account = OTHER, .ops = two, .count = 2};
	CHECK(allows(GATE_MTA, 0, true, request));
	CHECK(!allows(GATE_MTA, 0, false, request));
	request.commit.count = 1;
	CHECK(!allows(GATE_MTA, GRANT_ALL, true, request));
}

/* Mails of TLS-RPT, which the mta may queue along with the counts they tell of. */
static bool allows_told(enum gate_role role, struct store_op mail, const char *key)
{
	struct store_op two[] = {mail, {.kind = OP_KV_DELETE}};
	struct store_request request = {.call = CALL_COMMIT, .account = ACCOUNT_SYSTEM};

	two[1].kv.key = str_c(key);
	request.commit = (struct store_commit){
		.account = ACCOUNT_SYSTEM, .key = STR("k"), .ops = two, .count = 2};
	return allows(role, 0, false, request);
}

TEST(the_mta_tells_counts_of_tls_in_small_mails_from_nobody)
{
	const struct store_op mail = {
		.kind = OP_QUEUE_ADD,
		.queue_add = {.body_kind = QUEUE_TLS_OPTIONAL,
			      .body = {.raw_size = GATE_REPORT_BYTES_MAX},
			      .count = GATE_REPORT_RCPTS_MAX}};
	const char *key = "t/rpt/020779/example.org";
	struct store_op other = mail;

	CHECK(allows_told(GATE_MTA, mail, key));
	CHECK(!allows_told(GATE_DOOR, mail, key) && !allows_told(GATE_VAULT, mail, key));
	CHECK(!allows_told(GATE_MTA, mail, "t/sts/example.org"));
	CHECK(!allows_told(GATE_MTA, mail, "d/adr/ann@example.org"));
	CHECK(!allows_op(GATE_MTA, 0, false, ACCOUNT_SYSTEM, mail)); /* no counts */
	other.queue_add.sender = STR("ann@example.org");
	CHECK(!allows_told(GATE_MTA, other, key));
	other = mail;
	other.queue_add.body.raw_size++;
	CHECK(!allows_told(GATE_MTA, other, key));
	other = mail;
	other.queue_add.count++;
	CHECK(!allows_told(GATE_MTA, other, key));
	other = mail;
	other.queue_add.body_kind = QUEUE_7BIT;
	CHECK(!allows_told(GATE_MTA, other, key));
	other = mail;
	other.queue_add.body.from_account = MINE;
	other.queue_add.body.from_message = MESSAGE;
	CHECK(!allows_told(GATE_MTA, other, key));
	other = (struct store_op){.kind = OP_KV_PUT, .kv = {.key = STR("t/sts/x")}};
	CHECK(allows_told(GATE_MTA, other, key)); /* each by its own rule */
}

TEST(no_mail_rides_along_with_others_where_counts_are_told)
{
	struct store_op row[GATE_REPORTS_MAX + 2] = {
		{.kind = OP_KV_DELETE, .kv = {.key = STR("t/rpt/020779/x")}}};
	struct store_request request = {.call = CALL_COMMIT, .account = ACCOUNT_SYSTEM};

	for (size_t i = 1; i < COUNT_OF(row); i++) {
		row[i] = (struct store_op){.kind = OP_QUEUE_ADD};
		row[i].queue_add.body_kind = QUEUE_TLS_OPTIONAL;
	}
	request.commit = (struct store_commit){.account = ACCOUNT_SYSTEM,
					       .key = STR("k"),
					       .ops = row,
					       .count = COUNT_OF(row) - 1};
	CHECK(allows(GATE_MTA, 0, false, request));
	request.commit.count++; /* one mail too many */
	CHECK(!allows(GATE_MTA, 0, false, request));
	request.commit.count--;
	request.commit.key = STR(""); /* it could be told twice */
	CHECK(!allows(GATE_MTA, 0, false, request));
	request.commit.key = STR("k");
	request.commit.account = request.account = MINE;
	CHECK(!allows(GATE_MTA, 0, false, request));
	request.commit.account = request.account = ACCOUNT_SYSTEM;
	row[1].queue_add.sender = STR("ann@example.org"); /* spoils all */
	CHECK(!allows(GATE_MTA, 0, false, request));
}

TEST(the_vault_reads_names_of_the_directory_and_nothing_else)
{
	struct store_request get = {.call = CALL_KV_GET, .account = ACCOUNT_SYSTEM};

	get.key = STR("d/adr/ann@example.org");
	CHECK(allows(GATE_VAULT, 0, false, get));
	get.account = MINE;
	CHECK(!allows(GATE_VAULT, GRANT_ALL, false, get));
	get.account = ACCOUNT_SYSTEM;
	get.key = STR("t/sts/example.org");
	CHECK(!allows(GATE_VAULT, GRANT_ALL, false, get));
	get.call = CALL_KV_SCAN;
	get.scan.prefix = STR("d/");
	CHECK(!allows(GATE_VAULT, GRANT_ALL, false, get));
}

TEST(smtpd_reads_the_directory_and_writes_nothing)
{
	struct store_request get = {.call = CALL_KV_GET, .account = ACCOUNT_SYSTEM};

	get.key = STR("d/adr/ann@example.org");
	CHECK(allows(GATE_SMTPD, 0, false, get));
	for (int kind = 0; kind <= OP_KEY_FORGET; kind++) {
		struct store_op op = {.kind = (enum store_op_kind)kind};

		if (op.kind == OP_APPEND)
			op.append.mailbox = MAILBOX_INBOX;
		CHECK(!allows_op(GATE_SMTPD, GRANT_ALL, true, MINE, op));
		CHECK(!allows_op(GATE_SMTPD, GRANT_ALL, true, ACCOUNT_SYSTEM, op));
	}
}

TEST(the_directory_is_read_by_its_keys_only)
{
	struct store_request get = {.call = CALL_KV_GET, .account = ACCOUNT_SYSTEM};
	struct store_request scan = {.call = CALL_KV_SCAN, .account = ACCOUNT_SYSTEM};

	get.key = scan.scan.prefix = STR("d/adr/ann@example.org");
	scan.scan.after = STR("");
	CHECK(allows(GATE_SMTPD, 0, false, get) && allows(GATE_SMTPD, 0, false, scan));
	CHECK(allows(GATE_DELIVERD, 0, false, get) &&
	      allows(GATE_DELIVERD, 0, false, scan));
	CHECK(allows(GATE_DOOR, 0, false, get) && !allows(GATE_DOOR, 0, false, scan));
	get.key = scan.scan.prefix = STR("d");
	CHECK(!allows(GATE_SMTPD, 0, false, get) && !allows(GATE_SMTPD, 0, false, scan));
	CHECK(!allows(GATE_DOOR, 0, false, get) && allows(GATE_CTL, 0, false, scan));
	get.key = STR("d/x");
	get.account = OTHER;
	CHECK(!allows(GATE_SMTPD, 0, false, get) && !allows(GATE_DOOR, 0, false, get));
}

TEST(an_account_does_not_raise_its_own_quota)
{
	struct store_op op = {.kind = OP_KV_PUT};

	op.kv.key = STR(STORE_KV_QUOTA);
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, false, MINE, op));
	CHECK(allows_op(GATE_CTL, 0, false, MINE, op));
	op.kind = OP_KV_DELETE;
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, false, MINE, op));
	op.kv.key = STR(STORE_KV_RETENTION "7");
	CHECK(!allows_op(GATE_DOOR, GRANT_ALL, false, MINE, op));
	CHECK(allows_op(GATE_CTL, 0, false, MINE, op));
}
