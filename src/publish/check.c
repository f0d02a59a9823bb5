#include "publish/check.h"

#include "directory/dkim_rollover.h"
#include "mailauth/iprev.h"
#include "publish/judge.h"

const char *publish_state_name(enum publish_state state)
{
	switch (state) {
	case PUBLISH_RIGHT:
		return "right";
	case PUBLISH_MISSING:
		return "missing";
	case PUBLISH_WRONG:
		return "wrong";
	case PUBLISH_UNKNOWN:
		return "cannot tell now";
	case PUBLISH_OPTIONAL:
		break;
	}
	return "not needed";
}

/* ---- asking ------------------------------------------------------------------------ */

void judge_say(struct judge *judge, enum publish_state state, struct str sentence)
{
	judge->finding->state = state;
	judge->finding->sentence = sentence;
}

static struct str join(struct judge *judge, enum dns_type type,
		       const struct dns_answer *answer, struct str version)
{
	struct str all = STR("");

	for (size_t i = 0; i < answer->count; i++) {
		struct str one = publish_data(type, answer->records[i], judge->arena);

		if (!str_starts_nocase(one, version))
			continue;
		all = all.len == 0 ? one
				   : arena_printf(judge->arena, "%.*s\n%.*s",
						  STR_FMT(all), STR_FMT(one));
	}
	return all;
}

bool judge_ask(struct judge *judge, struct str name, enum dns_type type,
	       struct dns_answer *answer)
{
	dns_ask(&judge->asker->lookup, name, type, judge->arena, answer);
	if (answer->outcome == DNS_UNKNOWN) {
		judge_say(judge, PUBLISH_UNKNOWN,
			  arena_printf(judge->arena,
				       "The DNS gives no answer for %.*s now: %.*s.",
				       STR_FMT(name), STR_FMT(answer->why)));
		return false;
	}
	if (answer->outcome == DNS_BOGUS) {
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "The signatures (DNSSEC) at %.*s are wrong, so "
				       "that others take it for forged: %.*s.",
				       STR_FMT(name), STR_FMT(answer->why)));
		return false;
	}
	return true;
}

/* The same for a finding's own record, of which it says what is there.  False when
 * nothing is, too. */
static bool ask_own(struct judge *judge, const struct publish_record *record,
		    struct dns_answer *answer)
{
	if (!judge_ask(judge, record->name, record->type, answer))
		return false;
	judge->finding->found =
		join(judge, record->type, answer, publish_version(record->kind));
	if (judge->finding->found.len > 0)
		return true;
	judge_say(judge, PUBLISH_MISSING, STR("It is not there."));
	return false;
}

static bool has_data(struct judge *judge, const struct publish_record *record,
		     const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (str_same_nocase(
			    publish_data(record->type, answer->records[i], judge->arena),
			    record->data))
			return true;
	return false;
}

/* ---- addresses --------------------------------------------------------------------- */

/* Whether one of the name's addresses is ours; *is_unsure if that cannot be told now. */
static bool leads_to_us(struct judge *judge, struct str name, bool *is_unsure)
{
	const struct publish_facts *facts = judge->plan->facts;
	bool has = false;

	for (size_t i = 0; i < facts->address_count && !has; i++) {
		struct arena scratch;

		arena_init(&scratch, DNS_SCRATCH_BYTES);
		enum dns_outcome outcome = dns_lookup_has_ip(
			&judge->asker->lookup, name, &facts->addresses[i],
			(unsigned)facts->addresses[i].len * 8, &scratch, &has);

		*is_unsure |= outcome == DNS_UNKNOWN || outcome == DNS_BOGUS;
		arena_fini(&scratch);
	}
	return has;
}

static void check_mx(struct judge *judge, const struct publish_record *record)
{
	struct str others = STR("");
	struct dns_answer answer;
	struct dns_mx mx;
	bool is_ours = false, is_unsure = false;

	if (!ask_own(judge, record, &answer)) {
		if (judge->finding->state == PUBLISH_MISSING)
			judge->finding->sentence =
				STR("Nothing says that mail to this domain comes to this "
				    "server.");
		return;
	}
	for (size_t i = 0; i < answer.count; i++) {
		if (!dns_mx_read(answer.records[i], judge->arena, &mx))
			continue;
		if (str_same_nocase(mx.host, judge->plan->facts->host) ||
		    leads_to_us(judge, mx.host, &is_unsure))
			is_ours = true;
		else
			others = arena_printf(judge->arena, "%.*s %.*s", STR_FMT(others),
					      STR_FMT(mx.host));
	}
	if (!is_ours && is_unsure)
		judge_say(judge, PUBLISH_UNKNOWN,
			  arena_printf(judge->arena,
				       "Whether it leads to this server cannot be told "
				       "now:%.*s.",
				       STR_FMT(others)));
	else if (!is_ours)
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "Mail to this domain goes elsewhere:%.*s.",
				       STR_FMT(others)));
	else if (others.len > 0)
		judge_say(judge, PUBLISH_RIGHT,
			  arena_printf(judge->arena,
				       "It leads to this server; mail goes to others as "
				       "well:%.*s.",
				       STR_FMT(others)));
	else
		judge_say(judge, PUBLISH_RIGHT, STR("It leads to this server."));
}

