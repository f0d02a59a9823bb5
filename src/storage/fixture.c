#include "storage/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/check.h"
#include "storage/embedded.h"
#include "store/acl.h"

enum { ARENA_MAX = 256 << 20 };

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);

	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char inside[600];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
		if (unlink(inside) != 0)
			remove_folder(inside);
	}
	(void)closedir(folder); /* of a test */
	(void)rmdir(path);
}

enum back_end fixture_back_end = BACK_END_EMBEDDED;

void fixture_each_back_end(void (*test)(void))
{
	static const enum back_end back_ends[] = {BACK_END_MEMORY, BACK_END_EMBEDDED};

	for (size_t i = 0; i < COUNT_OF(back_ends); i++) {
		fixture_back_end = back_ends[i];
		test();
	}
}

err_t fixture_open_again(struct fixture *f)
{
	struct storage_options options = {.folder = f->folder[0] ? f->folder : NULL,
					  .pack_bytes_max = f->options.pack_bytes_max,
					  .index_bytes_max = f->options.index_bytes_max,
					  .copy_bytes_a_second = UINT64_MAX};

	if (options.index_bytes_max == 0)
		options.index_bytes_max = (uint64_t)1 << 30;

	return storage_open(&options, &f->arena, &f->storage, &f->why);
}

void fixture_in(struct fixture *f, const char *folder, struct fixture_options options)
{
	*f = (struct fixture){.options = options};
	ASSERT(str_to_c(str_c(folder), f->folder, sizeof f->folder));
	arena_init(&f->arena, ARENA_MAX);
}

void fixture_open(struct fixture *f, struct fixture_options options)
{
	char folder[] = "/tmp/storage-test.XXXXXX";
	bool has_folder = fixture_back_end == BACK_END_EMBEDDED;

	ASSERT(!has_folder || mkdtemp(folder));
	fixture_in(f, has_folder ? folder : "", options);
	err_t err = fixture_open_again(f);

	CHECK(err == OK);
	CHECK_STR(f->why, STR(""));
	ASSERT(err == OK);
	CHECK(fixture_do(f, 1, (struct store_op){.kind = OP_ACCOUNT_CREATE}) == STORE_OK);
}

void fixture_shut(struct fixture *f)
{
	storage_close(&f->storage);
}

void fixture_close(struct fixture *f)
{
	fixture_shut(f);
	if (f->folder[0])
		remove_folder(f->folder);
	arena_fini(&f->arena);
}

const char *fixture_path(const struct fixture *f, const char *name)
{
	static char path[200];

	(void)snprintf(path, sizeof path, "%s/%s", f->folder, name);
	return path;
}

enum store_outcome fixture_commit(struct fixture *f, account_t account, const char *key,
				  const struct store_op *ops, size_t count)
{
	struct store_commit commit = {
		.account = account, .key = str_c(key), .ops = ops, .count = count};
	struct storage_commit one = {.commit = &commit, .arena = &f->arena};

	storage_commit_group(f->storage, &one, 1);
	f->result = one.result;
	if (one.outcome == STORE_OK) /* for those who read next */
		storage_index_commit(f->storage);
	return one.outcome;
}

enum store_outcome fixture_do(struct fixture *f, account_t account, struct store_op op)
{
	return fixture_commit(f, account, "", &op, 1);
}

void fixture_keep(struct fixture *f, account_t account, const char *days)
{
	struct store_op op = {.kind = OP_KV_PUT,
			      .kv = {STR(STORE_KV_UNDELETE), str_c(days)}};

	CHECK(fixture_do(f, account, op) == STORE_OK);
}

const struct op_result *fixture_first(const struct fixture *f)
{
	static const struct op_result none;

	return f->result.count > 0 ? &f->result.ops[0] : &none;
}

struct store_op op_append_of(uint64_t mailbox, const char *text)
{
	struct str frame = str_c(text);

	return (struct store_op){
		.kind = OP_APPEND,
		.append = {.mailbox = mailbox,
			   .body = {.frame = frame, .raw_size = frame.len},
			   .trace = STR("Received: from here\r\n"),
			   .digest = STR("a digest"),
			   .received_at = 1700000000,
			   .received_zone = -90}};
}

struct store_op op_mailbox_of(const char *name, uint64_t parent)
{
	return (struct store_op){.kind = OP_MAILBOX_CREATE,
				 .mailbox = {.name = str_c(name), .parent = parent}};
}

