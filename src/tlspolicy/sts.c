#include "tlspolicy/sts.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "resolver/resolver.h"
#include "rt/clock.h"
#include "store/store.h"
#include "tlspolicy/reach.h"

enum {
	ROW_VERSION = 1,
	ATTEMPTS = 256,        /* domains remembered that were tried lately */
	PAUSE_S = 5 * 60,      /* RFC 8461 §3.3: between attempts for one id */
	REFRESH_S = 24 * 3600, /* how old a policy is when it is looked at again */
	FETCH_TIMEOUT_S = 60,  /* RFC 8461 §3.3 */
	SCRATCH_MAX = 512 * 1024,
	REFRESHES_MAX = 20, /* in the background at a time */
};

/* The last attempt at a domain's policy. */
struct attempt {
	char domain[DNS_NAME_MAX + 1];
	char id[MTA_STS_ID_MAX + 1];
	deadline_t again_at;
	bool is_busy;
	struct waiters over;
};

struct sts {
	const struct policy_options *options;
	struct attempt attempts[ATTEMPTS];
	unsigned refreshes;
};

struct sts *sts_open(const struct policy_options *options)
{
	struct sts *sts = NEW(struct sts);

	sts->options = options;
	return sts;
}

void sts_close(struct sts **sts)
{
	mem_free(*sts);
	*sts = NULL;
}

/* ---- what is remembered ------------------------------------------------------------ */

void sts_row_encode(struct buf *value, const struct sts_row *row)
{
	enc_u8(value, ROW_VERSION);
	enc_str(value, row->id);
	enc_u64(value, (uint64_t)row->fetched_at);
	enc_str(value, row->text);
}

bool sts_row_decode(struct str value, struct sts_row *row)
{
	struct dec dec = dec_over(value);
	uint8_t version = dec_u8(&dec);

	row->id = dec_str(&dec);
	row->fetched_at = (int64_t)dec_u64(&dec);
	row->text = dec_str(&dec);
	return dec_done(&dec) && version == ROW_VERSION;
}

static struct str row_key(struct arena *arena, struct str domain)
{
	return arena_printf(arena, "t/sts/%.*s", STR_FMT(domain));
}

/* A policy that still holds; hop and *row are filled. */
static bool recall(struct sts *sts, struct str domain, struct arena *arena,
		   struct policy_hop *hop, struct sts_row *row)
{
	struct str value;

	if (!sts->options->store ||
	    store_kv_get(sts->options->store, ACCOUNT_SYSTEM, row_key(arena, domain),
			 arena, &value) != STORE_OK ||
	    !sts_row_decode(value, row) ||
	    !mta_sts_policy_parse(row->text, arena, &hop->sts) ||
	    row->fetched_at + hop->sts.max_age_s <= clock_s())
		return false;
	hop->sts_text = row->text;
	hop->hop.sts = &hop->sts;
	return true;
}

static void remember(struct sts *sts, struct str domain, struct arena *arena,
		     const struct sts_row *row)
{
	SCOPED(buf_fini) struct buf value = BUF(KV_VALUE_MAX);
	struct store_op op = {.kind = OP_KV_PUT};
	const struct store_commit commit = {
		.account = ACCOUNT_SYSTEM, .ops = &op, .count = 1};

	if (!sts->options->store)
		return;
	sts_row_encode(&value, row);
	op.kv = (struct op_kv){.key = row_key(arena, domain), .value = buf_str(&value)};
	enum store_outcome outcome =
		buf_ok(&value) ? store_commit(sts->options->store, &commit, arena, NULL)
			       : STORE_INVALID;

	if (outcome != STORE_OK) /* it holds for this mail; the next fetches it again */
		LOG(WARN, "MTA-STS policy not kept", KV_STR("name", domain),
		    KV("outcome", store_outcome_text(outcome)));
}

/* ---- fetching ---------------------------------------------------------------------- */

static void flawed(struct policy_hop *hop, enum tls_flaw flaw, struct str why)
{
	hop->sts_flaw = flaw;
	hop->sts_why = why;
}

