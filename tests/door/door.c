#include "door/door.h"

#include "base/mem.h"
#include "directory/directory.h"
#include "login/login.h"
#include "net/tls_proof.h"
#include "report/dmarc_ledger.h"
#include "route/route.h"
#include "rt/task.h"
#include "vault/vault.h"

enum store_outcome (*door_on_commit)(const struct store_commit *commit);
unsigned door_lock_count;

struct door_session {
	void (*run)(void);
};

void door_conn(struct conn *conn, struct str input, bool is_loopback)
{
	*conn = (struct conn){
		.input = input, .output = BUF(64 << 20), .is_loopback = is_loopback};
}

static void run_task(void *session)
{
	((const struct door_session *)session)->run();
	loop_stop();
}

void door_run(void (*run)(void))
{
	struct door_session session = {run};

	loop_init();
	ASSERT(task_start("session", run_task, &session));
	loop_run();
	loop_fini();
}

/* ---- net/conn.h -------------------------------------------------------------------- */

struct str conn_peer(const struct conn *conn)
{
	return conn->is_loopback ? STR("127.0.0.1") : STR("192.0.2.1");
}

bool conn_peer_is_loopback(const struct conn *conn)
{
	return conn->is_loopback;
}

bool conn_tls_proof(const struct conn *c, struct tls_proof *proof)
{
	(void)c;
	(void)proof;
	return false;
}

bool conn_tls_exporter(const struct conn *conn, struct buf *out)
{
	(void)conn;
	(void)out;
	return false;
}

bool conn_tls_end_point(const struct conn *conn, struct buf *out)
{
	(void)conn;
	(void)out;
	return false;
}

bool conn_is_tls(const struct conn *conn)
{
	(void)conn;
	return false;
}

struct str conn_tls_text(const struct conn *conn)
{
	(void)conn;
	return STR("");
}

void conn_deadline_s(struct conn *conn, unsigned seconds)
{
	(void)conn;
	ASSERT(seconds > 0);
}

err_t conn_line(struct conn *conn, size_t max, bool is_strict, struct str *line)
{
	size_t end = str_find(conn->input, STR("\r\n"));

	ASSERT(is_strict);
	if (end == conn->input.len)
		return ERR_CLOSED;
	*line = str_first(conn->input, end);
	conn->input = str_skip(conn->input, end + 2);
	return end > max ? ERR_LIMIT : OK;
}

/* Never more than a few octets, so that every place is once the end of a piece. */
err_t conn_peek(struct conn *conn, struct str *input)
{
	*input = str_first(conn->input, 1 + conn->input.len % 500);
	return input->len > 0 ? OK : ERR_CLOSED;
}

void conn_take(struct conn *conn, size_t n)
{
	ASSERT(n <= conn->input.len);
	conn->input = str_skip(conn->input, n);
}

size_t conn_drop_input(struct conn *conn)
{
	size_t len = conn->input.len;

	conn->input = STR("");
	return len;
}

void conn_add(struct conn *conn, struct str text)
{
	buf_add(&conn->output, text);
}

void conn_printf(struct conn *conn, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(&conn->output, format, args);
	va_end(args);
}

err_t conn_flush(struct conn *conn)
{
	(void)conn;
	return OK;
}

bool conn_is_broken(const struct conn *conn)
{
	(void)conn;
	return false;
}

err_t conn_starttls(struct conn *conn, struct tls_server *tls)
{
	(void)tls;
	ASSERT(conn->input.len == 0);
	return ERR_CLOSED;
}

err_t conn_tls_first(struct conn *conn, struct tls_server *tls)
{
	return conn_starttls(conn, tls);
}

/* ---- directory, route, login ------------------------------------------------------- */

static account_t account_of(struct str local)
{
	local = str_first(local, str_find_byte(local, '+'));
	if (str_same_nocase(local, STR("ann")) ||
	    str_same_nocase(local, STR("postmaster")))
		return DOOR_ANN;
	return str_same_nocase(local, STR("bob")) ? DOOR_BOB : 0;
}

