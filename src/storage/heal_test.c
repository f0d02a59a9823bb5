/* What damage costs, what the check finds of it, and what comes back. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "rt/panic.h"
#include "storage/check.h"
#include "storage/embedded.h"
#include "storage/fixture.h"

enum {
	DUMP_MAX = 64 << 20,
	PACK_BYTES = 6000,
	SEEDS = 4,
	PATH_BYTES = 200,
	FILES_MAX = 32,
	FLIPS = 20, /* POSTRIDER_FLIPS says how many a long run has */
};

/* ---- the files as they were -------------------------------------------------------- */

struct file {
	char name[40];
	char *bytes;
	size_t size;
};
struct saved {
	struct file files[FILES_MAX];
	size_t count;
};

static void save_file(const struct fixture *f, struct saved *saved, const char *name)
{
	int fd = open(fixture_path(f, name), O_RDONLY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0)
		return;
	ASSERT(fstat(fd, &stat) == 0 && saved->count < FILES_MAX);
	struct file *file = &saved->files[saved->count++];

	(void)snprintf(file->name, sizeof file->name, "%s", name);
	file->size = (size_t)stat.st_size;
	file->bytes = mem_zeroed(1, file->size + 1);
	ASSERT(read(fd, file->bytes, file->size) == (ssize_t)file->size);
	(void)close(fd);
}

static void save_all(const struct fixture *f, struct saved *saved)
{
	*saved = (struct saved){0};
	save_file(f, saved, STORAGE_INDEX);
	for (unsigned i = 1; i < FILES_MAX - 1; i++) {
		char name[40];

		(void)snprintf(name, sizeof name, "packs/%08u.pack", i);
		save_file(f, saved, name);
	}
}