/* At least a second. */
static uint16_t fetch_timeout_s(const struct sts *sts)
{
	deadline_t until = sts->options->until, now = loop_now();
	uint64_t left_s = until > now ? (until - now) / 1000 : 0;

	return (uint16_t)num_min(FETCH_TIMEOUT_S, left_s > 0 ? left_s : 1);
}

static bool ask(struct sts *sts, struct str domain, struct arena *arena,
		struct policy_hop *hop, struct fetch_reply *reply)
{
	struct str host = arena_printf(arena, "mta-sts.%.*s", STR_FMT(domain));
	struct fetch_request request = {
		.url = arena_printf(arena, "https://%.*s:%u/.well-known/mta-sts.txt",
				    STR_FMT(host), sts->options->sts_port),
		.reply_max = MTA_STS_POLICY_BYTES_MAX,
	};

	if (!reach(sts->options->resolver, host, sts->options->until, arena, &request)) {
		flawed(hop, TLS_FLAW_STS_FETCH, STR("the policy host has no address"));
		return false;
	}
	request.timeout_s = fetch_timeout_s(sts);
	fetch_ask(sts->options->fetch, &request, arena, reply);
	if (reply->outcome == FETCH_OK)
		return true;
	flawed(hop,
	       reply->outcome == FETCH_UNTRUSTED ? TLS_FLAW_STS_WEBPKI
						 : TLS_FLAW_STS_FETCH,
	       reply->why);
	return false;
}

/* May suspend.  The policy as it is now. */
static bool fetch(struct sts *sts, struct str domain, struct str id, struct arena *arena,
		  struct policy_hop *hop)
{
	struct fetch_reply reply;

	if (!ask(sts, domain, arena, hop, &reply))
		return false;
	if (reply.status != 200)
		flawed(hop, TLS_FLAW_STS_FETCH,
		       arena_printf(arena, "the policy host answers %u", reply.status));
	else if (!str_same(reply.media_type, STR("text/plain")))
		flawed(hop, TLS_FLAW_STS_POLICY,
		       arena_printf(arena, "the policy is \"%.*s\", not text/plain",
				    STR_FMT(reply.media_type)));
	else if (!mta_sts_policy_parse(reply.body, arena, &hop->sts))
		flawed(hop, TLS_FLAW_STS_POLICY, STR("the policy is not understood"));
	else {
		const struct sts_row row = {id, clock_s(), reply.body};

		hop->sts_text = reply.body;
		hop->hop.sts = &hop->sts;
		remember(sts, domain, arena, &row);
		LOG(INFO, "MTA-STS policy fetched", KV_STR("name", domain),
		    KV("what", mta_sts_mode_name(hop->sts.mode)));
		return true;
	}
	return false;
}

/* ---- one attempt at a time --------------------------------------------------------- */

/* The place of this domain; whoever was there before is forgotten unless busy. */
static struct attempt *attempt_of(struct sts *sts, struct str domain)
{
	struct attempt *attempt = &sts->attempts[hash64(domain) % ATTEMPTS];

	if (str_same(str_c(attempt->domain), domain))
		return attempt;
	if (attempt->is_busy)
		return NULL; /* two domains share a place: no memory for the second */
	*attempt = (struct attempt){.is_busy = false};
	return str_to_c(domain, attempt->domain, sizeof attempt->domain) ? attempt : NULL;
}

/* May suspend.  False, too, if it failed a moment ago, or somebody else was faster, who
 * has filled the store. */
static bool try_fetch(struct sts *sts, struct str domain, struct str id,
		      struct arena *arena, struct policy_hop *hop)
{
	struct attempt *attempt = attempt_of(sts, domain);
	struct sts_row row;

	if (!attempt)
		return fetch(sts, domain, id, arena, hop);
	if (attempt->is_busy) {
		(void)wait_on(&attempt->over, deadline_s(FETCH_TIMEOUT_S)); /* or not */
		return recall(sts, domain, arena, hop, &row);
	}
	if (str_same(str_c(attempt->id), id) && loop_now() < attempt->again_at)
		return false;
	attempt->is_busy = true;
	bool is_fetched = fetch(sts, domain, id, arena, hop);

