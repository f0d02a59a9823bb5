#include "directory/fake_store.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/test.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "store/codec.h"

struct fake_pair { /* in no order */
	struct buf key, value;
};

static struct fake_pair *find(struct fake_store *fake, struct str key)
{
	for (size_t i = 0; i < fake->count; i++) {
		if (str_same(buf_str(&fake->pairs[i].key), key))
			return &fake->pairs[i];
	}
	return NULL;
}

void fake_store_put(struct fake_store *fake, struct str key, struct str value)
{
	struct fake_pair *pair = find(fake, key);

	if (!pair) {
		MEM_ROOM(fake->pairs, fake->count, fake->room);
		pair = &fake->pairs[fake->count++];
		*pair = (struct fake_pair){BUF(KV_KEY_MAX), BUF(KV_VALUE_MAX)};
		buf_add(&pair->key, key);
	}
	buf_reset(&pair->value);
	buf_add(&pair->value, value);
	CHECK(buf_ok(&pair->key) && buf_ok(&pair->value) && key.len > 0);
}

void fake_store_remove(struct fake_store *fake, struct str key)
{
	struct fake_pair *pair = find(fake, key);

	if (!pair)
		return;
	buf_fini(&pair->key);
	buf_fini(&pair->value);
	*pair = fake->pairs[--fake->count];
}

static bool is_made(const struct fake_store *fake, account_t account)
{
	for (size_t i = 0; i < fake->accounts; i++) {
		if (fake->made[i] == account)
			return true;
	}
	return false;
}

static bool may_be_done(struct fake_store *fake, account_t account,
			const struct store_op *op)
{
	if (op->kind == OP_KV_PUT)
		return !op->kv.only_if_absent || !find(fake, op->kv.key);
	return op->kind != OP_ACCOUNT_CREATE || !is_made(fake, account);
}

static void do_op(struct fake_store *fake, account_t account, const struct store_op *op)
{
	if (op->kind == OP_KV_PUT) {
		fake_store_put(fake, op->kv.key, op->kv.value);
	} else if (op->kind == OP_KV_DELETE) {
		fake_store_remove(fake, op->kv.key);
	} else if (op->kind == OP_ACCOUNT_CREATE) {
		ASSERT(fake->accounts < COUNT_OF(fake->made));
		fake->made[fake->accounts++] = account;
	} else if (op->kind == OP_MAILBOX_CREATE) {
		CHECK(is_made(fake, account) && op->mailbox.is_subscribed);
		fake->mailboxes++;
	}
}

static enum store_outcome commit(struct fake_store *fake,
				 const struct store_commit *asked, struct arena *arena,
				 struct store_result *result)
{
	void (*before)(struct fake_store *) = fake->before_commit;

	*result = (struct store_result){.change = 1, .count = asked->count};
	result->ops = ARENA_ARRAY(arena, struct op_result, asked->count);
	fake->before_commit = NULL;
	if (before)
		before(fake);
	for (size_t i = 0; i < asked->count; i++) {
		if (may_be_done(fake, asked->account, &asked->ops[i]))
			continue;
		result->failed_op = i;
		result->count = 0;
		return STORE_CONFLICT;
	}
	for (size_t i = 0; i < asked->count; i++)
		do_op(fake, asked->account, &asked->ops[i]);
	return STORE_OK;
}

static void scan(const struct fake_store *fake, const struct store_request *request,
		 struct arena *arena, struct buf *reply)
{
	struct kv_row *rows = ARENA_ARRAY(arena, struct kv_row, fake->count + 1);
	size_t count = 0;

	for (size_t i = 0; i < fake->count; i++) {
		struct kv_row row = {buf_str(&fake->pairs[i].key),
				     buf_str(&fake->pairs[i].value)};
		size_t place = count;

		if (!str_starts(row.key, request->scan.prefix) ||
		    str_cmp(row.key, request->scan.after) <= 0)
			continue;
		for (; place > 0 && str_cmp(rows[place - 1].key, row.key) > 0; place--)
			rows[place] = rows[place - 1];
		rows[place] = row;
		count++;
	}
	store_enc_kv_rows(reply, rows, num_min(count, request->scan.limit));
}

static void answer(struct fake_store *fake, const struct store_request *request,
		   struct arena *arena, struct buf *reply)
{
	struct store_result result;
	const struct fake_pair *pair;
	enum store_outcome outcome = STORE_INVALID;

	if (fake->refuse != STORE_OK && fake->calls++ >= fake->refuse_after) {
		enc_u8(reply, (uint8_t)fake->refuse);
		if (request->call == CALL_COMMIT)
			store_enc_result(reply, &(struct store_result){0});
	} else if (request->call == CALL_KV_GET) {
		pair = find(fake, request->key);
		enc_u8(reply, (uint8_t)(pair ? STORE_OK : STORE_ABSENT));
		if (pair)
			buf_add(reply, buf_str(&pair->value));
	} else if (request->call == CALL_KV_SCAN) {
		enc_u8(reply, STORE_OK);
		scan(fake, request, arena, reply);
	} else if (request->call == CALL_COMMIT) {
		outcome = commit(fake, &request->commit, arena, &result);
		enc_u8(reply, (uint8_t)outcome);
		store_enc_result(reply, &result);
	} else {
		enc_u8(reply, (uint8_t)outcome);
	}
}

static void serve(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf reply = BUF(IPC_BODY_MAX);
	struct store_request request;

	arena_init(&arena, (size_t)16 * 1024 * 1024);
	bool is_understood =
		store_dec_request(message->type, message->body, &arena, &request);
	CHECK(is_understood);
	if (!is_understood || message->id == 0)
		return;
	answer(arg, &request, &arena, &reply);
	CHECK(buf_ok(&reply));
	ipc_reply(ipc, message->id, REPLY_WHOLE, buf_str(&reply), -1);
}

static void (*running)(struct fake_store *);

static void run_test(void *arg)
{
	struct fake_store *fake = arg;

	running(fake);
	store_close(&fake->store);
	loop_stop();
}

void fake_store_run(void (*test)(struct fake_store *fake))
{
	struct fake_store fake = {0};
	struct ipc *server;
	int fds[2];

	running = test;
	clock_test_start(0);
	loop_init();
	CHECK(ipc_pair(fds) == OK);
	server = ipc_open("fake store", fds[0], serve, NULL, &fake);
	fake.store = store_open(fds[1]);
	CHECK(task_start("test", run_test, &fake));
	loop_run();
	ipc_close(&server);
	loop_fini();
	clock_test_stop();
	while (fake.count > 0)
		fake_store_remove(&fake, buf_str(&fake.pairs[0].key));
	mem_free(fake.pairs);
}
