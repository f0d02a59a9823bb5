#include "db/kv.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/disk.h"
#include "db/kvmemory.h"
#include "db/kvpages.h"
#include "db/kvundo.h"
#include "rt/fault.h"

enum {
	READERS_MAX = 512,
	IDLE_MAX = 32,
	SUM_BYTES = 4, /* behind each value: CRC-32C over key and value */
};

struct kv_txn {
	struct kv *kv;
	MDB_txn *txn;
	struct kv_node *root; /* instead, in memory */
	enum kv_mode mode;
	size_t changes, pages;
	struct kv_span replaced; /* the last ones, on one page */
};

struct kv {
	struct kv_memory *memory; /* NULL: there is a file */
	MDB_env *env;
	MDB_dbi dbi;
	struct kv_txn writer;
	struct kv_undo undo;
	struct buf row;                /* a value with its checksum */
	pthread_mutex_t lock;          /* over idle */
	struct kv_txn *idle[IDLE_MAX]; /* readers to be renewed, which is cheap */
	size_t idle_count;
};

static MDB_val to_val(struct str s)
{
	return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.ptr};
}

static struct str from_val(MDB_val val)
{
	return (struct str){val.mv_data, val.mv_size};
}

/* The value without its checksum; false if that is not its own. */
static bool take_sum(MDB_val key, MDB_val stored, struct str *value)
{
	bool is_right = kv_sum_is_right(from_val(key), from_val(stored));

	*value = is_right ? str_first(from_val(stored), stored.mv_size - SUM_BYTES)
			  : STR("");
	return is_right;
}

static err_t damaged(MDB_val key)
{
	/* Keys begin with the account's number (storage/keys.c). */
	struct dec dec = dec_over((struct str){key.mv_data, key.mv_size});

	LOG(ERROR, "index row damaged", KV_INT("account", dec_key32(&dec)));
	return ERR_SYNTAX;
}

static err_t failed(const char *what, int code)
{
	LOG(ERROR, "index failed", KV("call", what), KV("error", mdb_strerror(code)));
	if (code == MDB_MAP_FULL || code == MDB_TXN_FULL || code == ENOSPC)
		return ERR_LIMIT;
	if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
	    code == MDB_VERSION_MISMATCH)
		return ERR_SYNTAX;
	return ERR_IO;
}

/* ---- the file ---------------------------------------------------------------------- */

static err_t dbi_open(struct kv *kv)
{
	MDB_txn *txn;
	int code = mdb_txn_begin(kv->env, NULL, 0, &txn);

	if (code)
		return failed("begin", code);
	code = mdb_dbi_open(txn, NULL, 0, &kv->dbi);
	if (code) {
		mdb_txn_abort(txn);
		return failed("open", code);
	}
	code = mdb_txn_commit(txn);
	return code ? failed("commit", code) : OK;
}

err_t kv_open(const struct kv_options *options, struct kv **opened)
{
	*opened = NULL;
	if (!options->path) {
		*opened = NEW(struct kv);
		(*opened)->memory = kv_memory_new();
		kv_undo_init(&(*opened)->undo);
		return OK;
	}
	TRY(kv_make_empty(options->path));
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
	struct kv *kv = NEW(struct kv);
	struct kv_pages head = {0};
	err_t err = kv_check_pages(options->path, KV_PAGES_HEAD, &head);
	int code = mdb_env_create(&kv->env);

	if (code) {
		mem_free(kv);
		return failed("create", code);
	}
	if (err == ERR_SYNTAX)
		code = MDB_CORRUPTED;
	(void)pthread_mutex_init(&kv->lock, NULL); /* cannot fail with defaults */
	kv_undo_init(&kv->undo);
	kv->row = BUF(KV_VALUE_BYTES_MAX + SUM_BYTES);
	if (options->sync == KV_SYNC_LATE)
		flags |= MDB_NOMETASYNC;
	if (!code)
		code = mdb_env_set_mapsize(kv->env, options->bytes_max);
	if (!code)
		code = mdb_env_set_maxreaders(kv->env, READERS_MAX);
	if (!code)
		code = mdb_env_open(kv->env, options->path, flags, 0600);
	err = code ? failed("open", code) : dbi_open(kv);

	if (err != OK)
		kv_close(&kv);
	*opened = kv;
	return err;
}

void kv_close(struct kv **closed)
{
	struct kv *kv = *closed;

	if (!kv)
		return;
	for (size_t i = 0; i < kv->idle_count; i++) {
		mdb_txn_abort(kv->idle[i]->txn);
		mem_free(kv->idle[i]);
	}
	ASSERT(!kv->writer.txn);
	if (!kv->memory) {
		mdb_env_close(kv->env);
		(void)pthread_mutex_destroy(&kv->lock);
	}
	kv_memory_free(&kv->memory);
	kv_undo_fini(&kv->undo);
	buf_fini(&kv->row);
	mem_free(kv);
	*closed = NULL;
}

