/* MTA-STS policies and reports over a store, a DNS and a web that are a few lines each.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/test.h"
#include "directory/fake_store.h"
#include "fetch/codec.h"
#include "resolver/codec.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "tlspolicy/ledger.h"
#include "tlspolicy/policy.h"

/* What the others answer; the tests change it as they go. */
static struct {
	const char *sts_record, *rpt_record; /* TXT; NULL: none */
	bool is_dns_down;
	enum tls_known tlsa;
	struct fetch_reply web;
	int questions, fetches, posts, mails;
	char mail[4096];
	bool refuses_mail;
} world;

static const char policy_text[] =
	"version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 604800\n";

static size_t txt(const char *text, char room[300])
{
	size_t len = strlen(text);

	room[0] = (char)len;
	memcpy(room + 1, text, len);
	return len + 1;
}

static void find(const struct resolver_question *question, char room[300],
		 struct str *record, struct dns_answer *answer)
{
	const char *text = NULL;

	*answer = (struct dns_answer){.outcome = DNS_NONE, .name = question->name};
	if (str_starts(question->name, STR("_mta-sts.")))
		text = world.sts_record;
	if (str_starts(question->name, STR("_smtp._tls.")))
		text = world.rpt_record;
	if (text)
		*record = (struct str){room, txt(text, room)};
	if (question->type == DNS_A)
		*record = STR("\300\0\2\1");
	if (question->type == DNS_TLSA && world.tlsa == TLS_KNOWN)
		*record = STR("\3\1\1"
			      "0123456789abcdef0123456789abcdef");
	if (question->type == DNS_TLSA && world.tlsa == TLS_KNOWN_BOGUS)
		answer->outcome = DNS_BOGUS;
	if (record->len > 0) {
		answer->outcome = DNS_FOUND;
		answer->is_secure = true;
		answer->records = record;
		answer->count = 1;
	}
	if (world.is_dns_down)
		*answer = (struct dns_answer){.outcome = DNS_UNKNOWN};
}

static void answer_dns(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	SCOPED(buf_fini) struct buf reply = BUF(4096);
	struct resolver_question question;
	struct str record = STR("");
	struct dns_answer answer;
	char room[300];

	(void)arg;
	world.questions++;
	CHECK(resolver_decode_question(message->body, &question));
	find(&question, room, &record, &answer);
	resolver_encode_answer(&reply, &answer);
	ipc_reply(ipc, message->id, RESOLVER_ANSWER, buf_str(&reply), -1);
}

static void answer_web(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	SCOPED(buf_fini) struct buf reply = BUF(100000);
	struct fetch_request request;

	(void)arg;
	CHECK(fetch_decode_request(message->body, &request));
	CHECK_STR(request.addresses[0], STR("192.0.2.1"));
	*(request.is_post ? &world.posts : &world.fetches) += 1;
	fetch_encode_reply(&reply, &world.web);
	ipc_reply(ipc, message->id, FETCH_ANSWER, buf_str(&reply), -1);
}

static void serve_policy(const char *text)
{
	world.web = (struct fetch_reply){.outcome = FETCH_OK,
					 .status = 200,
					 .media_type = STR("text/plain"),
					 .body = str_c(text)};
}

static struct resolver *resolver;
static struct fetch *fetch;
static struct policy *policy;
static struct fake_store *store;
static void (*test)(void);

static void reopen_policy(void)
{
	const struct policy_options options = {.store = store->store,
					       .resolver = resolver,
					       .fetch = fetch,
					       .uses = TLS_USE_DANE | TLS_USE_STS,
					       .sts_port = 443};

	policy_close(&policy);
	policy = policy_open(&options);
}

static void in_task(struct fake_store *fake)
{
	struct ipc *dns, *web;
	int fds[2];

	memset(&world, 0, sizeof world);
	store = fake;
	CHECK(ipc_pair(fds) == OK);
	dns = ipc_open("fake dns", fds[0], answer_dns, NULL, NULL);
	resolver = resolver_open(fds[1]);
	CHECK(ipc_pair(fds) == OK);
	web = ipc_open("fake web", fds[0], answer_web, NULL, NULL);
	fetch = fetch_open(fds[1]);
	reopen_policy();
	test();
	policy_close(&policy);
	resolver_close(&resolver);
	fetch_close(&fetch);
	ipc_close(&dns);
	ipc_close(&web);
}

static void run(void (*what)(void))
{
	test = what;
	fake_store_run(in_task);
}

static struct arena arena;
static struct policy_hop hop;

/* "enforce", ... or "" for none; a background fetch has time to end. */
static struct str mode_now(void)
{
	arena_fini(&arena);
	arena_init(&arena, 512 * 1024);
	policy_hop(policy, STR("example.org"), STR(""), TLS_KNOWN, &arena, &hop);
	CHECK(task_sleep_ms(1) == OK);
	return hop.hop.sts ? str_c(mta_sts_mode_name(hop.sts.mode)) : STR("");
}