struct store_op op_queue_of(const struct queue_recipient *recipients, size_t count,
			    const char *text)
{
	struct str frame = str_c(text);

	return (struct store_op){
		.kind = OP_QUEUE_ADD,
		.queue_add = {.sender = STR("ann@example.org"),
			      .id = STR("Q1"),
			      .body = {.frame = frame, .raw_size = frame.len},
			      .trace = STR("Received: by us\r\n"),
			      .digest = STR("queue digest"),
			      .received_at = 1700000000,
			      .due_at = 1000,
			      .envid = STR("env"),
			      .ret = 1,
			      .body_kind = 128,
			      .timing = {5, 6, QUEUE_BY_RETURN},
			      .recipients = recipients,
			      .count = count}};
}

struct uid_set uids_of(struct uid_range *range, uint32_t first, uint32_t last)
{
	*range = (struct uid_range){first, last};
	return (struct uid_set){range, 1};
}

void fixture_fill(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "body %u", i + 1);
		CHECK(fixture_do(f, 1, op_append_of(MAILBOX_INBOX, text)) == STORE_OK);
	}
}

struct mailbox_row fixture_mailbox(struct fixture *f, account_t account, uint64_t mailbox)
{
	struct mailbox_row row = {0};

	CHECK(storage_mailbox(f->storage, account, mailbox, &f->arena, &row) == STORE_OK);
	return row;
}

struct str fixture_body(struct fixture *f, account_t account, uint64_t message)
{
	struct buf frame = BUF(1 << 20);
	uint64_t frame_size, raw_size;
	struct str copy = STR("");

	if (storage_frame(f->storage, account, message, 0, 1 << 19, &frame, &frame_size,
			  &raw_size) == STORE_OK)
		CHECK(arena_copy(&f->arena, buf_str(&frame), &copy));
	buf_fini(&frame);
	return copy;
}

size_t fixture_rows(struct fixture *f, account_t account, uint64_t mailbox,
		    struct message_row **rows)
{
	size_t count = 0;
	uint32_t next;

	CHECK(storage_rows(f->storage, account, mailbox,
			   (struct uid_range){1, UINT32_MAX},
			   ROW_KEYWORDS | ROW_MESSAGE | ROW_DIGEST | ROW_THREAD,
			   &f->arena, rows, &count, &next) == STORE_OK);
	CHECK(next == 0);
	return count;
}

static void add_hex(struct buf *dump, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		buf_printf(dump, "%02x", (unsigned char)bytes.ptr[i]);
}

void fixture_dump(struct fixture *f, struct buf *dump)
{
	struct reader reader;

	CHECK(reader_begin(&reader, f->storage) == STORE_OK);
	for (err_t err = kv_seek(&reader.cursor, STR("")); err == OK;
	     err = kv_next(&reader.cursor)) {
		struct str key = reader.cursor.key;

		buf_printf(dump, "%u %c ", key_account_of(key), key.ptr[4]);
		add_hex(dump, str_skip(key, KEY_PREFIX_LEN));
		buf_add_byte(dump, ' ');
		add_hex(dump, reader.cursor.value);
		buf_add_byte(dump, '\n');
	}
	reader_end(&reader);
	CHECK(buf_ok(dump));
}

size_t fixture_lease(struct fixture *f, enum queue_kind kind, int64_t now, int64_t until,
		     size_t limit, struct queue_row **rows, int64_t *next_due)
{
	struct storage_lease lease = {.kind = kind,
				      .now = now,
				      .leased_until = until,
				      .limit = limit,
				      .arena = &f->arena};

	CHECK(storage_take_due(f->storage, &lease) == STORE_OK);
	*rows = lease.rows;
	*next_due = lease.next_due;
	return lease.count;
}

static void tell_finding(void *arg, const struct check_finding *finding)
{
	(void)arg;
	printf("found: %s, account %u, message %llu\n", finding->text, finding->account,
	       (unsigned long long)finding->message);
}

bool fixture_is_in_order(struct fixture *f)
{
	struct check_options options = {.folder = f->folder,
					.pack_bytes_max = f->options.pack_bytes_max,
					.index_bytes_max = (uint64_t)1 << 30,
					.tell = tell_finding};
	struct check_report report;
	struct str why;

	return storage_check(&options, &f->arena, &report, &why) == OK &&
	       check_is_clean(&report);
}

size_t fixture_queue(struct fixture *f, struct queue_select select,
		     struct queue_row **rows)
{
	struct queue_place place = {0};
	size_t count = 0;

	storage_index_commit(f->storage); /* a lease may not be seen yet */
	while (count == 0 && !place.is_end)
		CHECK(storage_queue_list(f->storage, &select, &place, 10000, &f->arena,
					 rows, &count) == STORE_OK);
	return count;
}

void fixture_maintain(struct fixture *f, int64_t now)
{
	while (storage_maintain(f->storage, now))
		storage_index_commit(f->storage);
	storage_index_commit(f->storage);
}

/* ---- a bit of everything ----------------------------------------------------------- */