static void restore_all(const struct fixture *f, const struct saved *saved)
{
	char name[40];

	(void)unlink(fixture_path(f, STORAGE_INDEX "-lock"));
	(void)unlink(fixture_path(f, "unclean"));
	/* The epoch's own group may have begun one more. */
	(void)snprintf(name, sizeof name, "packs/%08zu.pack", saved->count);
	(void)unlink(fixture_path(f, name));
	for (size_t i = 0; i < saved->count; i++) {
		const struct file *file = &saved->files[i];
		int fd = open(fixture_path(f, file->name),
			      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		ASSERT(write(fd, file->bytes, file->size) == (ssize_t)file->size);
		(void)close(fd);
	}
}

static void forget_all(struct saved *saved)
{
	for (size_t i = 0; i < saved->count; i++)
		mem_free(saved->files[i].bytes);
}

static void flip(const struct fixture *f, const struct file *file, size_t at,
		 unsigned char with)
{
	char byte = (char)(file->bytes[at] ^ (char)with);
	int fd = open(fixture_path(f, file->name), O_WRONLY | O_CLOEXEC);

	ASSERT(pwrite(fd, &byte, 1, (off_t)at) == 1);
	(void)close(fd);
}

/* ---- what people see --------------------------------------------------------------- */

struct seen {
	struct buf rows;
	size_t count, bodies;
	struct str *texts; /* of each row: what tells it, and its body */
};

static void see_mailbox(struct fixture *f, account_t account, uint64_t mailbox,
			struct buf *text, unsigned *bodies)
{
	struct message_row *rows = NULL;
	size_t count = 0;
	uint32_t next;

	if (storage_rows(f->storage, account, mailbox, (struct uid_range){1, UINT32_MAX},
			 ROW_KEYWORDS | ROW_MESSAGE | ROW_DIGEST, &f->arena, &rows,
			 &count, &next) != STORE_OK)
		return;
	for (size_t i = 0; i < count; i++) {
		struct str body = fixture_body(f, account, rows[i].message);

		*bodies += body.len > 0;
		buf_printf(text, "%u/%llu/%u flags %u size %llu trace %.*s body %.*s\n",
			   account, (unsigned long long)mailbox, rows[i].uid,
			   rows[i].flags, (unsigned long long)rows[i].size,
			   STR_FMT(rows[i].trace), STR_FMT(body));
	}
}

/* Every mail of account 1, a line each. */
static unsigned see(struct fixture *f, struct buf *text)
{
	struct mailbox_row *boxes = NULL;
	size_t count = 0;
	unsigned bodies = 0;

	*text = BUF(DUMP_MAX);
	if (storage_mailboxes(f->storage, 1, &f->arena, &boxes, &count) == STORE_OK)
		for (size_t i = 0; i < count; i++)
			see_mailbox(f, 1, boxes[i].id, text, &bodies);
	return bodies;
}

/* Each line with a body must be one that was there before: never a wrong body. */
static void check_nothing_wrong(struct str now, struct str before)
{
	while (now.len > 0) {
		struct str line = str_cut(&now, '\n');

		if (str_ends(line, STR(" body ")) || line.len == 0)
			continue;
		CHECK(str_find(before, line) < before.len);
	}
}

/* ---- a store with a history -------------------------------------------------------- */

struct heal {
	struct fixture f;
	struct saved saved;
	struct buf dump, text;
	unsigned bodies;
};

static void heal_make(struct heal *h)
{
	*h = (struct heal){0};
	fixture_open(&h->f, (struct fixture_options){.pack_bytes_max = PACK_BYTES});
	for (unsigned i = 1; i <= SEEDS; i++)
		fixture_much(&h->f, i);
	fixture_maintain(&h->f, clock_s());
	h->bodies = see(&h->f, &h->text);
	h->dump = BUF(DUMP_MAX);
	fixture_dump(&h->f, &h->dump);
	fixture_shut(&h->f);
	save_all(&h->f, &h->saved);
	CHECK(h->saved.count >= 3 && h->bodies > 10);
}

static void heal_remove(struct heal *h)
{
	forget_all(&h->saved);
	buf_fini(&h->dump);
	buf_fini(&h->text);
	fixture_close(&h->f);
}

static err_t check(struct heal *h, bool is_repairing, struct check_report *report)
{
	struct check_options options = {.folder = h->f.folder,
					.is_repairing = is_repairing,
					.pack_bytes_max = PACK_BYTES,
					.index_bytes_max = (uint64_t)1 << 30};

	arena_reset(&h->f.arena);
	return storage_check(&options, &h->f.arena, report, &h->f.why);
}

static bool is_same_dump(struct heal *h)
{
	struct buf dump = BUF(DUMP_MAX);

	if (fixture_open_again(&h->f) == OK)
		fixture_dump(&h->f, &dump);
	fixture_shut(&h->f);
	bool is_same = str_same(buf_str(&dump), buf_str(&h->dump));

	buf_fini(&dump);
	return is_same;
}

TEST(a_good_store_is_in_order)
{
	struct heal h;
	struct check_report report;

	heal_make(&h);
	CHECK(check(&h, false, &report) == OK);
	CHECK(check_is_clean(&report) && report.is_whole_log && report.set_aside == 0);
	CHECK(report.accounts == 1 && report.mails >= h.bodies && report.packs >= 2);
	heal_remove(&h);
}

TEST(a_store_with_a_trimmed_log_is_in_order)
{
	enum { YEAR = 365 * 24 * 60 * 60 };
	struct fixture f = {0};

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 60);
	fixture_maintain(&f, clock_s() + YEAR);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f));
	CHECK(fixture_open_again(&f) == OK);
	fixture_fill(&f, 60);
	fixture_maintain(&f, clock_s() + 2 * YEAR);
	fixture_shut(&f);
	CHECK(fixture_is_in_order(&f));
	CHECK(fixture_open_again(&f) == OK);
	fixture_close(&f);
}

TEST(an_index_made_anew_is_the_same_to_the_last_octet)
{
	struct heal h;
	struct check_report report;
	struct check_options options = {.pack_bytes_max = PACK_BYTES,
					.index_bytes_max = (uint64_t)1 << 30};

	heal_make(&h);
	options.folder = h.f.folder;
	CHECK(storage_rebuild(&options, &h.f.arena, &report, &h.f.why) == OK);
	CHECK(report.is_rebuilt && !report.is_epoch_raised);
	CHECK(is_same_dump(&h));
	/* And with nothing to start from. */
	CHECK(unlink(fixture_path(&h.f, STORAGE_INDEX)) == 0);
	CHECK(storage_rebuild(&options, &h.f.arena, &report, &h.f.why) == OK);
	CHECK(is_same_dump(&h));
	heal_remove(&h);
}

/* A server on it: nothing wrong is read, whatever can be is. */
static void serve_once(struct heal *h, unsigned *bodies)
{
	struct buf text;

	arena_reset(&h->f.arena);
	*bodies = 0;
	if (fixture_open_again(&h->f) != OK)
		return;
	*bodies = see(&h->f, &text);
	check_nothing_wrong(buf_str(&text), buf_str(&h->text));
	buf_fini(&text);
	fixture_shut(&h->f);
}

