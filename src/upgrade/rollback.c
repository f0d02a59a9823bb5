#include "upgrade/rollback.h"

#include <stdio.h>
#include <unistd.h>

#include "base/codec.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "storage/storage.h"
#include "upgrade/leave.h"
#include "upgrade/tail.h"

enum { ARENA_MAX = 64 << 20, FOLDER_MODE = 0700, LIST_MAX = 512 << 20 };
#define PACK_BYTES ((uint64_t)1 << 30)

/* ---- the store --------------------------------------------------------------------- */

struct going_back {
	struct part *part;
	struct snapshot manifest;
	struct arena arena;
	struct storage *storage; /* what there is */
	struct store_extent extent;
	struct packs *from, *to;
	struct tail tail;
	struct leaving leaving;
};

static err_t open_all(struct going_back *g)
{
	struct part *part = g->part;
	struct part_path path, packs, next;
	struct str why;
	const char *sentence = "";

	TRY(part_path(part, &path, "."));
	struct storage_options how = {.folder = path.text, .is_as_it_is = true};
	err_t err = storage_open(&how, &g->arena, &g->storage, &why);

	if (err != OK)
		return part_fail(part, err,
				 "The store cannot be read as it is: %.*s.  \"postrider "
				 "store rebuild\" may help.",
				 STR_FMT(why));
	TRY(storage_extent(g->storage, &g->arena, &g->extent));
	TRY(part_path(part, &packs, "packs"));
	TRY(part_path(part, &next, PART_NEXT "/packs"));
	struct packs_options old = {packs.text, PACK_BYTES};
	struct packs_options fresh = {next.text, PACK_BYTES};

	err = packs_open(&old, &g->from, &sentence);
	if (err == OK)
		err = packs_open(&fresh, &g->to, &sentence);
	return err == OK ? OK : part_fail(part, err, "The store: %s.", sentence);
}

/* What the snapshot has, by second names. */
static err_t lay_out(struct going_back *g)
{
	struct part *part = g->part;
	struct part_path next, packs, saved, index, saved_index;

	TRY(part_path(part, &next, PART_NEXT));
	TRY(part_path(part, &packs, PART_NEXT "/packs"));
	TRY(part_path(part, &index, PART_NEXT "/index.lmdb"));
	TRY(part_path(part, &saved, STORAGE_SNAPSHOT "/packs"));
	TRY(part_path(part, &saved_index, STORAGE_SNAPSHOT "/index.lmdb"));
	TRY(file_remove_tree(next.text));
	TRY(file_make_folder(next.text, FOLDER_MODE));
	TRY(file_make_folder(packs.text, FOLDER_MODE));
	TRY(part_step(part));
	TRY(packs_link(&saved, &packs, NULL));
	/* Without one it is made from the packs: what is empty counts as none. */
	if (file_is_there(saved_index.text))
		return file_link(saved_index.text, index.text);
	return file_replace(index.text, STR(""), 0600);
}

/* The last group that the snapshot's packs hold. */
static uint64_t last_sequence(const struct going_back *g)
{
	struct pack_place place;
	uint64_t sequence;

	return packs_first_behind(g->from, g->manifest.newest_pack, &place, &sequence)
		       ? sequence - 1
		       : g->extent.sequence;
}

static uint64_t later_bytes(const struct going_back *g)
{
	uint32_t number = g->manifest.newest_pack;
	uint64_t bytes = 0, size;

	while (packs_next(g->from, &number, &size))
		bytes += size;
	return bytes;
}