	attempt->is_busy = false;
	attempt->again_at = is_fetched ? 0 : deadline_s(PAUSE_S);
	(void)str_to_c(id, attempt->id, sizeof attempt->id); /* it is never longer */
	wake_all(&attempt->over);
	if (!is_fetched)
		LOG(WARN, "MTA-STS policy not fetched", KV_STR("name", domain),
		    KV("reason", tls_flaw_name(hop->sts_flaw)),
		    KV_STR("why", hop->sts_why));
	return is_fetched;
}

/* ---- refreshing in the background -------------------------------------------------- */

struct refresh {
	struct sts *sts;
	char domain[DNS_NAME_MAX + 1], id[MTA_STS_ID_MAX + 1];
};

static void refresh(void *arg)
{
	struct refresh *refresh = arg;
	SCOPED(arena_fini) struct arena arena;
	struct policy_hop hop = {.sts_text = STR("")};

	arena_init(&arena, SCRATCH_MAX);
	(void)try_fetch(refresh->sts, str_c(refresh->domain), str_c(refresh->id), &arena,
			&hop); /* the old one still holds */
	refresh->sts->refreshes--;
	mem_free(refresh);
}

/* RFC 8461 §3.3: before they expire, about once a day. */
static void refresh_if_old(struct sts *sts, struct str domain, const struct sts_row *row,
			   uint32_t max_age_s)
{
	int64_t age_max = max_age_s / 2 < REFRESH_S ? max_age_s / 2 : REFRESH_S;

	if (clock_s() - row->fetched_at < age_max || sts->refreshes >= REFRESHES_MAX)
		return;
	struct refresh *task = NEW(struct refresh);

	task->sts = sts;
	if (str_to_c(domain, task->domain, sizeof task->domain) &&
	    str_to_c(row->id, task->id, sizeof task->id) &&
	    task_start("MTA-STS refresh", refresh, task))
		sts->refreshes++;
	else
		mem_free(task);
}

/* ---- the story --------------------------------------------------------------------- */

/* The id that the domain announces; false if it announces none now.  RFC 8461 §3.1: of
 * those that are MTA-STS records there must be one. */
static bool announced(struct sts *sts, struct str domain, struct arena *arena,
		      struct str *id)
{
	struct str name = arena_printf(arena, "_mta-sts.%.*s", STR_FMT(domain));
	const struct dns_question question = {name, DNS_TXT, sts->options->until};
	struct dns_answer answer;
	struct str text, record = STR("");
	size_t count = 0;

	resolver_ask_until(sts->options->resolver, &question, arena, &answer);
	for (size_t i = 0; answer.outcome == DNS_FOUND && i < answer.count; i++) {
		if (!dns_txt_read(answer.records[i], arena, &text) ||
		    !mta_sts_is_record(text))
			continue;
		record = text;
		count++;
	}
	return count == 1 && mta_sts_record_parse(record, id);
}

void sts_find(struct sts *sts, struct str domain, struct arena *arena,
	      struct policy_hop *hop)
{
	struct policy_hop fresh = {.sts_text = STR("")};
	struct sts_row row = {STR(""), 0, STR("")};
	bool is_known = recall(sts, domain, arena, hop, &row);
	struct str id;

	if (!announced(sts, domain, arena, &id))
		return; /* what is remembered holds (RFC 8461 §3.3) */
	if (is_known && str_same(id, row.id)) {
		refresh_if_old(sts, domain, &row, hop->sts.max_age_s);
		return;
	}
	bool is_fetched = try_fetch(sts, domain, id, arena, &fresh);

	hop->sts_flaw = fresh.sts_flaw;
	hop->sts_why = fresh.sts_why;
	if (!is_fetched)
		return;
	hop->sts = fresh.sts;
	hop->sts_text = fresh.sts_text;
	hop->hop.sts = &hop->sts;
}
