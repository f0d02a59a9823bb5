#include "report/failure.h"

#include "wire/auth/authres.h"
#include "wire/mail/header.h"

enum { REDACT_ARENA_BYTES = 1024 * 1024, RESULTS_BYTES_MAX = 4096, NAME_BYTES_MAX = 700 };

/* ---- whether ----------------------------------------------------------------------- */

/* What machines write is answered by none: there would be no end (RFC 9991 §5.1). */
static bool is_by_machine(const struct mailauth_facts *facts)
{
	struct mail_fields fields = mail_fields_over(facts->header);
	struct mail_field field;

	if (facts->sender.len == 0)
		return true;
	while (mail_fields_next(&fields, &field)) {
		struct str value = str_trim(field.value);

		if (str_same_nocase(field.name, STR("Auto-Submitted")) &&
		    !str_starts_nocase(value, STR("no")))
			return true;
		if (str_same_nocase(field.name, STR("Content-Type")) &&
		    str_starts_nocase(value, STR("multipart/report")))
			return true;
	}
	return false;
}

static bool has_failed(enum dkim_result result)
{
	switch (result) {
	case DKIM_FAIL:
	case DKIM_PERMERROR:
		return true;
	case DKIM_NONE:
	case DKIM_PASS:
	case DKIM_POLICY:
	case DKIM_NEUTRAL:
	case DKIM_TEMPERROR: /* cannot tell now: no failure */
		break;
	}
	return false;
}

static bool is_within_either(struct str a, struct str b)
{
	return dmarc_is_within(a, b) || dmarc_is_within(b, a);
}

/* The signature that failed: of the author's domain rather than of another; or NULL. */
static const struct dkim_verdict_one *failed_signature(const struct mailauth_verdicts *v)
{
	const struct dkim_verdict_one *found = NULL;

	for (size_t i = 0; i < v->dkim.count; i++) {
		const struct dkim_verdict_one *one = &v->dkim.signatures[i];

		if (!has_failed(one->result))
			continue;
		if (is_within_either(one->domain, v->dmarc.author))
			return one;
		found = found ? found : one;
	}
	return found;
}

static bool has_spf_failed(enum spf_result result)
{
	switch (result) {
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_PERMERROR:
		return true;
	case SPF_NONE:
	case SPF_NEUTRAL:
	case SPF_PASS:
	case SPF_TEMPERROR:
		break;
	}
	return false;
}

/* Of one that passes: the other method has not. */
static bool has_part_failed(const struct mailauth_verdicts *v)
{
	return (!v->dmarc.is_dkim_aligned && v->dkim.result != DKIM_TEMPERROR) ||
	       (!v->dmarc.is_spf_aligned && v->spf.result != SPF_TEMPERROR);
}

enum failure_kind failure_wanted(const struct mailauth_facts *facts,
				 const struct mailauth_verdicts *verdicts)
{
	const struct dmarc_verdict *dmarc = &verdicts->dmarc;
	unsigned options = dmarc->record.failure_options;

	/* RFC 9991 §2: not for public suffixes. */
	if ((dmarc->result != DMARC_PASS && dmarc->result != DMARC_FAIL) ||
	    dmarc->policy_domain.len == 0 || dmarc->record.ruf.count == 0 ||
	    dmarc->record.psd == DMARC_PSD_YES || is_by_machine(facts))
		return FAILURE_NONE;
	if (options & (DMARC_FO_ALL | DMARC_FO_ANY) && dmarc->result == DMARC_FAIL)
		return FAILURE_DMARC;
	if (options & DMARC_FO_ANY && has_part_failed(verdicts))
		return FAILURE_DMARC;
	if (options & DMARC_FO_DKIM && failed_signature(verdicts))
		return FAILURE_DKIM;
	if (options & DMARC_FO_SPF && has_spf_failed(verdicts->spf.result))
		return FAILURE_SPF;
	return FAILURE_NONE;
}

/* ---- what -------------------------------------------------------------------------- */

/* RFC 6591 §3.3, RFC 9991 §4 */
static const char *type_of(enum failure_kind kind, const struct dkim_verdict_one *one)
{
	switch (kind) {
	case FAILURE_DMARC:
	case FAILURE_NONE:
		break;
	case FAILURE_SPF:
		return "spf";
	case FAILURE_DKIM:
		return str_find(str_c(one->reason), STR("body hash")) <
				       strlen(one->reason)
			       ? "bodyhash"
			       : "signature";
	}
	return "dmarc";
}