static unsigned flips(void)
{
	const char *wanted = getenv("POSTRIDER_FLIPS");

	return wanted ? (unsigned)strtoul(wanted, NULL, 10) : FLIPS;
}

static void flip_one(struct heal *h, const struct file *file, uint64_t seed)
{
	flip(&h->f, file, hash64_number(seed) % file->size,
	     (unsigned char)(1 + hash64_number(seed + 1000000) % 255));
}

TEST(an_octet_that_changed_in_a_pack_costs_one_mail_at_most)
{
	struct heal h;

	heal_make(&h);
	for (unsigned i = 0; i < flips(); i++) {
		size_t nth = 1 + i % (h.saved.count - 1);
		struct check_report report;
		unsigned bodies;

		restore_all(&h.f, &h.saved);
		flip_one(&h, &h.saved.files[nth], i);
		serve_once(&h, &bodies);
		/* A body may be that of a mail, its copies, and those that share it. */
		CHECK(bodies >= h.bodies - 8);
		CHECK(check(&h, true, &report) == OK);
		CHECK(check_is_clean(&report));
		CHECK(check(&h, false, &report) == OK);
		CHECK(check_is_clean(&report));
		serve_once(&h, &bodies);
		CHECK(bodies >= h.bodies - 8);
	}
	heal_remove(&h);
}

TEST(an_octet_that_changed_in_the_index_costs_nothing)
{
	struct heal h;
	unsigned hurt = 0;

	heal_make(&h);
	for (unsigned i = 0; i < flips(); i++) {
		struct check_report report;

		restore_all(&h.f, &h.saved);
		flip_one(&h, &h.saved.files[0], i);
		CHECK(check(&h, false, &report) == OK);
		bool was_clean = check_is_clean(&report);

		hurt += !was_clean;
		CHECK(check(&h, true, &report) == OK);
		CHECK(check_is_clean(&report) && (was_clean || report.is_repaired));
		CHECK(is_same_dump(&h));
	}
	CHECK(hurt > 0);
	heal_remove(&h);
}

/* Where the text stands for the last time before end; 0 if nowhere. */
static size_t find_last(const struct file *file, size_t end, struct str text)
{
	for (size_t at = end; at-- > 0;)
		if (at + text.len <= file->size &&
		    memcmp(file->bytes + at, text.ptr, text.len) == 0)
			return at;
	return 0;
}

/* Damages the row of a message; what is found first may be on a free page, or have been
 * expunged. */
static void damage_message(struct heal *h, struct check_report *report)
{
	const struct file *index = &h->saved.files[0];
	size_t at = index->size;

	do {
		restore_all(&h->f, &h->saved);
		at = find_last(index, at, STR("Received: from"));
		flip(&h->f, index, at, 1);
		CHECK(check(h, false, report) == OK);
	} while (at > 0 && report->found[CHECK_MESSAGE_LOST] == 0);
}

TEST(a_damaged_row_takes_no_mailbox_with_it)
{
	struct heal h;
	struct check_report report;
	unsigned bodies;

	heal_make(&h);
	damage_message(&h, &report);
	CHECK(report.found[CHECK_ROW_DAMAGED] == 1 && report.is_whole_log);
	CHECK(report.found[CHECK_MESSAGE_LOST] > 0 && !report.is_repaired);
	serve_once(&h, &bodies);
	CHECK(bodies < h.bodies && bodies >= h.bodies - 3);
	CHECK(check(&h, true, &report) == OK);
	CHECK(check_is_clean(&report) && report.is_rebuilt && !report.is_epoch_raised);
	CHECK(is_same_dump(&h));
	heal_remove(&h);
}

/* Two accounts in one group, of which the first has lost its row. */
TEST(a_damaged_account_holds_up_no_other)
{
	struct fixture f;
	struct store_op op = op_append_of(MAILBOX_INBOX, "text");
	struct store_commit commits[] = {{.account = 1, .ops = &op, .count = 1},
					 {.account = 2, .ops = &op, .count = 1}};
	struct storage_commit two[COUNT_OF(commits)];
	struct kv_txn *txn;
	struct key key;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 2, (struct store_op){.kind = OP_ACCOUNT_CREATE}) ==
	      STORE_OK);
	CHECK(kv_begin(f.storage->kv, KV_WRITE, &txn) == OK);
	CHECK(kv_put(txn, key_account(&key, 1), STR("damaged")) == OK);
	CHECK(kv_commit(&txn) == OK);
	for (size_t i = 0; i < COUNT_OF(commits); i++)
		two[i] =
			(struct storage_commit){.commit = &commits[i], .arena = &f.arena};
	storage_commit_group(f.storage, two, COUNT_OF(two));
	CHECK(two[0].outcome == STORE_UNAVAILABLE && two[1].outcome == STORE_OK);
	fixture_close(&f);
}

