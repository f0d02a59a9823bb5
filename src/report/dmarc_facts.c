/* What reports of DMARC need of a mail's verdicts. */
#include "mailauth/mailauth.h"
#include "report/dmarc_ledger.h"
#include "wire/auth/authres.h"

enum { RANKS = 4, COMMENT_EXTRA = 60 /* around a seal and a client */ };

/* RFC 9990 §3.1.3: strictly aligned, relaxed, good for another, the rest. */
static unsigned rank(const struct dmarc_verdict *dmarc,
		     const struct dkim_verdict_one *one)
{
	enum dmarc_alignment alignment = DMARC_UNALIGNED;

	if (one->result != DKIM_PASS)
		return 3;
	for (size_t i = 0; i < dmarc->identifier_count; i++)
		if (dmarc->identifiers[i].method == DMARC_BY_DKIM &&
		    str_same_nocase(dmarc->identifiers[i].domain, one->domain))
			alignment = dmarc->identifiers[i].alignment;
	switch (alignment) {
	case DMARC_STRICT:
		return 0;
	case DMARC_RELAXED:
		return 1;
	case DMARC_UNALIGNED:
	case DMARC_UNSURE:
		break;
	}
	return 2;
}

static void add_signatures(const struct mailauth_verdicts *verdicts,
			   struct dmarc_facts *facts)
{
	for (unsigned want = 0; want < RANKS; want++) {
		for (size_t i = 0; i < verdicts->dkim.count; i++) {
			const struct dkim_verdict_one *one =
				&verdicts->dkim.signatures[i];

			if (facts->signature_count == DMARC_FACTS_SIGNATURES_MAX)
				return;
			if (one->domain.len == 0 || rank(&verdicts->dmarc, one) != want)
				continue;
			facts->signatures[facts->signature_count++] =
				(struct dmarc_facts_signature){
					one->domain, one->selector,
					str_c(dkim_result_name(one->result))};
		}
	}
}

/* The options as the tag has them; unsaid is "0". */
static struct str options_text(unsigned options)
{
	static const char *const texts[] = {
		"",  "0",   "1",   "0:1",   "d",   "0:d",   "1:d",   "0:1:d",
		"s", "0:s", "1:s", "0:1:s", "d:s", "0:d:s", "1:d:s", "0:1:d:s",
	};

	return str_c(texts[options % COUNT_OF(texts)]);
}

/* The client of the first server that sealed it, as that one says: RFC 8617 §10.2. */
static struct str first_client(const struct arc_verdict *arc, struct arena *arena)
{
	struct authres found;
	struct ip ip;

	if (arc->count == 0 || !authres_parse(arc->sets[0].results, arena, &found))
		return STR("");
	for (size_t i = 0; i < found.count; i++) {
		struct str text = authres_value(&found.results[i], "smtp", "remote-ip");

		if (ip_parse(text, &ip))
			return text;
	}
	return STR("");
}

/* What the chain of seals says, beside an override: RFC 8617 §7.2.2. */
static struct str arc_comment(const struct arc_verdict *arc, struct arena *arena)
{
	SCOPED(buf_fini) struct buf text = BUF(16 * 1024);
	struct str client, kept = STR("");

	if (arc->result != ARC_PASS && arc->result != ARC_FAIL)
		return STR("");
	client = first_client(arc, arena);
	buf_printf(&text, "arc=%s", arc_result_name(arc->result));
	for (size_t i = arc->count; i-- > 0;) {
		const struct arc_verdict_one *set = &arc->sets[i];
		unsigned number = set->instance;

		if (text.len + set->domain.len + set->selector.len + client.len +
			    COMMENT_EXTRA >
		    DMARC_FACTS_COMMENT_MAX)
			break; /* the newest count most */
		if (set->domain.len > 0)
			buf_printf(&text, " as[%u].d=%.*s as[%u].s=%.*s", number,
				   STR_FMT(set->domain), number, STR_FMT(set->selector));
	}
	if (client.len > 0)
		buf_printf(&text, " remote-ip[1]=%.*s", STR_FMT(client));
	(void)arena_copy(arena, buf_str(&text), &kept); /* else it is left out */
	return kept;
}

bool dmarc_facts_of(const struct mailauth_facts *mail,
		    const struct mailauth_verdicts *verdicts, struct str disposition,
		    struct str override, struct arena *arena, struct dmarc_facts *facts)
{
	const struct dmarc_verdict *dmarc = &verdicts->dmarc;
	const struct dmarc_record *record = &dmarc->record;

	if (dmarc->policy_domain.len == 0 ||
	    (dmarc->result != DMARC_PASS && dmarc->result != DMARC_FAIL))
		return false;
	*facts = (struct dmarc_facts){
		.policy_domain = dmarc->policy_domain,
		.is_wanted = record->rua.count > 0,
		.p = str_c(dmarc_policy_name(record->p)),
		.sp = record->has_sp ? str_c(dmarc_policy_name(record->sp)) : STR(""),
		.np = record->has_np ? str_c(dmarc_policy_name(record->np)) : STR(""),
		.is_dkim_strict = record->is_dkim_strict,
		.is_spf_strict = record->is_spf_strict,
		.is_testing = record->is_testing,
		.fo = options_text(record->failure_options),
		.source = mail->ip,
		.disposition = disposition,
		.is_dkim_aligned = dmarc->is_dkim_aligned,
		.is_spf_aligned = dmarc->is_spf_aligned,
		.override = override,
		.comment =
			override.len > 0 ? arc_comment(&verdicts->arc, arena) : STR(""),
		.header_from = dmarc->author,
		.envelope_from =
			str_skip(mail->sender, str_rfind_byte(mail->sender, '@') + 1),
		.spf_domain = verdicts->spf.domain,
		.spf_result = str_c(spf_result_name(verdicts->spf.result)),
	};
	add_signatures(verdicts, facts);
	return true;
}
