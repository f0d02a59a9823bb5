/* The file of LMDB 0.9, as far as our index uses it; numbers are in the machine's order.
 *
 * Pages of one size stand one after the other.  Each begins with {u64 its number, u16,
 * u16 flags, u16 end of the list of nodes, u16 start of the nodes}; the first of a run of
 * overflow pages has u32 their count instead of the last two.  Pages 0 and 1 are metas:
 * {u32 magic, u32 version, u64, u64 size of the map, 2 × tree, u64 last page, u64 number
 * of the transaction}, and the one with the greater number counts.  The first tree keeps
 * free pages, the second our rows: {u32 (page size in the first), u16 flags, u16 depth,
 * u64 branch pages, u64 leaves, u64 overflow pages, u64 entries, u64 root}.
 *
 * A node is {u16 low, u16 high, u16 flags, u16 length of the key, key}.  In a branch the
 * first three are the number of a page; the first key there is empty.  In a leaf low and
 * high are the length of the value, which follows the key; with flag 1 the number of its
 * first overflow page does. */
#include "db/kvpages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/disk.h"
#include "db/kv.h"
#include "rt/file.h"

enum {
	PAGE_HEAD = 16,
	NODE_HEAD = 8,
	BRANCH = 1,
	LEAF = 2,
	OVERFLOW = 4,
	META = 8,
	BIG = 1,
	LEVELS_MAX = 32,
	PAGE_BYTES_MAX = 32768,
	FREE_TREE = 0,
	ROW_TREE = 1,
	SUM = 4,
	UNWRITTEN_MAX = 1 << 18,
};
#define META_MAGIC   0xBEEFC0DEU
#define META_VERSION 1
#define NO_PAGE      UINT64_MAX

struct tree {
	uint32_t page_bytes;
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};
struct meta {
	uint32_t magic, version;
	uint64_t address, map_bytes;
	struct tree trees[2];
	uint64_t last_page, number;
};

struct walk {
	int fd;
	uint64_t page_bytes, last_page;
	unsigned char *seen; /* a bit a page */
	struct kv_pages *found;
	char *levels[LEVELS_MAX]; /* the page that is looked at on each level */
	struct buf last_key, value;
	bool has_last;
	struct str bound; /* the branch says that the next row is not less */
	int tree;
	uint64_t entries;
	struct buf free; /* numbers of free pages */
};

static uint16_t get16(const char *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

static uint64_t get64(const char *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof value);
	return value;
}

uint32_t kv_sum(struct str key, struct str value)
{
	return crc32c(crc32c(0, key), value);
}

bool kv_sum_is_right(struct str key, struct str stored)
{
	uint32_t sum;

	if (stored.len < SUM)
		return false;
	struct str value = str_first(stored, stored.len - SUM);

	memcpy(&sum, stored.ptr + value.len, sizeof sum);
	return sum == kv_sum(key, value);
}

void kv_page_fetch(const void *row)
{
	enum { LINE = 64 };
	const char *page = (const char *)row - (uintptr_t)row % KV_PAGE_BYTES;

	/* LMDB fills pages from their end, so what comes first stands last. */
	for (size_t at = KV_PAGE_BYTES; at > 0; at -= LINE)
		__builtin_prefetch(page + at - LINE);
}

bool kv_span_add(struct kv_span *span, const void *row)
{
	uintptr_t at = (uintptr_t)row;
	uintptr_t first = at < span->first ? at : span->first;
	uintptr_t last = at > span->last ? at : span->last;
	bool is_same = last - first < KV_PAGE_BYTES;

	*span = is_same ? (struct kv_span){first, last} : (struct kv_span){at, at};
	return is_same;
}

/* Damage is noted, and the walk goes on elsewhere. */
static err_t bad(struct walk *w, uint64_t page, const char *why)
{
	if (!w->found->why) {
		w->found->why = why;
		w->found->why_page = page;
	}
	w->found->pages_bad++;
	return OK;
}