err_t kv_sync(struct kv *kv)
{
	int code = kv->memory ? 0 : mdb_env_sync(kv->env, 1);

	return code ? failed("sync", code) : OK;
}

err_t kv_copy(struct kv *kv, int fd)
{
	int code = kv->memory ? ENOTSUP : mdb_env_copyfd(kv->env, fd);

	return code ? failed("copy", code) : OK;
}

err_t kv_stats(struct kv *kv, struct kv_stats *stats)
{
	MDB_stat stat;
	MDB_envinfo info;

	if (kv->memory) {
		struct kv_node *root = kv_memory_begin(kv->memory, KV_READ);

		*stats = (struct kv_stats){.keys = kv_memory_count(root)};
		kv_memory_drop(kv->memory, KV_READ, root);
		return OK;
	}
	int code = mdb_env_stat(kv->env, &stat);

	if (!code)
		code = mdb_env_info(kv->env, &info);
	if (code)
		return failed("stat", code);
	*stats = (struct kv_stats){.keys = stat.ms_entries,
				   .bytes_used = (info.me_last_pgno + 1) * stat.ms_psize,
				   .bytes_max = info.me_mapsize,
				   .page_bytes = stat.ms_psize};
	return OK;
}

/* What was freed and can be used again: each record of LMDB's own table begins with the
 * number of pages that it lists. */
static uint64_t pages_free(struct kv *kv)
{
	enum { FREE_TABLE = 0 };
	MDB_txn *txn; /* the table is only for readers */
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0;
	size_t listed;

	if (mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn))
		return 0;
	if (mdb_cursor_open(txn, FREE_TABLE, &cursor) == 0) {
		while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
			memcpy(&listed, value.mv_data, sizeof listed);
			pages += listed;
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return pages;
}

bool kv_has_room(struct kv *kv, uint64_t bytes_max, uint64_t octets)
{
	struct kv_stats stats;

	if (kv->memory || kv_stats(kv, &stats) != OK)
		return true; /* logged; a put will tell */
	uint64_t wanted = stats.bytes_used + octets;

	return wanted <= bytes_max ||
	       wanted <= bytes_max + pages_free(kv) * stats.page_bytes;
}

/* ---- transactions ------------------------------------------------------------------ */

static struct kv_txn *idle_take(struct kv *kv)
{
	struct kv_txn *txn = NULL;

	(void)pthread_mutex_lock(&kv->lock);
	if (kv->idle_count > 0)
		txn = kv->idle[--kv->idle_count];
	(void)pthread_mutex_unlock(&kv->lock);
	return txn;
}

static bool idle_give(struct kv *kv, struct kv_txn *txn)
{
	bool taken = false;

	mdb_txn_reset(txn->txn);
	(void)pthread_mutex_lock(&kv->lock);
	if (kv->idle_count < IDLE_MAX) {
		kv->idle[kv->idle_count++] = txn;
		taken = true;
	}
	(void)pthread_mutex_unlock(&kv->lock);
	return taken;
}

static err_t read_begin(struct kv *kv, struct kv_txn **begun)
{
	struct kv_txn *txn = idle_take(kv);
	int code;

	if (txn) {
		code = mdb_txn_renew(txn->txn);
	} else {
		txn = NEW(struct kv_txn);
		*txn = (struct kv_txn){.kv = kv, .mode = KV_READ};
		code = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn->txn);
	}
	if (code) {
		if (txn->txn)
			mdb_txn_abort(txn->txn);
		mem_free(txn);
		return failed("begin", code);
	}
	*begun = txn;
	return OK;
}

err_t kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **txn)
{
	*txn = NULL;
	if (kv->memory) {
		struct kv_node *root = kv_memory_begin(kv->memory, mode);

		*txn = mode == KV_WRITE ? &kv->writer : NEW(struct kv_txn);
		**txn = (struct kv_txn){.kv = kv, .root = root, .mode = mode};
		return OK;
	}
	if (mode == KV_READ)
		return read_begin(kv, txn);
	MDB_txn *begun;
	int code = mdb_txn_begin(kv->env, NULL, 0, &begun);

	if (code)
		return failed("begin", code);
	kv->writer = (struct kv_txn){.kv = kv, .txn = begun, .mode = KV_WRITE};
	*txn = &kv->writer;
	return OK;
}

