/* A treap: each node's priority is a hash of its key, and no node has a lower one than
 * those below it, so that the tree is about balanced whatever comes in whatever order. */
#include "db/kvmemory.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/mem.h"

struct row {
	_Atomic uint32_t refs;
	uint32_t key_len, value_len;
	char bytes[];
};

struct kv_node {
	_Atomic uint32_t refs;
	uint64_t priority;
	struct row *row;
	struct kv_node *left, *right;
};

struct kv_memory {
	pthread_mutex_t lock, writing; /* over root; held by the writer */
	struct kv_node *root;
};

/* ---- nodes ------------------------------------------------------------------------- */

static struct str key_of(const struct kv_node *node)
{
	return (struct str){node->row->bytes, node->row->key_len};
}

static struct str value_of(const struct kv_node *node)
{
	return (struct str){node->row->bytes + node->row->key_len, node->row->value_len};
}

static struct kv_node *node_new(struct str key, struct str value)
{
	struct kv_node *node = NEW(struct kv_node);
	struct row *row = mem_zeroed(1, sizeof *row + key.len + value.len);

	row->refs = 1;
	row->key_len = (uint32_t)key.len;
	row->value_len = (uint32_t)value.len;
	memcpy(row->bytes, key.ptr, key.len);
	if (value.len > 0)
		memcpy(row->bytes + key.len, value.ptr, value.len);
	node->refs = 1;
	node->priority = hash64_number(crc32c(0, key));
	node->row = row;
	return node;
}

static struct kv_node *ref(struct kv_node *node)
{
	if (node)
		atomic_fetch_add(&node->refs, 1);
	return node;
}

/* As deep as the tree: some forty levels for a million rows. */
static void unref(struct kv_node *node)
{
	if (!node || atomic_fetch_sub(&node->refs, 1) > 1)
		return;
	unref(node->left);
	unref(node->right);
	if (atomic_fetch_sub(&node->row->refs, 1) == 1)
		mem_free(node->row);
	mem_free(node);
}

/* A node that no other version has, in the place of one that may be shared.  Whoever
 * comes down from the root through such nodes cannot meet one with a single reference
 * that others see. */
static struct kv_node *own(struct kv_node *node)
{
	if (atomic_load(&node->refs) == 1)
		return node;
	struct kv_node *copy = NEW(struct kv_node);

	copy->refs = 1;
	copy->priority = node->priority;
	copy->row = node->row;
	atomic_fetch_add(&node->row->refs, 1);
	copy->left = ref(node->left);
	copy->right = ref(node->right);
	unref(node);
	return copy;
}

/* Those before the key, with it if it is_with, and the others. */
static void split(struct kv_node *node, struct str key, bool is_with,
		  struct kv_node **before, struct kv_node **others)
{
	*before = *others = NULL;
	if (!node)
		return;
	node = own(node);
	int order = str_cmp(key_of(node), key);

	if (order < 0 || (order == 0 && is_with)) {
		split(node->right, key, is_with, &node->right, others);
		*before = node;
	} else {
		split(node->left, key, is_with, before, &node->left);
		*others = node;
	}
}

/* All keys of the one are less than those of the other. */
static struct kv_node *join(struct kv_node *less, struct kv_node *more)
{
	if (!less || !more)
		return less ? less : more;
	if (less->priority > more->priority) {
		less = own(less);
		less->right = join(less->right, more);
		return less;
	}
	more = own(more);
	more->left = join(less, more->left);
	return more;
}

void kv_memory_put(struct kv_node **root, struct str key, struct str value)
{
	struct kv_node *node = node_new(key, value), *less, *same, *more;

	key = key_of(node);
	split(*root, key, false, &less, &more);
	split(more, key, true, &same, &more);
	unref(same);
	*root = join(join(less, node), more);
}

bool kv_memory_delete(struct kv_node **root, struct str key)
{
	struct kv_node *less, *same, *more;

	split(*root, key, false, &less, &more);
	split(more, key, true, &same, &more);
	*root = join(less, more);
	unref(same);
	return same;
}