/* False if it cannot be a page, or was met before. */
static bool claim(struct walk *w, uint64_t page)
{
	if (page < 2 || page > w->last_page)
		return false;
	unsigned char bit = (unsigned char)(1 << page % 8);

	if (w->seen[page / 8] & bit)
		return false;
	w->seen[page / 8] |= bit;
	w->found->pages++;
	return true;
}

static err_t page_read(struct walk *w, uint64_t page, char *bytes, size_t len,
		       bool *whole)
{
	size_t got;

	TRY(disk_read(w->fd, bytes, len, page * w->page_bytes, &got));
	*whole = got == len;
	return OK;
}

/* ---- rows -------------------------------------------------------------------------- */

/* The run of pages of a long value. */
static err_t overflow(struct walk *w, uint64_t page, uint64_t len, struct str *value)
{
	uint64_t pages = (PAGE_HEAD + len + w->page_bytes - 1) / w->page_bytes;
	uint32_t count;
	bool whole;

	*value = STR("");
	if (page + pages - 1 > w->last_page || page + pages < page)
		return bad(w, page, "a long row lies outside of the file");
	for (uint64_t i = 0; i < pages; i++)
		if (!claim(w, page + i))
			return bad(w, page, "two rows share a page");
	buf_reset(&w->value);
	char *bytes = buf_room(&w->value, PAGE_HEAD + (size_t)len);

	if (!bytes)
		return bad(w, page, "a row is too long");
	TRY(page_read(w, page, bytes, PAGE_HEAD + (size_t)len, &whole));
	memcpy(&count, bytes + 12, sizeof count);
	if (!whole || get64(bytes) != page || !(get16(bytes + 10) & OVERFLOW) ||
	    count < pages)
		return bad(w, page, "a page of a long row is garbage");
	*value = (struct str){bytes + PAGE_HEAD, (size_t)len};
	return OK;
}

/* The free tree's values: a count, then page numbers, descending. */
static err_t free_pages(struct walk *w, uint64_t page, struct str value)
{
	if (value.len < 8 || value.len % 8 != 0 || get64(value.ptr) > (value.len - 8) / 8)
		return bad(w, page, "the list of free pages is garbage");
	buf_add(&w->free, str_first(str_skip(value, 8), 8 * (size_t)get64(value.ptr)));
	return buf_ok(&w->free) ? OK : ERR_LIMIT;
}

static err_t row(struct walk *w, uint64_t page, struct str key, struct str value)
{
	w->entries++;
	if (w->tree == FREE_TREE)
		return free_pages(w, page, value);
	if ((w->has_last && str_cmp(buf_str(&w->last_key), key) >= 0) ||
	    str_cmp(w->bound, key) > 0)
		TRY(bad(w, page, "rows are out of order"));
	w->bound = STR("");
	buf_reset(&w->last_key);
	buf_add(&w->last_key, key);
	w->has_last = true;
	if (!kv_sum_is_right(key, value)) {
		w->found->rows_bad++;
		return OK;
	}
	w->found->rows++;
	if (!w->found->take)
		return OK;
	return w->found->take(w->found->arg, key, str_first(value, value.len - SUM));
}

/* ---- pages ------------------------------------------------------------------------- */

struct node {
	uint64_t page; /* of a branch */
	struct str key, value;
	uint64_t len; /* of the value */
	uint16_t flags;
};

static bool node_read(const struct walk *w, const char *bytes, unsigned nth, bool is_leaf,
		      struct node *node)
{
	size_t at = get16(bytes + PAGE_HEAD + 2 * (size_t)nth);

	if (at < get16(bytes + 12) || at + NODE_HEAD > w->page_bytes)
		return false;
	const char *start = bytes + at;
	uint64_t low = get16(start), high = get16(start + 2);
	size_t key_len = get16(start + 6), room = w->page_bytes - at - NODE_HEAD;

	*node = (struct node){.flags = get16(start + 4)};
	if (key_len > room || key_len > KV_KEY_BYTES_MAX + 11)
		return false;
	node->key = (struct str){start + NODE_HEAD, key_len};
	node->len = low | high << 16;
	node->page = node->len | (uint64_t)node->flags << 32;
	if (!is_leaf)
		return true;
	if ((node->flags & ~BIG) != 0 || key_len == 0)
		return false;
	size_t len = node->flags & BIG ? 8 : (size_t)node->len;