static err_t carry_over(struct going_back *g)
{
	struct part *part = g->part;
	struct pack_scan end = {.end = {g->manifest.newest_pack, 0},
				.sequence = last_sequence(g)};
	uint32_t number = g->manifest.newest_pack - 1;

	if (g->manifest.newest_pack != 0 &&
	    (!packs_next(g->to, &number, &end.end.offset) ||
	     number != g->manifest.newest_pack))
		return part_fail(part, ERR_SYNTAX, "Packs of the snapshot are missing.");
	TRY(part_has_room(part, 2 * later_bytes(g)));
	part_tell(part, "carrying over what is newer", 0);
	TRY(packs_start(g->to, &end, g->extent.epoch + 1, true));
	struct tail_options how = {.from = g->from,
				   .to = g->to,
				   .newest = g->manifest.newest_pack,
				   .sequence = end.sequence,
				   .epoch = g->extent.epoch + 1,
				   .format = part->to,
				   .since = part->upgrade->formats->since,
				   .now = clock_s()};

	TRY(tail_carry(&how, &g->tail));
	return part_step(part);
}

static void sum_up(const struct going_back *g, struct buf *out)
{
	const struct leaving *leaving = &g->leaving;

	buf_printf(out, "%llu commits since the snapshot were carried over.\n",
		   (unsigned long long)g->tail.commits);
	for (size_t i = 0; i < g->tail.left_count; i++)
		buf_printf(out,
			   "%llu commits of %s %u were not: format %u cannot have "
			   "them, or what they build on.\n",
			   (unsigned long long)g->tail.left[i].commits,
			   g->tail.left[i].account == ACCOUNT_SYSTEM
				   ? "the system, account"
				   : "account",
			   g->tail.left[i].account, g->part->to);
	buf_printf(out,
		   "%llu mails, and %llu recipients in the queue, were written to %s; "
		   "%llu were lost on the disk before.\n",
		   (unsigned long long)leaving->mails,
		   (unsigned long long)leaving->queued, g->part->aside,
		   (unsigned long long)leaving->damaged);
}

/* Last of all: where there is a LIST the folder is complete. */
static err_t write_list(struct going_back *g)
{
	SCOPED(buf_fini) struct buf text = BUF(LIST_MAX);
	char path[PATH_MAX];

	sum_up(g, &text);
	buf_add_byte(&text, '\n');
	buf_add(&text, buf_str(&g->leaving.list));
	if (!buf_ok(&text) || !buf_ok(&g->leaving.list) ||
	    snprintf(path, sizeof path, "%s/LIST", g->part->aside) >= (int)sizeof path)
		return ERR_LIMIT;
	return file_replace(path, buf_str(&text), 0600);
}

static err_t export(struct going_back *g)
{
	char newer[PATH_MAX];

	if (snprintf(newer, sizeof newer, "%s/newer", g->part->aside) >=
	    (int)sizeof newer)
		return ERR_LIMIT;
	TRY(file_make_folder(newer, FOLDER_MODE));
	g->leaving = (struct leaving){.storage = g->storage,
				      .tail = &g->tail,
				      .folder = g->part->aside,
				      .list = BUF(LIST_MAX)};
	part_tell(g->part, "writing what cannot be carried over as mail", 0);
	if (g->tail.left_count > 0)
		TRY(leave_as_mail(&g->leaving));
	TRY(part_step(g->part));
	TRY(write_list(g));
	sum_up(g, &g->part->said);
	return part_step(g->part);
}

static err_t prepare_store(struct part *part)
{
	struct going_back g = {.part = part};
	struct part_path path;

	TRY(part_path(part, &path, STORAGE_SNAPSHOT "/manifest"));
	TRY(snapshot_read(path.text, &g.manifest));
	arena_init(&g.arena, ARENA_MAX);
	err_t err = lay_out(&g);

	if (err == OK)
		err = open_all(&g);
	if (err == OK)
		err = carry_over(&g);
	if (err == OK)
		err = export(&g);
	if (err == OK)
		err = part_path(part, &path, PART_NEXT);
	if (err == OK)
		err = file_sync_folder(path.text);
	packs_close(&g.to);
	packs_close(&g.from);
	storage_close(&g.storage);
	buf_fini(&g.leaving.list);
	tail_fini(&g.tail);
	arena_fini(&g.arena);
	return err;
}