static bool is_ours(struct str domain)
{
	return domain.len == 0 || str_same_nocase(domain, STR("example.org"));
}

enum route route_find(const struct directory *directory, struct str local,
		      struct str domain, struct arena *arena,
		      struct route_target **targets, size_t *count)
{
	account_t account = is_ours(domain) ? account_of(local) : 0;

	(void)directory;
	if (is_ours(domain) && account == 0)
		return str_same(local, STR("later")) ? ROUTE_UNKNOWN : ROUTE_NOBODY;
	*targets = ARENA_NEW(arena, struct route_target);
	if (!*targets)
		return ROUTE_UNKNOWN;
	*count = 1;
	**targets = (struct route_target){
		.kind = account != 0 ? QUEUE_LOCAL : QUEUE_REMOTE,
		.address =
			arena_printf(arena, "%.*s@%.*s", STR_FMT(local), STR_FMT(domain)),
		.account = account,
	};
	return account != 0 ? ROUTE_LOCAL : ROUTE_REMOTE;
}

bool directory_may_send_as(const struct directory *directory, account_t account,
			   struct str local, struct str domain, struct arena *arena,
			   bool *is_sure)
{
	(void)directory;
	(void)arena;
	ASSERT(account != 0);
	*is_sure = !str_same(local, STR("later"));
	return is_ours(domain) && account_of(local) == account;
}

enum directory_find directory_find(const struct directory *directory, struct str local,
				   struct str domain, struct arena *arena,
				   struct directory_entry *entry)
{
	(void)directory;
	(void)arena;
	*entry = (struct directory_entry){.account = is_ours(domain) ? account_of(local)
								     : 0};
	if (!is_ours(domain))
		return DIRECTORY_FOREIGN;
	return entry->account != 0 ? DIRECTORY_ACCOUNT : DIRECTORY_NOBODY;
}

/* Nobody's mail is judged. */
void dmarc_tally(struct dmarc_ledger *ledger, const struct dmarc_facts *facts)
{
	(void)ledger;
	(void)facts;
}

/* There are no keys. */
enum store_outcome store_kv_get(struct store *store, account_t account, struct str key,
				struct arena *arena, struct str *value)
{
	(void)store;
	(void)account;
	(void)key;
	(void)arena;
	*value = STR("");
	return STORE_ABSENT;
}

enum login_outcome login_try(const struct login_service *service, struct str name,
			     struct str password, const struct login_client *client,
			     struct login *login)
{
	(void)service;
	(void)client;
	if (str_same(password, STR("later")))
		return LOGIN_LATER;
	if (str_same(password, STR("banned")))
		return LOGIN_BANNED;
	if (account_of(name) == 0 || !str_same(password, STR("pass")))
		return LOGIN_REFUSED;
	login->account = account_of(name);
	return LOGIN_OK;
}

void login_end(const struct login_service *service, struct login *login)
{
	(void)service;
	login->account = 0;
}

/* Any proof will do for bob. */
enum login_outcome login_scram_begin(const struct login_service *service, struct str name,
				     const struct login_client *client,
				     account_t *account, struct vault_scram *begun)
{
	(void)service;
	(void)client;
	*account = account_of(name);
	*begun = (struct vault_scram){.iterations = 4096};
	memset(begun->nonce, 'x', sizeof begun->nonce);
	return LOGIN_OK;
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
	ASSERT(proof->proof.len == VAULT_SCRAM_PROOF_BYTES);
	if (account != DOOR_BOB)
		return LOGIN_REFUSED;
	buf_add(signature, proof->proof);
	login->account = account;
	return LOGIN_OK;
}

/* ---- store ------------------------------------------------------------------------- */

enum store_outcome store_commit(struct store *store, const struct store_commit *commit,
				struct arena *arena, struct store_result *result)
{
	(void)store;
	(void)arena;
	ASSERT(!result);
	return door_on_commit(commit);
}