bool kv_memory_find(const struct kv_node *root, enum kv_where where, struct str key,
		    struct str *found, struct str *value)
{
	const struct kv_node *best = NULL;

	for (const struct kv_node *node = root; node;) {
		int order = where == KV_LAST ? -1 : str_cmp(key_of(node), key);
		bool is_before = order < 0 || (order == 0 && where == KV_AFTER);

		if (is_before == (where == KV_BEFORE || where == KV_LAST))
			best = node;
		node = is_before ? node->right : node->left;
	}
	if (!best || (where == KV_AT && !str_same(key_of(best), key)))
		return false;
	*found = key_of(best);
	*value = value_of(best);
	return true;
}

uint64_t kv_memory_count(const struct kv_node *root)
{
	return root ? 1 + kv_memory_count(root->left) + kv_memory_count(root->right) : 0;
}

/* ---- versions ---------------------------------------------------------------------- */

struct kv_memory *kv_memory_new(void)
{
	struct kv_memory *memory = NEW(struct kv_memory);

	(void)pthread_mutex_init(&memory->lock, NULL); /* cannot fail with defaults */
	(void)pthread_mutex_init(&memory->writing, NULL);
	return memory;
}

void kv_memory_free(struct kv_memory **freed)
{
	struct kv_memory *memory = *freed;

	*freed = NULL;
	if (!memory)
		return;
	unref(memory->root);
	(void)pthread_mutex_destroy(&memory->lock);
	(void)pthread_mutex_destroy(&memory->writing);
	mem_free(memory);
}

static void lock(pthread_mutex_t *mutex)
{
	ASSERT(pthread_mutex_lock(mutex) == 0);
}

static void unlock(pthread_mutex_t *mutex)
{
	ASSERT(pthread_mutex_unlock(mutex) == 0);
}

struct kv_node *kv_memory_begin(struct kv_memory *memory, enum kv_mode mode)
{
	if (mode == KV_WRITE)
		lock(&memory->writing);
	lock(&memory->lock);
	struct kv_node *root = ref(memory->root);

	unlock(&memory->lock);
	return root;
}

void kv_memory_commit(struct kv_memory *memory, struct kv_node *root)
{
	lock(&memory->lock);
	struct kv_node *before = memory->root;

	memory->root = root;
	unlock(&memory->lock);
	unref(before);
	unlock(&memory->writing);
}

void kv_memory_drop(struct kv_memory *memory, enum kv_mode mode, struct kv_node *root)
{
	unref(root);
	if (mode == KV_WRITE)
		unlock(&memory->writing);
}

/* ---- cursors ----------------------------------------------------------------------- */

/* It stands by its key, so that writes need not know of it. */
struct kv_memory_cursor {
	struct kv_node *const *root;
	bool is_on;
	size_t len;
	char at[KV_KEY_BYTES_MAX];
};

struct kv_memory_cursor *kv_memory_cursor_new(struct kv_node *const *root)
{
	struct kv_memory_cursor *handle = NEW(struct kv_memory_cursor);

	handle->root = root;
	return handle;
}

void kv_memory_cursor_free(struct kv_memory_cursor *handle)
{
	mem_free(handle);
}

err_t kv_memory_move(struct kv_cursor *cursor, struct str key, enum kv_where where)
{
	struct kv_memory_cursor *handle = cursor->handle;

	if (where != KV_FROM)
		key = (struct str){handle->at, handle->len};
	if (where == KV_AFTER && !handle->is_on)
		where = KV_FROM; /* the first, if it stands nowhere yet */
	else if (where == KV_BEFORE && !handle->is_on)
		where = KV_LAST;
	handle->is_on =
		kv_memory_find(*handle->root, where, key, &cursor->key, &cursor->value);
	if (!handle->is_on) {
		cursor->key = cursor->value = STR("");
		return ERR_ABSENT;
	}
	handle->len = cursor->key.len;
	memcpy(handle->at, cursor->key.ptr, handle->len);
	return OK;
}