/* Those that proved nothing of the author: RFC 9991 §4. */
static const char *alignment_of(const struct dmarc_verdict *dmarc)
{
	if (!dmarc->is_dkim_aligned && !dmarc->is_spf_aligned)
		return "dkim, spf";
	if (!dmarc->is_dkim_aligned)
		return "dkim";
	return dmarc->is_spf_aligned ? "none" : "spf";
}

/* RFC 6591 §3.1: of a single method. */
static void add_results(struct buf *buf, const struct failure_event *event,
			const struct failure *failure, const struct dkim_verdict_one *one)
{
	const struct mailauth_verdicts *v = event->verdicts;
	struct authres_writer writer;

	authres_begin(&writer, buf, event->facts->receiver);
	switch (failure->kind) {
	case FAILURE_NONE:
	case FAILURE_DMARC:
		authres_add(&writer, "dmarc", dmarc_result_name(v->dmarc.result));
		authres_add_property(&writer, "header", "from", v->dmarc.author);
		break;
	case FAILURE_DKIM:
		authres_add(&writer, "dkim", dkim_result_name(one->result));
		authres_add_reason(&writer, str_c(one->reason));
		authres_add_property(&writer, "header", "d", one->domain);
		authres_add_property(&writer, "header", "s", one->selector);
		break;
	case FAILURE_SPF:
		authres_add(&writer, "spf", spf_result_name(v->spf.result));
		authres_add_property(&writer, "smtp", "mailfrom", failure->mail_from);
		break;
	}
	authres_end(&writer);
}

static bool keep(struct arena *arena, struct str text, struct str *kept)
{
	return arena_copy(arena, str_first(text, NAME_BYTES_MAX), kept);
}

static bool keep_address(struct str address, struct hash_key key, struct arena *arena,
			 struct str *kept)
{
	SCOPED(buf_fini) struct buf text = BUF(NAME_BYTES_MAX);

	mail_redact_address(address, key, &text);
	return buf_ok(&text) && arena_copy(arena, buf_str(&text), kept);
}

static bool keep_signature(const struct dkim_verdict_one *one, struct hash_key key,
			   struct arena *arena, struct failure *failure)
{
	struct str identity = one->identity;

	if (identity.len == 0)
		identity = arena_printf(arena, "@%.*s", STR_FMT(one->domain));
	return keep(arena, one->domain, &failure->dkim_domain) &&
	       keep(arena, one->selector, &failure->dkim_selector) &&
	       keep_address(identity, key, arena, &failure->dkim_identity);
}

static bool keep_spf(const struct spf_verdict *spf, struct arena *arena,
		     struct failure *failure)
{
	bool is_other =
		spf->record_of.len > 0 && !str_same_nocase(spf->record_of, spf->domain);

	return keep(arena, spf->domain, &failure->spf_domains[0]) &&
	       (!is_other || keep(arena, spf->record_of, &failure->spf_domains[1]));
}

static bool keep_header(struct str header, struct hash_key key, struct arena *arena,
			struct failure *failure)
{
	SCOPED(arena_fini) struct arena scratch;
	SCOPED(buf_fini) struct buf text = BUF(FAILURE_HEADER_MAX);

	arena_init(&scratch, REDACT_ARENA_BYTES);
	mail_redact(header, key, &scratch, &text);
	return arena_copy(arena, buf_str(&text), &failure->header);
}

bool failure_fill(const struct failure_event *event, enum failure_kind kind,
		  struct hash_key key, struct arena *arena, struct failure *failure)
{
	const struct mailauth_verdicts *v = event->verdicts;
	const struct dkim_verdict_one *one = failed_signature(v);
	SCOPED(buf_fini) struct buf results = BUF(RESULTS_BYTES_MAX);
	char source[IP_TEXT_BYTES];

	*failure = (struct failure){.kind = kind,
				    .type = type_of(kind, one),
				    .alignment = alignment_of(&v->dmarc),
				    .delivery = event->delivery,
				    .received_at = event->received_at,
				    .incidents = 1};
	if (!keep(arena, v->dmarc.policy_domain, &failure->policy_domain) ||
	    !keep(arena, v->dmarc.author, &failure->author) ||
	    !keep(arena, event->id, &failure->id) ||
	    !keep(arena, ip_text(&event->facts->ip, source), &failure->source) ||
	    !keep_address(event->facts->sender, key, arena, &failure->mail_from) ||
	    !keep_header(event->facts->header, key, arena, failure))
		return false;
	if (one && kind != FAILURE_SPF && !keep_signature(one, key, arena, failure))
		return false;
	if (v->spf.result != SPF_PASS && kind != FAILURE_DKIM &&
	    !keep_spf(&v->spf, arena, failure))
		return false;
	add_results(&results, event, failure, one);
	return buf_ok(&results) &&
	       arena_copy(arena, buf_str(&results), &failure->results);
}