enum store_outcome store_enter(struct store *store, account_t account, struct str grant)
{
	(void)store;
	ASSERT(account != 0 && str_same(grant, STR("grant")));
	return STORE_OK;
}

void store_leave(struct store *store, account_t account)
{
	(void)store;
	ASSERT(account != 0);
}

struct str store_grant(struct store *store, account_t account)
{
	(void)store;
	ASSERT(account != 0);
	return STR("grant");
}

const char *store_outcome_text(enum store_outcome outcome)
{
	return outcome == STORE_OK ? "stored" : "not stored";
}

/* Three messages, one a page. */
enum store_outcome store_rows_among(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_set uids,
				    unsigned columns, struct arena *arena,
				    struct message_row **rows, size_t *count,
				    uint32_t *next_uid)
{
	uint32_t uid = uids.ranges[0].first, last = uids.ranges[0].last;

	(void)store;
	ASSERT(account != 0 && uids.count == 1 && mailbox == MAILBOX_INBOX && uid > 0 &&
	       columns == ROW_MESSAGE);
	*rows = ARENA_NEW(arena, struct message_row);
	*count = uid <= 3;
	*next_uid = uid < 3 && last > uid ? uid + 1 : 0;
	if (!*rows)
		return STORE_UNAVAILABLE;
	**rows = (struct message_row){.uid = uid,
				      .member = 100 + uid,
				      .message = uid,
				      .size = 40,
				      .trace = STR("Return-Path: <>\r\n")};
	return STORE_OK;
}

/* The third breaks in the middle. */
enum store_outcome store_body_each(struct store *store, account_t account,
				   struct message_ref ref,
				   bool (*take)(void *arg, struct str), void *arg)
{
	uint64_t message = ref.message;

	(void)store;
	ASSERT(account != 0 && message >= 1 && message <= 3);
	if (!take(arg, STR("Subject: x\r\n\r")) || !take(arg, STR("\n.dot\r\n")))
		return STORE_OK;
	if (message == 3)
		return STORE_UNAVAILABLE;
	(void)take(arg, STR("no line end")); /* it was the last piece */
	return STORE_OK;
}

struct body_pages {
	struct store *store;
	account_t account;
	struct message_ref ref;
};

struct body_pages *store_body_begin(struct store *store, account_t account,
				    struct message_ref ref, struct body_pages *after)
{
	struct body_pages *begun = NEW(struct body_pages);

	ASSERT(!after || after->store == store);
	*begun = (struct body_pages){store, account, ref};
	return begun;
}

void store_body_drop(struct body_pages **begun)
{
	mem_free(*begun);
	*begun = NULL;
}

enum store_outcome store_body_rest(struct body_pages **begun,
				   bool (*take)(void *arg, struct str), void *arg)
{
	struct body_pages pages = **begun;

	store_body_drop(begun);
	return store_body_each(pages.store, pages.account, pages.ref, take, arg);
}

enum store_outcome store_body(struct store *store, account_t account,
			      struct message_ref ref, struct buf *body)
{
	(void)store;
	uint64_t message = ref.message;

	ASSERT(account != 0 && message >= 1 && message <= 3);
	buf_add(body, STR("Subject: x\r\n\r\n.dot\r\nno line end"));
	return message == 3 ? STORE_UNAVAILABLE : STORE_OK;
}

enum store_outcome store_bodies(struct store *store, account_t account,
				const struct message_ref *refs, size_t count,
				struct buf *bodies, enum store_outcome *outcomes)
{
	for (size_t i = 0; i < count; i++)
		outcomes[i] = store_body(store, account, refs[i], &bodies[i]);
	return STORE_OK;
}

enum store_outcome store_lock(struct store *store, account_t account, struct str name)
{
	(void)store;
	(void)name;
	ASSERT(account != 0);
	door_lock_count++;
	return STORE_OK;
}

void store_unlock(struct store *store, account_t account, struct str name)
{
	(void)store;
	(void)name;
	ASSERT(account != 0 && door_lock_count > 0);
	door_lock_count--;
}
