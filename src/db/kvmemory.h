/* What kv.c keeps its rows in where there is no file: a tree in memory, whose versions
 * share what they have in common.  A transaction is a version; nothing survives its
 * closing.  Private to db/. */
#pragma once

#include "db/kv.h"

struct kv_memory;
struct kv_node; /* a version, by its root; NULL is an empty one */

struct kv_memory *kv_memory_new(void);
void kv_memory_free(struct kv_memory **memory);
/* The last committed version.  A writer has the memory to itself until it commits or
 * drops: others wait. */
struct kv_node *kv_memory_begin(struct kv_memory *memory, enum kv_mode mode);
/* The writer's version becomes the last one; taken over. */
void kv_memory_commit(struct kv_memory *memory, struct kv_node *root);
void kv_memory_drop(struct kv_memory *memory, enum kv_mode mode, struct kv_node *root);
uint64_t kv_memory_count(const struct kv_node *root);

/* The row of the key, or its neighbour; false if there is none.  The slices are good as
 * long as the version. */
enum kv_where { KV_AT, KV_FROM, KV_AFTER, KV_BEFORE, KV_LAST };
bool kv_memory_find(const struct kv_node *root, enum kv_where where, struct str key,
		    struct str *found, struct str *value);
/* Into the writer's version.  Key and value may be of the version itself. */
void kv_memory_put(struct kv_node **root, struct str key, struct str value);
bool kv_memory_delete(struct kv_node **root, struct str key);

/* The handle of a cursor.  The version is read where the writer keeps it. */
struct kv_memory_cursor;
struct kv_memory_cursor *kv_memory_cursor_new(struct kv_node *const *root);
void kv_memory_cursor_free(struct kv_memory_cursor *handle);
/* KV_FROM the key; KV_AFTER and KV_BEFORE where it stands. */
err_t kv_memory_move(struct kv_cursor *cursor, struct str key, enum kv_where where);