/* Not all of the log is there, so that it cannot be asked. */
TEST(without_the_log_the_index_is_patched)
{
	struct heal h;
	struct check_report report;
	unsigned bodies;

	heal_make(&h);
	damage_message(&h, &report);
	flip(&h.f, &h.saved.files[1], 64 + 8, 1);
	CHECK(check(&h, true, &report) == OK);
	CHECK(report.is_repaired && !report.is_rebuilt && !report.is_whole_log);
	CHECK(check(&h, false, &report) == OK);
	CHECK(check_is_clean(&report));
	serve_once(&h, &bodies);
	CHECK(bodies < h.bodies && bodies >= h.bodies - 3);
	heal_remove(&h);
}

TEST(the_server_heals_an_index_that_it_cannot_open)
{
	struct heal h;

	heal_make(&h);
	flip(&h.f, &h.saved.files[0], 16, 1); /* the magic of the first page */
	CHECK(is_same_dump(&h));
	heal_remove(&h);
}

TEST(without_the_whole_log_the_numbers_jump)
{
	struct heal h;
	struct check_report report;
	struct mailbox_row before, after = {0};

	heal_make(&h);
	CHECK(fixture_open_again(&h.f) == OK);
	before = fixture_mailbox(&h.f, 1, MAILBOX_INBOX);
	fixture_shut(&h.f);
	/* A group's header, and the index. */
	flip(&h.f, &h.saved.files[1], 64 + 8, 1);
	flip(&h.f, &h.saved.files[0], 16, 1);
	CHECK(fixture_open_again(&h.f) == ERR_SYNTAX); /* not by itself */
	CHECK(check(&h, false, &report) == OK);
	CHECK(report.found[CHECK_PAGES_DAMAGED] == 1);
	CHECK(check(&h, true, &report) == OK);
	CHECK(report.is_rebuilt && report.is_epoch_raised && report.is_repaired);
	CHECK(fixture_open_again(&h.f) == OK);
	after = fixture_mailbox(&h.f, 1, MAILBOX_INBOX);
	CHECK(after.uid_validity > before.uid_validity);
	fixture_shut(&h.f);
	heal_remove(&h);
}

/* The count of starts that did not end well, as the storage left it at this one. */
static char start_again(struct fixture *f, const char *before)
{
	char after[2] = "?";
	ssize_t len = (ssize_t)strlen(before);
	int fd = open(fixture_path(f, "unclean"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ASSERT(fd >= 0 && write(fd, before, (size_t)len) == len);
	(void)close(fd);
	CHECK(fixture_open_again(f) == OK);
	fd = open(fixture_path(f, "unclean"), O_RDONLY | O_CLOEXEC);
	ASSERT(fd >= 0 && read(fd, after, 2) == 1); /* no crash is left in it */
	(void)close(fd);
	fixture_shut(f);
	CHECK(access(fixture_path(f, "unclean"), F_OK) != 0);
	return after[0];
}

TEST(an_index_found_in_order_is_not_looked_through_at_the_next_start)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_shut(&f);
	CHECK(start_again(&f, "0") == '1');
	CHECK(start_again(&f, "1") == '2');
	CHECK(start_again(&f, "7") == '8');
	CHECK(start_again(&f, "8") == '1');
	CHECK(start_again(&f, "9") == '1');
	CHECK(start_again(&f, "1c") == '1');
	fixture_close(&f);
}

TEST(a_crash_is_marked_and_a_kill_is_not)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	for (int i = 0; i < 2; i++) {
		char bytes[2];
		pid_t pid = fork();

		ASSERT(pid >= 0);
		if (pid == 0) {
			panic_init(-1);
			(void)raise(i == 0 ? SIGKILL : SIGSEGV);
		}
		CHECK(waitpid(pid, NULL, 0) == pid);
		int fd = open(fixture_path(&f, "unclean"), O_RDONLY | O_CLOEXEC);

		CHECK(fd >= 0 && read(fd, bytes, 2) == i + 1);
		CHECK(i == 0 || bytes[1] == 'c');
		(void)close(fd);
	}
	fixture_close(&f);
}