err_t kv_commit(struct kv_txn **ended)
{
	struct kv_txn *txn = *ended;

	ASSERT(txn->mode == KV_WRITE);
	kv_unmark(txn);
	*ended = NULL;
	MDB_txn *writer = txn->txn;

	txn->txn = NULL;
	int fault = fault_point("index.commit");

	if (txn->kv->memory && fault <= 0) {
		kv_memory_commit(txn->kv->memory, txn->root);
		return OK;
	}
	if (txn->kv->memory) {
		kv_memory_drop(txn->kv->memory, KV_WRITE, txn->root);
		return failed("commit", fault);
	}
	if (fault > 0) {
		mdb_txn_abort(writer);
		return failed("commit", fault);
	}
	int fd, code = mdb_txn_commit(writer);

	/* LMDB calls it EIO when a disk takes only the first part of a write. */
	if (code == EIO && mdb_env_get_fd(txn->kv->env, &fd) == 0 && disk_is_used_up(fd))
		code = ENOSPC;
	return code ? failed("commit", code) : OK;
}

void kv_drop(struct kv_txn **ended)
{
	struct kv_txn *txn = *ended;

	*ended = NULL;
	if (!txn)
		return;
	if (txn->kv->memory) {
		enum kv_mode mode = txn->mode;

		if (mode == KV_WRITE)
			kv_unmark(txn);
		kv_memory_drop(txn->kv->memory, mode, txn->root);
		if (mode == KV_READ)
			mem_free(txn);
		return;
	}
	if (txn->mode == KV_WRITE) {
		MDB_txn *writer = txn->txn;

		kv_unmark(txn);
		txn->txn = NULL;
		mdb_txn_abort(writer);
		return;
	}
	if (idle_give(txn->kv, txn))
		return;
	mdb_txn_abort(txn->txn);
	mem_free(txn);
}

/* ---- keys -------------------------------------------------------------------------- */

err_t kv_get(struct kv_txn *txn, struct str key, struct str *value)
{
	MDB_val k = to_val(key), v;
	struct str found;

	if (txn->kv->memory)
		return kv_memory_find(txn->root, KV_AT, key, &found, value) ? OK
									    : ERR_ABSENT;
	int code = mdb_get(txn->txn, txn->kv->dbi, &k, &v);

	if (code == MDB_NOTFOUND)
		return ERR_ABSENT;
	if (code)
		return failed("get", code);
	return take_sum(k, v, value) ? OK : damaged(k);
}

/* Before a change, if there is a mark. */
static err_t undo_note(struct kv_txn *txn, struct str key)
{
	struct str old;

	if (!txn->kv->undo.is_on)
		return OK;
	err_t err = kv_get(txn, key, &old);

	if (err != OK && err != ERR_ABSENT)
		return err;
	return kv_undo_note(&txn->kv->undo, key, err == OK ? &old : NULL);
}

size_t kv_changes(const struct kv_txn *txn)
{
	return txn->changes;
}

size_t kv_pages(const struct kv_txn *txn)
{
	return txn->pages;
}

err_t kv_put(struct kv_txn *txn, struct str key, struct str value)
{
	ASSERT(key.len > 0 && key.len <= KV_KEY_BYTES_MAX);
	ASSERT(value.len <= KV_VALUE_BYTES_MAX);
	TRY(undo_note(txn, key));
	MDB_val k = to_val(key), v = {.mv_size = value.len + SUM_BYTES};
	uint32_t sum = kv_sum(key, value);

	txn->changes++;
	txn->pages++;
	if (txn->kv->memory) {
		kv_memory_put(&txn->root, key, value);
		return OK;
	}
	int code = fault_point("index.put") > 0
			   ? MDB_MAP_FULL
			   : mdb_put(txn->txn, txn->kv->dbi, &k, &v, MDB_RESERVE);

	if (code)
		return failed("put", code);
	char *to = v.mv_data;

	if (value.len > 0)
		memcpy(to, value.ptr, value.len);
	memcpy(to + value.len, &sum, sizeof sum);
	return OK;
}

err_t kv_delete(struct kv_txn *txn, struct str key)
{
	TRY(undo_note(txn, key));
	MDB_val k = to_val(key);

	txn->changes++;
	txn->pages++;
	if (txn->kv->memory)
		return kv_memory_delete(&txn->root, key) ? OK : ERR_ABSENT;
	int code = mdb_del(txn->txn, txn->kv->dbi, &k, NULL);

	if (code == MDB_NOTFOUND)
		return ERR_ABSENT;
	return code ? failed("delete", code) : OK;
}

void kv_mark(struct kv_txn *txn)
{
	ASSERT(txn->mode == KV_WRITE && !txn->kv->undo.is_on);
	kv_undo_start(&txn->kv->undo);
}