	if (len > room - key_len)
		return false;
	node->value = (struct str){start + NODE_HEAD + key_len, len};
	return true;
}

static err_t leaf_node(struct walk *w, uint64_t page, const struct node *node)
{
	struct str value = node->value;

	if (node->flags & BIG)
		TRY(overflow(w, get64(node->value.ptr), node->len, &value));
	return row(w, page, node->key, value);
}

static err_t page_walk(struct walk *w, uint64_t page, unsigned depth, unsigned depths);

/* depth is that of the branch; depths bounds it. */
static err_t branch_node(struct walk *w, uint64_t page, const struct node *node,
			 unsigned depth, unsigned depths)
{
	if (w->tree == ROW_TREE && node->key.len > 0) {
		if (w->has_last && str_cmp(buf_str(&w->last_key), node->key) >= 0)
			TRY(bad(w, page, "a branch leads astray"));
		w->bound = node->key;
	}
	return page_walk(w, node->page, depth + 1, depths);
}

static err_t page_walk(struct walk *w, uint64_t page, unsigned depth, unsigned depths)
{
	bool whole, is_leaf = depth + 1 == depths;
	char *bytes = w->levels[depth];

	if (!claim(w, page))
		return bad(w, page,
			   "a page stands in two places, or outside of the file");
	TRY(page_read(w, page, bytes, w->page_bytes, &whole));
	unsigned end = get16(bytes + 12), start = get16(bytes + 14);

	if (!whole || get64(bytes) != page ||
	    (get16(bytes + 10) & (BRANCH | LEAF | OVERFLOW | META)) !=
		    (is_leaf ? LEAF : BRANCH) ||
	    end < PAGE_HEAD || end % 2 != 0 || start < end || start > w->page_bytes)
		return bad(w, page, "a page is garbage");
	unsigned count = (end - PAGE_HEAD) / 2;

	if (count < (is_leaf ? 1 : 2))
		return bad(w, page, "a page is empty");
	for (unsigned i = 0; i < count; i++) {
		struct node node;

		if (!node_read(w, bytes, i, is_leaf, &node))
			TRY(bad(w, page, "a row lies outside of its page"));
		else if (is_leaf)
			TRY(leaf_node(w, page, &node));
		else
			TRY(branch_node(w, page, &node, depth, depths));
	}
	return OK;
}

static err_t tree_walk(struct walk *w, const struct tree *tree, int which)
{
	w->tree = which;
	w->entries = 0;
	w->has_last = false;
	w->bound = STR("");
	if (tree->root == NO_PAGE)
		return tree->entries == 0 ? OK : bad(w, 0, "a tree has lost its root");
	if (tree->depth == 0 || tree->depth > LEVELS_MAX)
		return bad(w, 0, "a tree has no depth");
	TRY(page_walk(w, tree->root, 0, tree->depth));
	if (w->entries != tree->entries)
		return bad(w, 0, "rows are missing");
	return OK;
}

/* A page that is free and used would be written over. */
static err_t free_walk(struct walk *w)
{
	struct str pages = buf_str(&w->free);

	for (; pages.len >= 8; pages = str_skip(pages, 8))
		if (!claim(w, get64(pages.ptr)))
			return bad(w, get64(pages.ptr), "a page is both free and used");
	return OK;
}

/* ---- the file ---------------------------------------------------------------------- */

static bool meta_read(struct walk *w, const char *bytes, struct meta *meta)
{
	memcpy(meta, bytes + PAGE_HEAD, sizeof *meta);
	uint64_t size = meta->trees[FREE_TREE].page_bytes;

	if (!(get16(bytes + 10) & META) || meta->magic != META_MAGIC ||
	    meta->version != META_VERSION || size < 512 || size > PAGE_BYTES_MAX ||
	    (size & (size - 1)) != 0)
		return false;
	w->page_bytes = size;
	return true;
}

/* Only of the meta that counts: when LMDB could not write the other one it leaves new
 * roots there under the old number. */