static void pass_s(uint64_t seconds)
{
	clock_test_advance_ms(seconds * 1000);
	CHECK(task_sleep_ms(1) == OK);
}

/* ---- MTA-STS ----------------------------------------------------------------------- */

static void keeps(void)
{
	world.sts_record = "v=STSv1; id=1";
	serve_policy(policy_text);
	CHECK_STR(mode_now(), STR("enforce"));
	CHECK(world.fetches == 1);
	reopen_policy(); /* a restart */
	CHECK_STR(mode_now(), STR("enforce"));
	CHECK(world.fetches == 1);
	CHECK_STR(hop.sts_text, str_c(policy_text));
}

TEST(a_policy_is_fetched_once_and_survives_a_restart)
{
	run(keeps);
}

static void outlives(void)
{
	world.sts_record = "v=STSv1; id=1";
	serve_policy(policy_text);
	CHECK_STR(mode_now(), STR("enforce"));
	world.sts_record = NULL; /* an attacker strips it */
	CHECK_STR(mode_now(), STR("enforce"));
	world.is_dns_down = true;
	CHECK_STR(mode_now(), STR("enforce"));
	world.is_dns_down = false;
	world.sts_record = "v=STSv1; id=2"; /* new, but not to be had */
	world.web = (struct fetch_reply){.outcome = FETCH_UNTRUSTED, .why = STR("x")};
	CHECK_STR(mode_now(), STR("enforce"));
	CHECK(hop.sts_flaw == TLS_FLAW_STS_WEBPKI);
	pass_s(604800);
	CHECK_STR(mode_now(), STR("")); /* its time is over */
}

TEST(a_policy_holds_until_its_age_is_over_whatever_an_attacker_does)
{
	run(outlives);
}

static void refreshes(void)
{
	world.sts_record = "v=STSv1; id=1";
	serve_policy(policy_text);
	CHECK_STR(mode_now(), STR("enforce"));
	for (int day = 1; day <= 20; day++) {
		pass_s(86400);
		CHECK_STR(mode_now(), STR("enforce"));
		CHECK(task_sleep_ms(100) == OK);
		CHECK(world.fetches == 1 + day);
	}
	serve_policy("version: STSv1\nmode: none\nmax_age: 86400\n");
	world.sts_record = "v=STSv1; id=2";
	CHECK_STR(mode_now(), STR("none")); /* at once: the id has changed */
}

TEST(a_policy_is_refreshed_each_day_and_replaced_when_its_id_changes)
{
	run(refreshes);
}

static void pauses(void)
{
	world.sts_record = "v=STSv1; id=1";
	world.web = (struct fetch_reply){.outcome = FETCH_TIMED_OUT, .why = STR("x")};
	CHECK_STR(mode_now(), STR(""));
	CHECK(hop.sts_flaw == TLS_FLAW_STS_FETCH);
	CHECK_STR(mode_now(), STR(""));
	CHECK(world.fetches == 1);
	pass_s(301);
	serve_policy(policy_text);
	CHECK_STR(mode_now(), STR("enforce"));
	CHECK(world.fetches == 2);
}

TEST(what_can_not_be_fetched_is_left_alone_for_five_minutes)
{
	run(pauses);
}

static void full(void)
{
	world.sts_record = "v=STSv1; id=1";
	serve_policy(policy_text);
	store->refuse = STORE_FULL;
	CHECK_STR(mode_now(), STR("enforce"));
	CHECK_STR(mode_now(), STR("enforce"));
	CHECK(world.fetches == 2);
	store->refuse = STORE_OK;
}

TEST(a_policy_that_can_not_be_kept_holds_for_its_mail)
{
	run(full);
}

static int both;

static void ask_too(void *arg)
{
	struct policy_hop mine;
	SCOPED(arena_fini) struct arena own;

	(void)arg;
	arena_init(&own, 512 * 1024);
	policy_hop(policy, STR("example.org"), STR(""), TLS_KNOWN, &own, &mine);
	both += mine.hop.sts != NULL;
}

static void together(void)
{
	world.sts_record = "v=STSv1; id=1";
	serve_policy(policy_text);
	both = 0;
	for (int i = 0; i < 10; i++)
		CHECK(task_start("asker", ask_too, NULL));
	CHECK(task_sleep_ms(1000) == OK);
	CHECK(both == 10 && world.fetches == 1);
}

TEST(many_mails_at_once_fetch_a_policy_once)
{
	run(together);
}

/* ---- a host ------------------------------------------------------------------------ */

