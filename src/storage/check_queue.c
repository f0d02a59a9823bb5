/* What follows from the rows of the queue: where they wait, how they are found by queue
 * id, and how they are counted. */
#include "base/hash.h"
#include "base/mem.h"
#include "storage/check_state.h"
#include "store/codec.h"

/* The rows for one domain, as they are. */
struct domain_tally {
	struct domain_tally *next;
	struct key name;
	struct queue_count count;
};

static struct str name_of(const struct domain_tally *tally)
{
	return (struct str){tally->name.bytes, tally->name.len};
}

static struct domain_tally **find_domain(struct checker *c, struct str name)
{
	size_t bucket = siphash((struct hash_key){{1, 2}}, name) % CHECK_DOMAIN_BUCKETS;
	struct domain_tally **at = &c->domains[bucket];

	while (*at && !str_same(name_of(*at), name))
		at = &(*at)->next;
	return at;
}

/* ---- rows -------------------------------------------------------------------------- */

static void check_present(struct checker *c, struct str key, const char *text)
{
	struct str empty;

	if (look(c, key, &empty))
		return;
	found_row(c, CHECK_MISSING, text);
	fix_put(c, key, STR(""));
}

void check_standing(struct checker *c, uint64_t id, const struct waiting_row *row,
		    struct str queue_id)
{
	struct queue_count count = waiting_count(row);
	struct key key, name;
	struct domain_tally **tally =
		find_domain(c, key_queue_count(&name, row->recipient.address));

	if (!*tally) {
		*tally = NEW(struct domain_tally);
		(*tally)->name = name;
	}
	count_add(&(*tally)->count, &count);
	count_add(&c->totals.queue, &count);
	struct str place = waiting_place(row, c->account, id, &key);

	(void)key_queue_id(&name, queue_id, c->account, row->message);
	if (place.len > 0)
		check_present(c, place, "when a mail in the queue is due");
	check_present(c, (struct str){name.bytes, name.len}, "a mail's queue id");
}

bool is_waiting_there(struct checker *c, struct str key)
{
	struct dec d = dec_over(str_skip(key, key.len - 10));
	account_t account = dec_key32(&d);
	uint64_t id = dec_key48(&d);
	struct key k;
	struct str value;
	struct waiting_row row;

	return look(c, key_numbered(&k, account, TABLE_QUEUE, id), &value) &&
	       waiting_read(value, &row) &&
	       str_same(waiting_place(&row, account, id, &k), key);
}

bool is_queue_id(struct checker *c, struct str key)
{
	struct dec d = dec_over(str_skip(key, key.len - 10));
	account_t account = dec_key32(&d);
	uint64_t message = dec_key48(&d);
	struct key k;
	struct str value;
	struct envelope_row envelope;

	return look(c, key_message(&k, account, message, PART_ENVELOPE), &value) &&
	       envelope_read(value, &envelope) &&
	       str_same(key_queue_id(&k, envelope.id, account, message), key);
}

/* ---- counts ------------------------------------------------------------------------ */

static bool is_count(struct str value, const struct queue_count *count)
{
	struct queue_count other;
	struct dec d = dec_over(value);

	store_dec_count(&d, &other);
	return dec_done(&d) && memcmp(&other, count, sizeof other) == 0;
}

static void check_domain(struct checker *c, const struct domain_tally *tally)
{
	struct str value;

	if (look(c, name_of(tally), &value) && is_count(value, &tally->count))
		return;
	found_row(c, CHECK_COUNT_WRONG, "the mails in the queue for a domain");
	buf_reset(&c->row);
	store_enc_count(&c->row, &tally->count);
	fix_put(c, name_of(tally), buf_str(&c->row));
}

void check_domains(struct checker *c)
{
	struct key key;
	struct str table = key_table(&key, ACCOUNT_SYSTEM, TABLE_QUEUE_COUNT);
	err_t err = kv_seek(&c->other, table);

	for (; err == OK && str_starts(c->other.key, table); err = kv_next(&c->other)) {
		if (*find_domain(c, c->other.key))
			continue;
		found_row(c, CHECK_LEADS_NOWHERE, "the count of a domain");
		fix_delete(c, c->other.key);
	}
	for (size_t i = 0; i < CHECK_DOMAIN_BUCKETS; i++)
		for (struct domain_tally *t = c->domains[i]; t; t = t->next)
			check_domain(c, t);
}

void domains_fini(struct checker *c)
{
	for (size_t i = 0; i < CHECK_DOMAIN_BUCKETS; i++)
		while (c->domains[i]) {
			struct domain_tally *next = c->domains[i]->next;

			mem_free(c->domains[i]);
			c->domains[i] = next;
		}
}
