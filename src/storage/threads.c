#include "storage/threads.h"

#include "store/digest.h"

/* The identifiers of a message, its own first, then those it refers to, the nearest
 * first. */
struct ids {
	uint64_t hash[1 + DIGEST_REFERENCES_MAX];
	size_t count;
};

static void ids_add(struct ids *ids, uint64_t hash)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->hash[i] == hash)
			return;
	if (hash != 0)
		ids->hash[ids->count++] = hash;
}

static struct ids ids_of(struct str bytes)
{
	struct ids ids = {.count = 0};
	struct digest digest;

	if (!digest_read_keys(bytes, &digest))
		return ids;
	ids_add(&ids, digest.message_id);
	for (size_t i = digest.reference_count; i > 0; i--)
		ids_add(&ids, digest.references[i - 1]);
	return ids;
}

static err_t ids_in_index(struct work *work, account_t account, uint64_t message,
			  struct ids *ids)
{
	struct key key;
	struct str digest;
	err_t err = kv_get(work->txn, key_message(&key, account, message, PART_DIGEST),
			   &digest);

	*ids = (struct ids){.count = 0};
	if (err == OK)
		*ids = ids_of(digest);
	return err == ERR_ABSENT ? OK : err;
}

/* What an identifier leads to, and how many messages name it. */
struct lead {
	uint64_t thread, messages;
};

static err_t lead_get(struct work *work, account_t account, uint64_t hash,
		      struct lead *lead)
{
	struct key key;
	struct str value;

	TRY(kv_get(work->txn, key_thread(&key, account, hash), &value));
	struct dec d = dec_over(value);

	lead->thread = dec_var(&d);
	lead->messages = dec_var(&d);
	return dec_done(&d) ? OK : ERR_SYNTAX;
}

static err_t lead_put(struct work *work, account_t account, uint64_t hash,
		      const struct lead *lead)
{
	struct key key;
	struct str where = key_thread(&key, account, hash);

	if (lead->messages == 0)
		return kv_delete(work->txn, where);
	buf_reset(&work->row);
	enc_var(&work->row, lead->thread);
	enc_var(&work->row, lead->messages);
	return kv_put(work->txn, where, buf_str(&work->row));
}

err_t thread_find(struct work *work, uint64_t message, struct str digest,
		  uint64_t *thread)
{
	const struct ids ids = ids_of(digest);
	struct lead lead;

	*thread = message;
	for (size_t i = 0; i < ids.count; i++) {
		err_t err = lead_get(work, work->account.id, ids.hash[i], &lead);

		if (err == OK)
			*thread = lead.thread;
		if (err != ERR_ABSENT)
			return err;
	}
	return OK;
}

err_t thread_join(struct work *work, uint64_t message, uint64_t thread)
{
	account_t account = work->account.id;
	struct ids ids;
	struct key key;

	TRY(ids_in_index(work, account, message, &ids));
	for (size_t i = 0; i < ids.count; i++) {
		struct lead lead = {thread, 0};
		err_t err = lead_get(work, account, ids.hash[i], &lead);

		if (err != OK && err != ERR_ABSENT)
			return err;
		lead.messages++;
		TRY(lead_put(work, account, ids.hash[i], &lead));
	}
	if (thread == message)
		return OK; /* its own: that needs no row */
	buf_reset(&work->row);
	enc_var(&work->row, thread);
	return kv_put(work->txn, key_message(&key, account, message, PART_THREAD),
		      buf_str(&work->row));
}

err_t thread_leave(struct work *work, account_t account, uint64_t message)
{
	struct ids ids;
	struct key key;

	TRY(ids_in_index(work, account, message, &ids));
	for (size_t i = 0; i < ids.count; i++) {
		struct lead lead;
		err_t err = lead_get(work, account, ids.hash[i], &lead);

		if (err == ERR_ABSENT) /* lost by damage */
			continue;
		TRY(err);
		lead.messages -= lead.messages > 0;
		TRY(lead_put(work, account, ids.hash[i], &lead));
	}
	err_t err =
		kv_delete(work->txn, key_message(&key, account, message, PART_THREAD));

	return err == ERR_ABSENT ? OK : err;
}