static void hosts(void)
{
	struct tls_demand demand;

	world.tlsa = TLS_KNOWN;
	(void)mode_now();
	policy_host(policy, &hop, STR("mx.example.org"), 25, TLS_WISH_NONE, &arena,
		    &demand);
	CHECK(demand.need == TLS_MUST_BE_VERIFIED && demand.peer.record_count == 1);
	world.tlsa = TLS_KNOWN_BOGUS;
	policy_host(policy, &hop, STR("mx.example.org"), 25, TLS_WISH_NONE, &arena,
		    &demand);
	CHECK(demand.verdict == TLS_HOST_LATER && demand.flaw == TLS_FLAW_DNSSEC);
	hop.hop.mx = TLS_KNOWN_NONE;
	world.questions = 0;
	policy_host(policy, &hop, STR("mx.example.org"), 25, TLS_WISH_NONE, &arena,
		    &demand);
	CHECK(demand.verdict == TLS_HOST_GOOD && demand.need == TLS_MAY);
	CHECK(world.questions == 0); /* DANE needs a signed list of hosts */
}

TEST(a_host_is_asked_about_only_where_it_counts)
{
	run(hosts);
}

/* ---- reports ----------------------------------------------------------------------- */

static bool take_mail(void *arg, struct str to, struct str mail, struct arena *scratch,
		      struct store_op *op)
{
	(void)arg;
	(void)scratch;
	*op = (struct store_op){.kind = OP_QUEUE_ADD};
	CHECK_STR(to, STR("reports@example.org"));
	world.mails++;
	(void)str_to_c(str_first(mail, sizeof world.mail - 1), world.mail,
		       sizeof world.mail);
	return !world.refuses_mail;
}

static struct ledger *ledger;

static void count_one(enum tls_flaw flaw)
{
	const struct tls_demand demand = {.kind = TLS_POLICY_NONE};
	const struct ledger_result result = {.flaw = flaw, .host = STR("mx.example.org")};

	hop = (struct policy_hop){.hop = {.domain = STR("example.org")}};
	ledger_add(ledger, &hop, &demand, &result);
}

static void open_ledger(void)
{
	const struct ledger_options options = {.store = store->store,
					       .resolver = resolver,
					       .fetch = fetch,
					       .hostname = STR("mx.example.net"),
					       .letter = take_mail};

	ledger = ledger_open(&options);
}

static void reports(void)
{
	open_ledger();
	world.rpt_record = "v=TLSRPTv1; rua=mailto:reports@example.org";
	count_one(TLS_FLAW_NONE);
	ledger_write(ledger);
	count_one(TLS_FLAW_NOT_OFFERED);
	ledger_write(ledger);
	CHECK(store->count == 1);
	ledger_report(ledger);
	CHECK(world.mails == 0); /* the day is not over */
	pass_s(86400 + 4 * 3600);
	world.refuses_mail = true;
	ledger_report(ledger);
	CHECK(world.mails == 1 && store->count == 1);
	world.refuses_mail = false;
	ledger_report(ledger);
	CHECK(world.mails == 2 && store->count == 0);
	CHECK(str_find(str_c(world.mail), STR("TLS-Report-Domain: example.org\r\n")) <
	      strlen(world.mail));
	ledger_report(ledger);
	CHECK(world.mails == 2);
	ledger_close(&ledger);
}

TEST(a_day_is_reported_once_to_who_wants_it)
{
	run(reports);
}

static void posts(void)
{
	open_ledger();
	world.rpt_record = "v=TLSRPTv1; rua=https://reports.example.org/v1";
	count_one(TLS_FLAW_NONE);
	ledger_write(ledger);
	pass_s(86400 + 4 * 3600);
	world.web = (struct fetch_reply){.outcome = FETCH_OK, .status = 503};
	ledger_report(ledger);
	CHECK(world.posts == 1 && store->count == 1);
	world.web.status = 201;
	ledger_report(ledger);
	CHECK(world.posts == 2 && store->count == 0);
	count_one(TLS_FLAW_NONE);
	ledger_write(ledger);
	pass_s(4 * 86400);
	world.web.status = 503;
	ledger_report(ledger);
	CHECK(world.posts == 3 && store->count == 0); /* nobody wants it any more */
	ledger_close(&ledger);
}

TEST(reports_are_posted_and_given_up_after_days)
{
	run(posts);
}

static void unwanted(void)
{
	open_ledger();
	count_one(TLS_FLAW_NONE);
	ledger_write(ledger);
	CHECK(store->count == 0);
	hop = (struct policy_hop){.hop = {.domain = STR("example.org")}};
	ledger_add_hop(ledger, &hop); /* nothing is wrong with it */
	hop.sts_flaw = TLS_FLAW_STS_FETCH;
	ledger_add_hop(ledger, &hop);
	world.rpt_record = "v=TLSRPTv1; rua=mailto:reports@example.org";
	ledger_write(ledger);
	CHECK(store->count == 1);
	ledger_close(&ledger);
}

TEST(nothing_is_kept_for_who_wants_no_report)
{
	run(unwanted);
}