/* An alias is no name for an MX record: RFC 2181 §10.3, RFC 5321 §5.1. */
static void check_address(struct judge *judge, const struct publish_record *record)
{
	struct dns_answer answer;

	if (!ask_own(judge, record, &answer)) {
		if (judge->finding->state == PUBLISH_MISSING)
			judge->finding->sentence =
				arena_printf(judge->arena, "%.*s has no such address.",
					     STR_FMT(record->name));
		return;
	}
	if (!str_same_nocase(answer.name, record->name) && answer.name.len > 0)
		judge_say(
			judge, PUBLISH_WRONG,
			arena_printf(judge->arena,
				     "%.*s is an alias (CNAME) of %.*s; a mail server's "
				     "name must not be one.",
				     STR_FMT(record->name), STR_FMT(answer.name)));
	else if (!record->ip)
		judge_say(judge, PUBLISH_UNKNOWN,
			  STR("It has an address; whether that is ours cannot be told."));
	else if (!has_data(judge, record, &answer))
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "%.*s leads elsewhere, and not to %.*s.",
				       STR_FMT(record->name), STR_FMT(record->data)));
	else
		judge_say(judge, PUBLISH_RIGHT, STR("It is an address of this server."));
}

static void check_ptr(struct judge *judge, const struct publish_record *record)
{
	char text[IP_TEXT_BYTES];
	struct str ip = ip_text(record->ip, text);
	struct dns_answer answer;
	struct iprev iprev;

	if (!ask_own(judge, record, &answer)) {
		if (judge->finding->state == PUBLISH_MISSING)
			judge->finding->sentence =
				arena_printf(judge->arena,
					     "%.*s has no name; many servers refuse mail "
					     "from such addresses.",
					     STR_FMT(ip));
		return;
	}
	iprev_check(&judge->asker->lookup, record->ip, judge->arena, &iprev);
	for (size_t i = 0; i < iprev.count; i++) {
		if (!str_same_nocase(iprev.names[i], judge->plan->facts->host) &&
		    !str_same_nocase(iprev.names[i], judge->asker->hello))
			continue;
		judge_say(judge, PUBLISH_RIGHT,
			  STR("The name leads back to the address."));
		return;
	}
	if (iprev.result == IPREV_TEMPERROR)
		judge_say(judge, PUBLISH_UNKNOWN,
			  STR("The DNS does not say now whether the name leads back."));
	else if (iprev.result == IPREV_PASS)
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "%.*s has another name than the one that this "
				       "server says it has.",
				       STR_FMT(ip)));
	else
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "The name of %.*s does not lead back to it.",
				       STR_FMT(ip)));
}

/* ---- TLS and services -------------------------------------------------------------- */

/* A certificate that no record fits stops mail from everybody who checks: RFC 7672 §2.2.
 */
static void check_tlsa(struct judge *judge, const struct publish_record *record)
{
	struct dns_answer answer;
	bool has_ours = false;

	if (!ask_own(judge, record, &answer)) {
		if (judge->finding->state == PUBLISH_MISSING && !answer.is_secure)
			judge_say(judge, PUBLISH_OPTIONAL,
				  STR("It is not there; it would count only in a signed "
				      "zone (DNSSEC)."));
		return;
	}
	for (size_t i = 0; i < judge->plan->count; i++)
		if (judge->plan->records[i].kind == PUBLISH_TLSA)
			has_ours |= has_data(judge, &judge->plan->records[i], &answer);
	if (has_data(judge, record, &answer))
		judge_say(judge, PUBLISH_RIGHT,
			  answer.is_secure
				  ? STR("It fits the certificate's key.")
				  : STR("It fits the certificate's key; nobody heeds it, "
					"since the zone is not known to be signed."));
	else if (has_ours)
		judge_say(judge, PUBLISH_MISSING,
			  STR("This key is not there yet; others of ours are."));
	else
		judge_say(judge, PUBLISH_WRONG,
			  STR("It fits no key of this server, so servers that heed DANE "
			      "do not deliver mail here."));
}