/* ---- the vault --------------------------------------------------------------------- */

enum { PASSWORD_CHANGED_AT = 5 }; /* in its row; of every version (vaultd/secrets.h) */

/* Whose passwords go back to what they were. */
static err_t say_changed(struct part *part, const struct part_path *path, int64_t since)
{
	struct kv_options how = {.path = path->text,
				 .bytes_max = (uint64_t)64 << 30,
				 .sync = KV_SYNC_FULL};
	struct kv *kv = NULL;
	struct kv_txn *txn = NULL;
	struct kv_cursor cursor = {0};

	TRY(kv_open(&how, &kv));
	err_t err = kv_begin(kv, KV_READ, &txn);

	if (err == OK)
		err = kv_cursor_open(txn, &cursor);
	if (err == OK)
		err = kv_seek(&cursor, STR("p"));
	for (; err == OK && str_starts(cursor.key, STR("p")); err = kv_next(&cursor)) {
		struct dec key = dec_over(str_skip(cursor.key, 1));
		struct dec row = dec_over(str_skip(cursor.value, PASSWORD_CHANGED_AT));
		uint32_t account = dec_key32(&key);

		if (dec_u64(&row) > (uint64_t)since && dec_ok(&row) && dec_ok(&key))
			buf_printf(&part->said,
				   "The password of account %u was changed since, and "
				   "is the one of before again.\n",
				   account);
	}
	kv_cursor_close(&cursor);
	kv_drop(&txn);
	kv_close(&kv);
	return err == ERR_ABSENT ? OK : err;
}

/* It stays as it is if no step changed it. */
static err_t prepare_vault(struct part *part)
{
	struct snapshot manifest;
	struct part_path path, next, saved, now;

	TRY(part_path(part, &path, STORAGE_SNAPSHOT "/manifest"));
	TRY(part_path(part, &next, PART_NEXT));
	TRY(file_remove_tree(next.text));
	TRY(snapshot_read(path.text, &manifest));
	TRY(part_path(part, &saved, STORAGE_SNAPSHOT "/secrets"));
	if (!manifest.is_migrated || !file_is_there(saved.text))
		return OK;
	TRY(part_path(part, &now, "secrets"));
	TRY(say_changed(part, &now, manifest.made_at));
	TRY(file_make_folder(next.text, FOLDER_MODE));
	TRY(part_path(part, &next, PART_NEXT "/secrets"));
	TRY(file_link(saved.text, next.text));
	TRY(part_path(part, &next, PART_NEXT));
	TRY(file_sync_folder(next.text));
	return part_step(part);
}

err_t rollback_prepare(struct part *part)
{
	err_t err = part->name == PART_STORE ? prepare_store(part) : prepare_vault(part);

	if (err != OK && part->said.len == 0)
		(void)part_fail(part, err,
				"The %s cannot be put back (%s); the log says "
				"more.",
				part_text(part->name), err_text(err));
	return err;
}

/* ---- the switch -------------------------------------------------------------------- */

static err_t replace(struct part *part, const char *name)
{
	struct part_path old;

	if (snprintf(old.text, sizeof old.text, "%s/newer/%s", part->aside, name) >=
	    (int)sizeof old.text)
		return ERR_LIMIT;
	return part_replace(part, name, &old);
}

err_t rollback_switch(struct part *part)
{
	struct part_path path;

	if (part->name == PART_STORE) {
		TRY(replace(part, "packs"));
		TRY(replace(part, "index.lmdb"));
	} else {
		/* The vault's newer secrets are nobody else's, so they go for good. */
		TRY(part_path(part, &path, PART_NEXT "/old"));
		TRY(part_replace(part, "secrets", &path));
	}
	TRY(snapshot_remove(part));
	TRY(part_path(part, &path, PART_NEXT));
	return file_remove_tree(path.text);
}