static bool roots_fit(const struct meta *meta)
{
	for (int i = 0; i < 2; i++)
		if (meta->trees[i].root != NO_PAGE &&
		    (meta->trees[i].root > meta->last_page || meta->trees[i].root < 2))
			return false;
	return true;
}

/* The meta that counts. */
static err_t head(struct walk *w, struct meta *meta)
{
	char bytes[PAGE_HEAD + sizeof *meta];
	struct meta other;
	bool whole, whole_other;
	off_t size = lseek(w->fd, 0, SEEK_END);

	w->page_bytes = 4096;
	TRY(page_read(w, 0, bytes, sizeof bytes, &whole));
	if (!whole || !meta_read(w, bytes, meta))
		return bad(w, 0, "its first page is garbage");
	uint64_t page_bytes = w->page_bytes;

	TRY(page_read(w, 1, bytes, sizeof bytes, &whole_other));
	if (!whole_other || !meta_read(w, bytes, &other) || page_bytes != w->page_bytes)
		return bad(w, 1, "its second page is garbage");
	if (other.number > meta->number)
		*meta = other;
	if (!roots_fit(meta))
		return bad(w, 0, "a root is no page of it");
	w->last_page = meta->last_page;
	/* Pages that were given and taken back at the end are not written. */
	if (size < 0 || w->last_page < 1 ||
	    w->last_page >= (uint64_t)size / page_bytes + UNWRITTEN_MAX)
		return bad(w, 0, "pages are missing at its end");
	return OK;
}

static err_t everything(struct walk *w, const struct meta *meta)
{
	w->seen = mem_zeroed(w->last_page / 8 + 1, 1);
	for (unsigned i = 0; i < LEVELS_MAX; i++)
		w->levels[i] = mem_zeroed(1, PAGE_BYTES_MAX);
	err_t err = tree_walk(w, &meta->trees[ROW_TREE], ROW_TREE);

	if (err == OK)
		err = tree_walk(w, &meta->trees[FREE_TREE], FREE_TREE);
	if (err == OK)
		err = free_walk(w);
	for (unsigned i = 0; i < LEVELS_MAX; i++)
		mem_free(w->levels[i]);
	mem_free(w->seen);
	return err;
}

err_t kv_check_pages(const char *path, enum kv_depth depth, struct kv_pages *found)
{
	struct walk w = {.found = found,
			 .last_key = BUF(KV_KEY_BYTES_MAX + 11),
			 .value = BUF((size_t)64 << 20),
			 .free = BUF((size_t)1 << 30)};
	struct meta meta;

	w.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w.fd < 0)
		return errno == ENOENT ? ERR_ABSENT : ERR_IO;
	err_t err = head(&w, &meta);

	if (err == OK && depth == KV_PAGES_ALL && found->pages_bad == 0)
		err = everything(&w, &meta);
	(void)close(w.fd); /* it was only read */
	buf_fini(&w.last_key);
	buf_fini(&w.value);
	buf_fini(&w.free);
	if (err == OK && found->pages_bad > 0)
		return ERR_SYNTAX;
	return err;
}

/* ---- making one -------------------------------------------------------------------- */

/* An index that is there but empty, written to that path and flushed. */
static int write_empty(const char *path)
{
	MDB_env *env;
	int code = mdb_env_create(&env);

	if (code)
		return code;
	code = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (!code)
		code = mdb_env_sync(env, 1);
	mdb_env_close(env);
	return code;
}

/* Complete under another name first: LMDB refuses an index whose first pages were on
 * their way to the disk when the power went. */
err_t kv_make_empty(const char *path)
{
	char fresh[PATH_MAX];
	int len = snprintf(fresh, sizeof fresh, "%s.new", path);

	if (access(path, F_OK) == 0)
		return OK;
	if (len < 0 || (size_t)len >= sizeof fresh)
		return ERR_LIMIT;
	TRY(file_remove(fresh));
	int code = write_empty(fresh);

	if (code == 0)
		return file_rename(fresh, path);
	LOG(ERROR, "index failed", KV("call", "create"), KV("error", mdb_strerror(code)));
	return code == ENOSPC ? ERR_LIMIT : ERR_IO;
}
