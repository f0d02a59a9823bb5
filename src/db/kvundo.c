#include "db/kvundo.h"

#include "base/mem.h"

/* What a key was before a change, newest last. */
struct kv_undo_step {
	size_t at; /* in undo->bytes: the key, then the value */
	size_t key_len, value_len;
	bool was_there;
};

void kv_undo_init(struct kv_undo *undo)
{
	*undo = (struct kv_undo){.bytes = BUF(SIZE_MAX / 2)};
}

void kv_undo_fini(struct kv_undo *undo)
{
	buf_fini(&undo->bytes);
	mem_free(undo->steps);
	undo->steps = NULL;
}

void kv_undo_start(struct kv_undo *undo)
{
	undo->is_on = true;
	undo->count = 0;
	buf_reset(&undo->bytes);
}

err_t kv_undo_note(struct kv_undo *undo, struct str key, const struct str *old)
{
	MEM_ROOM(undo->steps, undo->count, undo->room);
	undo->steps[undo->count++] =
		(struct kv_undo_step){.at = undo->bytes.len,
				      .key_len = key.len,
				      .value_len = old ? old->len : 0,
				      .was_there = old};
	buf_add(&undo->bytes, key);
	if (old)
		buf_add(&undo->bytes, *old);
	return buf_ok(&undo->bytes) ? OK : ERR_LIMIT;
}

bool kv_undo_take(struct kv_undo *undo, struct str *key, struct str *old, bool *was_there)
{
	if (undo->count == 0)
		return false;
	struct kv_undo_step step = undo->steps[--undo->count];

	*key = (struct str){undo->bytes.ptr + step.at, step.key_len};
	*old = (struct str){key->ptr + key->len, step.value_len};
	*was_there = step.was_there;
	return true;
}
