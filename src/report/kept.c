#include "report/kept.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/num.h"
#include "rt/clock.h"
#include "rt/task.h"
#include "store/store.h"

#define PREFIX "r/kept/"

enum {
	DAY_S = 86400,
	AHEAD_DAYS = 2, /* of clocks that are wrong, and zones */
	DOMAIN_MAX = 255,
	SCAN_ROWS = 8,
	SCAN_ARENA_MAX = 8 * 1024 * 1024,
};

static const char *const kinds[] = {[KEPT_DMARC] = "dmarc", [KEPT_TLS] = "tls"};

/* In lower case; false if it is such as no key of ours holds. */
static bool domain_add(struct buf *out, struct str domain)
{
	for (size_t i = 0; i < domain.len; i++) {
		char c = ascii_lower(domain.ptr[i]);

		if (!(c >= 'a' && c <= 'z') && !is_ascii_digit((unsigned char)c) &&
		    c != '.' && c != '-' && c != '_')
			return false;
		buf_add_byte(out, c);
	}
	return domain.len > 0 && domain.len <= DOMAIN_MAX;
}

static int64_t oldest_day(void)
{
	return clock_s() / DAY_S - KEPT_DAYS;
}

/* ---- keeping ----------------------------------------------------------------------- */

static bool is_usual(const struct kept *kept)
{
	int64_t day = kept->begin / DAY_S;

	return kept->begin > 0 && kept->end >= kept->begin && day > oldest_day() &&
	       day <= clock_s() / DAY_S + AHEAD_DAYS && kept->id.len > 0;
}

/* "r/kept/DOMAIN/DAY/KIND/" */
static bool prefix_add(struct buf *key, const struct kept *kept)
{
	buf_add(key, STR(PREFIX));
	if (!domain_add(key, kept->domain))
		return false;
	buf_printf(key, "/%06lld/%s/", (long long)(kept->begin / DAY_S),
		   kinds[kept->kind]);
	return true;
}

static void number_add(struct buf *key, const struct kept *kept)
{
	struct hash_key fixed = {{9990, 8460}}; /* never changes */
	uint64_t parts[] = {siphash(fixed, kept->organization), siphash(fixed, kept->id)};

	buf_printf(key, "%016llx",
		   (unsigned long long)siphash(
			   fixed, (struct str){(const char *)parts, sizeof parts}));
}

/* How many there are, as far as it matters. */
static bool count_day(struct store *store, struct str prefix, size_t *count)
{
	char after[KV_KEY_MAX + 1] = "";
	size_t got = SCAN_ROWS;

	for (*count = 0; got == SCAN_ROWS && *count < KEPT_A_DAY_MAX; *count += got) {
		SCOPED(arena_fini) struct arena arena;
		struct kv_row *rows;

		arena_init(&arena, SCAN_ARENA_MAX);
		if (store_kv_scan(store, ACCOUNT_SYSTEM, prefix, str_c(after), SCAN_ROWS,
				  &arena, &rows, &got) != STORE_OK ||
		    (got > 0 && !str_to_c(rows[got - 1].key, after, sizeof after)))
			return false;
	}
	return true;
}

enum kept_outcome kept_put(struct store *store, const struct kept *kept,
			   struct arena *arena)
{
	SCOPED(buf_fini) struct buf key = BUF(KV_KEY_MAX), value = BUF(KEPT_BYTES_MAX);
	struct store_op op = {.kind = OP_KV_PUT};
	const struct store_commit commit = {
		.account = ACCOUNT_SYSTEM, .ops = &op, .count = 1};
	struct str before;
	size_t count;

	if (!is_usual(kept) || !prefix_add(&key, kept))
		return KEPT_UNUSUAL;
	if (!count_day(store, buf_str(&key), &count))
		return KEPT_LATER;
	number_add(&key, kept);
	if (!buf_ok(&key) || !kept_encode(kept, arena, &value))
		return KEPT_UNUSUAL;
	op.kv = (struct op_kv){
		.key = buf_str(&key), .value = buf_str(&value), .only_if_absent = true};
	if (count >= KEPT_A_DAY_MAX)
		return store_kv_get(store, ACCOUNT_SYSTEM, op.kv.key, arena, &before) ==
				       STORE_OK
			       ? KEPT_BEFORE
			       : KEPT_MANY;
	switch (store_commit(store, &commit, arena, NULL)) {
	case STORE_OK:
		return KEPT_NEW;
	case STORE_CONFLICT:
		return KEPT_BEFORE;
	case STORE_ABSENT:
	case STORE_OVER_QUOTA:
	case STORE_INVALID:
	case STORE_DAMAGED:
	case STORE_DENIED:
	case STORE_FULL:
	case STORE_UNAVAILABLE:
	case STORE_UNKNOWN:
		break;
	}
	return KEPT_LATER;
}

