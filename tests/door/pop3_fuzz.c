/* Whole POP3 sessions with any input, in any order.  What must hold whatever the client
 * says:
 * - nothing is removed but by QUIT, after which nothing more is said;
 * - only messages that are there are removed, and only from INBOX;
 * - the lock is given back. */
#include "base/log.h"
#include "door/door.h"
#include "pop3/pop3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum store_outcome ends_as;
static struct conn conn;
static struct pop3_service service;
static size_t said_before; /* the output's length at the commit; 0: there was none */

static enum store_outcome on_commit(const struct store_commit *commit)
{
	const struct op_expunge *expunge = &commit->ops[0].expunge;

	ASSERT(commit->count == 1 && commit->account != 0 && said_before == 0);
	ASSERT(commit->ops[0].kind == OP_EXPUNGE && expunge->mailbox == MAILBOX_INBOX);
	ASSERT(expunge->uids.count >= 1 && !expunge->only_deleted);
	for (size_t i = 0; i < expunge->uids.count; i++) {
		const struct uid_range *range = &expunge->uids.ranges[i];

		ASSERT(range->first >= 1 && range->first <= range->last);
		ASSERT(range->last <= 3);
		ASSERT(i == 0 || range[-1].last + 1 < range->first);
	}
	said_before = conn.output.len;
	return ends_as;
}

static void session(void)
{
	pop3_session(&conn, &service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int tls;

	if (len == 0)
		return 0;
	log_level_max = LOG_ERROR;
	service = (struct pop3_service){
		.hostname = STR("mx.example.org"),
		.tls = (struct tls_server *)(void *)&tls, /* never looked into */
		.is_dev = true,
	};

	ends_as = (enum store_outcome)(data[0] & 7);
	said_before = 0;
	door_on_commit = on_commit;
	door_conn(&conn, (struct str){(const char *)data + 1, len - 1}, true);
	door_run(session);
	struct str out = buf_str(&conn.output);

	ASSERT(buf_ok(&conn.output) && str_starts(out, STR("+OK ")));
	ASSERT(str_ends(out, STR("\r\n")) && door_lock_count == 0);
	if (said_before > 0) {
		struct str last = str_skip(out, said_before);

		ASSERT(str_starts(last, ends_as == STORE_OK ? STR("+OK") : STR("-ERR")));
		ASSERT(str_find_byte(last, '\n') == last.len - 1);
	}
	buf_fini(&conn.output);
	return 0;
}