/* Priorities and weights may be others. */
static void check_srv(struct judge *judge, const struct publish_record *record)
{
	struct str port_host = record->data;
	struct dns_answer answer;
	struct dns_srv srv;

	(void)str_cut(&port_host, ' '); /* priority */
	(void)str_cut(&port_host, ' '); /* weight */
	if (!ask_own(judge, record, &answer))
		return;
	for (size_t i = 0; i < answer.count; i++) {
		if (!dns_srv_read(answer.records[i], judge->arena, &srv) ||
		    !str_same_nocase(arena_printf(judge->arena, "%u %.*s.", srv.port,
						  STR_FMT(srv.host)),
				     port_host))
			continue;
		judge_say(judge, PUBLISH_RIGHT, STR("It leads to this server."));
		return;
	}
	judge_say(judge, PUBLISH_WRONG, STR("It leads mail programs elsewhere."));
}

/* Any way to an address will do. */
static void check_alias(struct judge *judge, const struct publish_record *record)
{
	struct dns_answer answer;

	if (!judge_ask(judge, record->name, DNS_CNAME, &answer))
		return;
	if (answer.outcome == DNS_FOUND)
		judge->finding->found = join(judge, DNS_CNAME, &answer, STR(""));
	if (judge_ask(judge, record->name, DNS_A, &answer) && answer.outcome == DNS_NONE)
		(void)judge_ask(judge, record->name, DNS_AAAA, &answer);
	if (answer.outcome == DNS_FOUND)
		judge_say(judge, PUBLISH_RIGHT, STR("There is such a name."));
	else if (answer.outcome == DNS_NONE)
		judge_say(judge, PUBLISH_OPTIONAL, STR("There is no such name."));
}

static void check_caa(struct judge *judge, const struct publish_record *record)
{
	struct dns_answer answer;

	if (ask_own(judge, record, &answer))
		judge_say(judge, PUBLISH_RIGHT,
			  STR("It says who may certify this server; see that your "
			      "authority is among them."));
	else if (judge->finding->state == PUBLISH_MISSING)
		judge_say(judge, PUBLISH_OPTIONAL,
			  STR("Any authority may certify this server."));
}

/* ---- texts ------------------------------------------------------------------------- */

static void check_dkim(struct judge *judge, const struct publish_record *record)
{
	struct dns_answer answer;
	struct str text;

	if (!ask_own(judge, record, &answer)) {
		if (judge->finding->state == PUBLISH_MISSING)
			judge->finding->sentence =
				STR("It is not there, so mail that this key signs counts "
				    "as not signed.");
		return;
	}
	for (size_t i = 0; i < answer.count; i++) {
		if (!dns_txt_read(answer.records[i], judge->arena, &text) ||
		    !dkim_rollover_is_same(text, record->data, judge->arena))
			continue;
		judge_say(judge, PUBLISH_RIGHT, STR("It is our key."));
		return;
	}
	judge_say(judge, PUBLISH_WRONG,
		  STR("It is not our key, so mail that ours has signed counts as "
		      "forged."));
}

static void check_text(struct judge *judge, const struct publish_record *record)
{
	struct dns_answer answer;

	if (ask_own(judge, record, &answer)) {
		if (str_find_byte(judge->finding->found, '\n') <
		    judge->finding->found.len)
			judge_say(judge, PUBLISH_WRONG,
				  STR("There is more than one, so none of them counts."));
		else
			judge_text(judge, judge->finding->found);
		return;
	}
	if (judge->finding->state != PUBLISH_MISSING)
		return;
	if (record->kind == PUBLISH_MTA_STS || record->kind == PUBLISH_TLS_RPT)
		judge_say(judge, PUBLISH_OPTIONAL,
			  STR("It is not there; mail comes without it."));
}

static void check_record(struct judge *judge, const struct publish_record *record)
{
	switch (record->kind) {
	case PUBLISH_MX:
		check_mx(judge, record);
		break;
	case PUBLISH_ADDRESS:
		check_address(judge, record);
		break;
	case PUBLISH_PTR:
		check_ptr(judge, record);
		break;
	case PUBLISH_DKIM:
		check_dkim(judge, record);
		break;
	case PUBLISH_TLSA:
		check_tlsa(judge, record);
		break;
	case PUBLISH_MTA_STS:
		if (record->type == DNS_CNAME)
			check_alias(judge, record);
		else
			check_text(judge, record);
		break;
	case PUBLISH_SPF:
	case PUBLISH_DMARC:
	case PUBLISH_TLS_RPT:
		check_text(judge, record);
		break;
	case PUBLISH_SRV:
		check_srv(judge, record);
		break;
	case PUBLISH_CAA:
		check_caa(judge, record);
		break;
	case PUBLISH_AUTOCONFIG:
		check_alias(judge, record);
		break;
	case PUBLISH_DNSSEC:
		break;
	}
}