void kv_unmark(struct kv_txn *txn)
{
	txn->kv->undo.is_on = false;
}

err_t kv_rewind(struct kv_txn *txn)
{
	struct kv_undo *undo = &txn->kv->undo;
	struct str key, old;
	bool was_there;

	ASSERT(undo->is_on);
	undo->is_on = false;
	while (kv_undo_take(undo, &key, &old, &was_there)) {
		err_t err = was_there ? kv_put(txn, key, old) : kv_delete(txn, key);

		if (err != OK && err != ERR_ABSENT)
			return err;
	}
	return OK;
}

/* ---- cursors ----------------------------------------------------------------------- */

err_t kv_cursor_open(struct kv_txn *txn, struct kv_cursor *cursor)
{
	MDB_cursor *handle;

	*cursor = (struct kv_cursor){.is_in_memory = txn->kv->memory, .txn = txn};
	if (cursor->is_in_memory) {
		cursor->handle = kv_memory_cursor_new(&txn->root);
		return OK;
	}
	int code = mdb_cursor_open(txn->txn, txn->kv->dbi, &handle);

	if (code)
		return failed("cursor", code);
	cursor->handle = handle;
	return OK;
}

void kv_cursor_close(struct kv_cursor *cursor)
{
	if (cursor->is_in_memory)
		kv_memory_cursor_free(cursor->handle);
	else if (cursor->handle)
		mdb_cursor_close(cursor->handle);
	cursor->handle = NULL;
}

static err_t cursor_move(struct kv_cursor *cursor, struct str key, MDB_cursor_op op)
{
	MDB_val k = to_val(key), v = {0};

	cursor->changes = cursor->txn->changes;
	if (cursor->is_in_memory)
		return kv_memory_move(cursor, key,
				      op == MDB_NEXT   ? KV_AFTER
				      : op == MDB_PREV ? KV_BEFORE
						       : KV_FROM);
	int code = mdb_cursor_get(cursor->handle, &k, &v, op);

	cursor->key = cursor->value = STR("");
	if (code == MDB_NOTFOUND)
		return ERR_ABSENT;
	if (code)
		return failed("seek", code);
	uintptr_t page = (uintptr_t)k.mv_data / KV_PAGE_BYTES;

	if (page != cursor->page && (op == MDB_NEXT || op == MDB_PREV))
		kv_page_fetch(k.mv_data);
	cursor->page = page;
	cursor->key = from_val(k);
	return take_sum(k, v, &cursor->value) ? OK : damaged(k);
}

err_t kv_seek(struct kv_cursor *cursor, struct str key)
{
	return cursor_move(cursor, key, key.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
}

err_t kv_seek_before(struct kv_cursor *cursor, struct str key)
{
	err_t err = kv_seek(cursor, key);

	return err == OK || err == ERR_ABSENT ? kv_prev(cursor) : err;
}

err_t kv_next(struct kv_cursor *cursor)
{
	return cursor_move(cursor, STR(""), MDB_NEXT);
}

err_t kv_prev(struct kv_cursor *cursor)
{
	return cursor_move(cursor, STR(""), MDB_PREV);
}

err_t kv_replace(struct kv_cursor *cursor, struct str value)
{
	struct kv_txn *txn = cursor->txn;
	struct buf *row = &txn->kv->row;
	struct str key = cursor->key;
	char copy[KV_KEY_BYTES_MAX]; /* the page it stands on may change */

	ASSERT(key.len > 0 && cursor->changes == txn->changes);
	ASSERT(txn->mode == KV_WRITE && value.len <= KV_VALUE_BYTES_MAX);
	if (txn->kv->undo.is_on)
		TRY(kv_undo_note(&txn->kv->undo, key, &cursor->value));
	txn->pages += !kv_span_add(&txn->replaced, key.ptr);
	cursor->key = cursor->value = STR("");
	cursor->changes = ++txn->changes;
	if (cursor->is_in_memory) {
		kv_memory_put(&txn->root, key, value);
		return OK;
	}
	uint32_t sum = kv_sum(key, value);

	memcpy(copy, key.ptr, key.len);
	buf_reset(row);
	buf_add(row, value);
	buf_add(row, (struct str){(const char *)&sum, sizeof sum});
	MDB_val k = {.mv_size = key.len, .mv_data = copy}, v = to_val(buf_str(row));
	int code = fault_point("index.put") > 0
			   ? MDB_MAP_FULL
			   : mdb_cursor_put(cursor->handle, &k, &v, MDB_CURRENT);

	return code ? failed("put", code) : OK;
}