/* ---- reading ----------------------------------------------------------------------- */

/* "r/kept/DOMAIN/DAY/KIND/NUMBER" */
static bool read_key(struct str key, struct kept *kept, int64_t *day)
{
	struct str rest = str_skip(key, sizeof PREFIX - 1);
	uint64_t number;

	kept->domain = str_cut(&rest, '/');
	if (!num_parse(str_cut(&rest, '/'), 999999, &number))
		return false;
	*day = (int64_t)number;
	struct str kind = str_cut(&rest, '/');

	kept->kind = str_same(kind, STR("tls")) ? KEPT_TLS : KEPT_DMARC;
	return str_same(kind, str_c(kinds[kept->kind]));
}

/* Rows of the store, in pieces. */
static bool each_row(struct store *store, struct str prefix,
		     void (*take)(void *arg, const struct kv_row *row,
				  struct arena *arena),
		     void *arg)
{
	char after[KV_KEY_MAX + 1] = "";
	size_t count = SCAN_ROWS;

	while (count == SCAN_ROWS) {
		SCOPED(arena_fini) struct arena arena;
		struct kv_row *rows;

		arena_init(&arena, SCAN_ARENA_MAX);
		if (store_kv_scan(store, ACCOUNT_SYSTEM, prefix, str_c(after), SCAN_ROWS,
				  &arena, &rows, &count) != STORE_OK)
			return false;
		for (size_t i = 0; i < count; i++)
			take(arg, &rows[i], &arena);
		if (count > 0 && !str_to_c(rows[count - 1].key, after, sizeof after))
			return false;
	}
	return true;
}

struct reading {
	void (*take)(void *arg, const struct kept *kept);
	void *arg;
	int64_t since;
};

static void read_one(void *arg, const struct kv_row *row, struct arena *arena)
{
	struct reading *reading = arg;
	struct kept kept = {.kind = KEPT_DMARC};
	int64_t day;

	if (read_key(row->key, &kept, &day) && kept_decode(row->value, arena, &kept) &&
	    kept.begin >= reading->since)
		reading->take(reading->arg, &kept);
}

bool kept_each(struct store *store, struct str domain, int64_t since,
	       void (*take)(void *arg, const struct kept *kept), void *arg)
{
	SCOPED(buf_fini) struct buf prefix = BUF(KV_KEY_MAX);
	struct reading reading = {take, arg, since};

	buf_add(&prefix, STR(PREFIX));
	if (domain.len > 0 && !domain_add(&prefix, domain))
		return true; /* there can be none */
	if (domain.len > 0)
		buf_add(&prefix, STR("/"));
	return each_row(store, buf_str(&prefix), read_one, &reading);
}

/* ---- forgetting -------------------------------------------------------------------- */

static void forget_old(void *arg, const struct kv_row *row, struct arena *arena)
{
	struct store_op op = {.kind = OP_KV_DELETE, .kv = {.key = row->key}};
	const struct store_commit commit = {
		.account = ACCOUNT_SYSTEM, .ops = &op, .count = 1};
	struct kept kept;
	int64_t day;

	if (read_key(row->key, &kept, &day) && day > oldest_day())
		return;
	enum store_outcome outcome = store_commit(arg, &commit, arena, NULL);

	if (outcome != STORE_OK && outcome != STORE_ABSENT) /* else forgotten later */
		LOG(WARN, "old report not forgotten", KV_STR("key", row->key),
		    KV("outcome", store_outcome_text(outcome)));
}

void kept_purge(struct store *store)
{
	(void)each_row(store, STR(PREFIX), forget_old, store); /* else an hour later */
}