/* ---- the whole --------------------------------------------------------------------- */

static struct publish_finding *next_finding(struct publish_report *report,
					    enum publish_kind kind, struct str name)
{
	struct publish_finding *finding = &report->findings[report->count++];

	*finding = (struct publish_finding){.kind = kind,
					    .state = PUBLISH_UNKNOWN,
					    .name = name,
					    .sentence = STR("The DNS gives no answer.")};
	return finding;
}

static void check_signed(struct judge *judge, struct str domain)
{
	struct dns_answer answer;

	if (!judge_ask(judge, domain, DNS_MX, &answer))
		return;
	if (answer.is_secure)
		judge_say(judge, PUBLISH_RIGHT, STR("The domain is signed (DNSSEC)."));
	else
		judge_say(judge, PUBLISH_OPTIONAL,
			  STR("The domain is not signed (DNSSEC), or whom we asked does "
			      "not show it; without it DANE does not count."));
}

static void count(struct publish_report *report, enum publish_state state)
{
	switch (state) {
	case PUBLISH_RIGHT:
		report->right++;
		break;
	case PUBLISH_MISSING:
		report->missing++;
		break;
	case PUBLISH_WRONG:
		report->wrong++;
		break;
	case PUBLISH_UNKNOWN:
		report->unknown++;
		break;
	case PUBLISH_OPTIONAL:
		break;
	}
}

static struct str verdict(const struct publish_report *report, struct str domain,
			  struct arena *arena)
{
	if (report->missing + report->wrong + report->unknown == 0)
		return arena_printf(arena, "All that %.*s needs is in the DNS.",
				    STR_FMT(domain));
	if (report->unknown == report->count)
		return arena_printf(
			arena,
			"Nothing of %.*s could be asked in time: no name server "
			"answers.  See that this machine reaches the Internet, "
			"and dns.server or --dns if one of them is set.",
			STR_FMT(domain));
	if (report->missing + report->wrong == 0)
		return arena_printf(arena,
				    "Nothing of %.*s is known to be wrong, but %u could "
				    "not be told now.",
				    STR_FMT(domain), report->unknown);
	return arena_printf(arena,
			    "The DNS of %.*s needs work: %u missing, %u wrong, %u that "
			    "could not be told now.",
			    STR_FMT(domain), report->missing, report->wrong,
			    report->unknown);
}

static void make_finding(void *arg)
{
	struct judge *judge = arg;

	if (judge->finding->record)
		check_record(judge, judge->finding->record);
	else
		check_signed(judge, judge->plan->facts->domain);
}

/* Names all that is to be looked at. */
static void list_findings(const struct publish_plan *plan, struct publish_report *report)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct publish_record *record = &plan->records[i];

		if (record->is_over)
			continue;
		struct publish_finding *finding =
			next_finding(report, record->kind, record->name);

		finding->record = record;
		finding->type = record->type;
		finding->wanted = record->data;
	}
	(void)next_finding(report, PUBLISH_DNSSEC, plan->facts->domain);
}

bool publish_check(const struct publish_asker *asker, const struct publish_plan *plan,
		   struct arena *arena, struct publish_report *report)
{
	size_t room = plan->count + 1;
	struct errand *list = ARENA_ARRAY(arena, struct errand, room);
	struct judge *judges = ARENA_ARRAY(arena, struct judge, room);
	struct publish_asker shared = *asker;
	struct errands errands = {.list = list};
	struct dns_errands dns = {&asker->lookup, &errands};

	*report = (struct publish_report){
		.findings = ARENA_ARRAY(arena, struct publish_finding, room)};
	if (!report->findings || !list || !judges)
		return false;
	shared.lookup = dns_errands_lookup(&dns);
	list_findings(plan, report);
	for (; errands.count < report->count; errands.count++) {
		judges[errands.count] = (struct judge){&shared, plan, arena,
						       &report->findings[errands.count]};
		list[errands.count] = (struct errand){.run = make_finding,
						      .arg = &judges[errands.count]};
	}
	errands_run(&errands);
	for (size_t i = 0; i < report->count; i++)
		count(report, report->findings[i].state);
	report->verdict = verdict(report, plan->facts->domain, arena);
	return true;
}
