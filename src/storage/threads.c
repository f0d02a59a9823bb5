#include "storage/threads.h"

#include "store/digest.h"

enum { SUBJECT_S = 30 * 86400 }; /* how far apart messages of a subject may come */

/* The identifiers of a message, its own first, then those it refers to, the nearest
 * first; and its subject, which stands among identifiers as if it were one, 0 if it is
 * empty. */
struct names {
	uint64_t hash[1 + DIGEST_REFERENCES_MAX];
	size_t count;
	uint64_t subject;
	bool by_subject; /* that may say which thread it is */
};

static void names_add(struct names *names, uint64_t hash)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->hash[i] == hash)
			return;
	if (hash != 0)
		names->hash[names->count++] = hash;
}

static struct names names_of(struct str bytes)
{
	static const uint64_t mark = 0x7375626a65637421; /* no identifier is meant */
	struct names names = {.count = 0};
	struct digest digest;

	if (!digest_read_keys(bytes, &digest))
		return names;
	names_add(&names, digest.message_id);
	for (size_t i = digest.reference_count; i > 0; i--)
		names_add(&names, digest.references[i - 1]);
	if (digest.base_subject != 0)
		names.subject = digest.base_subject ^ mark;
	names.by_subject = names.subject != 0 && digest.reference_count == 0 &&
			   (digest.flags & DIGEST_IS_REPLY);
	return names;
}

static err_t names_in_index(struct work *work, account_t account, uint64_t message,
			    struct names *names)
{
	struct key key;
	struct str digest;
	err_t err = kv_get(work->txn, key_message(&key, account, message, PART_DIGEST),
			   &digest);

	*names = (struct names){.count = 0};
	if (err == OK)
		*names = names_of(digest);
	return err == ERR_ABSENT ? OK : err;
}

/* What an identifier or a subject leads to, and how many messages name it. */
struct lead {
	uint64_t thread, messages;
	bool is_subject;
	int64_t newest_at; /* of a subject: when the newest of them came */
};

static err_t lead_get(struct work *work, account_t account, uint64_t hash,
		      struct lead *lead)
{
	struct key key;
	struct str value;

	TRY(kv_get(work->txn, key_thread(&key, account, hash), &value));
	struct dec d = dec_over(value);

	*lead = (struct lead){.thread = dec_var(&d), .messages = dec_var(&d)};
	lead->is_subject = d.rest.len > 0;
	if (lead->is_subject)
		lead->newest_at = (int64_t)dec_u64(&d);
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
	if (lead->is_subject)
		enc_u64(&work->row, (uint64_t)lead->newest_at);
	return kv_put(work->txn, where, buf_str(&work->row));
}

/* Both are within the calendar's bounds, or nearly: the difference fits. */
static bool is_near(int64_t a, int64_t b)
{
	int64_t apart;

	return !__builtin_sub_overflow(a, b, &apart) && apart <= SUBJECT_S &&
	       apart >= -SUBJECT_S;
}

err_t thread_find(struct work *work, uint64_t message, struct str digest,
		  int64_t received_at, uint64_t *thread)
{
	const struct names names = names_of(digest);
	account_t account = work->account.id;
	struct lead lead;
	err_t err = ERR_ABSENT;

	*thread = message;
	for (size_t i = 0; i < names.count && err == ERR_ABSENT; i++)
		err = lead_get(work, account, names.hash[i], &lead);
	if (err == ERR_ABSENT && names.by_subject) {
		err = lead_get(work, account, names.subject, &lead);
		if (err == OK && !is_near(lead.newest_at, received_at))
			err = ERR_ABSENT;
	}
	if (err == OK)
		*thread = lead.thread;
	return err == ERR_ABSENT ? OK : err;
}

static err_t join_lead(struct work *work, uint64_t hash, const struct lead *joined)
{
	account_t account = work->account.id;
	struct lead lead;
	err_t err = lead_get(work, account, hash, &lead);

	if (err != OK && err != ERR_ABSENT)
		return err;
	if (err == ERR_ABSENT)
		lead = *joined;
	lead.messages++;
	if (joined->is_subject && joined->newest_at >= lead.newest_at) {
		lead.thread = joined->thread;
		lead.newest_at = joined->newest_at;
	}
	return lead_put(work, account, hash, &lead);
}

err_t thread_join(struct work *work, uint64_t message, int64_t received_at,
		  uint64_t thread)
{
	account_t account = work->account.id;
	const struct lead named = {.thread = thread};
	const struct lead subject = {
		.thread = thread, .is_subject = true, .newest_at = received_at};
	struct names names;
	struct key key;

	TRY(names_in_index(work, account, message, &names));
	for (size_t i = 0; i < names.count; i++)
		TRY(join_lead(work, names.hash[i], &named));
	if (names.subject != 0)
		TRY(join_lead(work, names.subject, &subject));
	if (thread == message)
		return OK; /* its own: that needs no row */
	buf_reset(&work->row);
	enc_var(&work->row, thread);
	return kv_put(work->txn, key_message(&key, account, message, PART_THREAD),
		      buf_str(&work->row));
}

static err_t leave_lead(struct work *work, account_t account, uint64_t hash)
{
	struct lead lead;
	err_t err = lead_get(work, account, hash, &lead);

	if (err == ERR_ABSENT) /* lost by damage */
		return OK;
	TRY(err);
	lead.messages -= lead.messages > 0;
	return lead_put(work, account, hash, &lead);
}

err_t thread_leave(struct work *work, account_t account, uint64_t message)
{
	struct names names;
	struct key key;

	TRY(names_in_index(work, account, message, &names));
	for (size_t i = 0; i < names.count; i++)
		TRY(leave_lead(work, account, names.hash[i]));
	if (names.subject != 0)
		TRY(leave_lead(work, account, names.subject));
	err_t err =
		kv_delete(work->txn, key_message(&key, account, message, PART_THREAD));

	return err == ERR_ABSENT ? OK : err;
}