/* Copies, flags, moves and expunges the last of the INBOX; gives the mailbox used. */
static uint64_t do_messages(struct fixture *f, const char *name, uint64_t *message)
{
	struct uid_range range, copies = {1, 2};
	struct str word = STR("word");

	fixture_fill(f, 5);
	uint32_t uid = fixture_first(f)->uid;

	*message = fixture_first(f)->message;
	CHECK(fixture_do(f, 1, op_mailbox_of(name, 0)) == STORE_OK);
	uint64_t box = fixture_first(f)->mailbox;
	struct store_op ops[] = {
		{.kind = OP_COPY,
		 .copy = {MAILBOX_INBOX, box, uids_of(&range, uid - 3, uid)}},
		{.kind = OP_FLAGS,
		 .flags = {.mailbox = box,
			   .uids = {&copies, 1},
			   .mode = FLAGS_ADD,
			   .flags = FLAG_SEEN | FLAG_DELETED,
			   .keywords = {&word, 1},
			   .unchanged_since = UINT64_MAX}},
		{.kind = OP_MOVE,
		 .copy = {MAILBOX_INBOX, box, uids_of(&range, uid - 3, uid)}},
		{.kind = OP_KV_PUT, .kv = {str_c(name), STR("value")}},
	};
	struct store_op expunge = {.kind = OP_EXPUNGE,
				   .expunge = {.mailbox = box, .only_deleted = true}};

	CHECK(fixture_commit(f, 1, name, ops, COUNT_OF(ops)) == STORE_OK);
	CHECK(fixture_do(f, 1, op_append_of(4711, "refused")) == STORE_ABSENT);
	CHECK(fixture_do(f, 1, expunge) == STORE_OK);
	return box;
}

/* Queues a mail, leases it, delivers one of its recipients by sharing, and settles. */
static void do_queue(struct fixture *f, const char *key)
{
	static const struct queue_recipient two[] = {
		{.kind = QUEUE_REMOTE, .address = STR("b@example.net")},
		{.kind = QUEUE_LOCAL, .address = STR("c@example.org"), .account = 1},
	};
	struct store_op op = op_queue_of(two, 2, "queued");
	struct queue_row *rows;
	int64_t next_due;

	CHECK(fixture_commit(f, ACCOUNT_SYSTEM, key, &op, 1) == STORE_OK);
	CHECK(fixture_lease(f, QUEUE_REMOTE, 2000, 3000, 9, &rows, &next_due) >= 1);
	op = op_append_of(MAILBOX_INBOX, "");
	op.append.body.from_account = ACCOUNT_SYSTEM;
	op.append.body.from_message = rows[0].message;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op = (struct store_op){.kind = OP_QUEUE_SETTLE,
			       .settle = {.row = rows[0].row, .lease = rows[0].lease}};
	CHECK(fixture_do(f, ACCOUNT_SYSTEM, op) == STORE_OK);
}

/* Shares INBOX and the box with account 7, who has seen some of it. */
static void do_sharing(struct fixture *f, uint64_t box)
{
	struct uid_range range;
	struct store_op op = {
		.kind = OP_ACL,
		.acl = {box, ACL_ADD, {{ACL_ACCOUNT, false, 7}, ACL_READ | ACL_SEEN}}};

	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op.acl.mailbox = MAILBOX_INBOX;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op.kind = OP_FLAGS;
	op.flags = (struct op_flags){.mailbox = MAILBOX_INBOX,
				     .uids = uids_of(&range, 1, 3),
				     .mode = FLAGS_ADD,
				     .flags = FLAG_SEEN | FLAG_ANSWERED,
				     .unchanged_since = UINT64_MAX,
				     .kept = FLAG_SEEN,
				     .seen_by = 7};
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op.flags.mailbox = box;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
}

void fixture_much(struct fixture *f, unsigned seed)
{
	uint64_t message;
	char name[32];

	(void)snprintf(name, sizeof name, "box %u", seed);
	uint64_t box = do_messages(f, name, &message);

	do_queue(f, name);
	struct store_op op = op_append_of(MAILBOX_INBOX, "");

	op.append.body.from_account = 1;
	op.append.body.from_message = message;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	do_sharing(f, box);
	op = op_mailbox_of("renamed", box);
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = fixture_first(f)->mailbox;
	op.mailbox.parent = 0;
	op.mailbox.name = str_c(name + 4);
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op.kind = OP_MAILBOX_SUBSCRIBE;
	op.mailbox.mailbox = box;
	op.mailbox.is_subscribed = true;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	op.kind = OP_MAILBOX_DELETE; /* its name stays subscribed, until it comes back */
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	CHECK(seed % 2 == 0 || fixture_do(f, 1, op_mailbox_of(name, 0)) == STORE_OK);
}
