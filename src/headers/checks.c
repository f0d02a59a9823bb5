#include "headers/part.h"
#include "mailauth/arc_verify.h"
#include "text/alabel.h"

/* Not done, and why. */
static void pass_over(struct work *work, enum headers_method method, const char *why)
{
	work->headers->checks[method] = (struct headers_check){
		.sentence =
			arena_printf(work->arena, "It cannot be re-checked: %s.", why)};
}

/* Who sent it, by the envelope: SPF asks that domain, in A-labels. */
static struct str envelope_sender(struct work *work, const struct headers_hop *edge)
{
	struct headers *headers = work->headers;
	struct str sender =
		headers->has_return_path ? headers->return_path : edge->received.sender;
	size_t at = str_rfind_byte(sender, '@');
	struct str domain;

	if (at == sender.len ||
	    !alabel_name(str_skip(sender, at + 1), work->arena, &domain))
		return STR("");
	return arena_printf(work->arena, "%.*s@%.*s", (int)at, sender.ptr,
			    STR_FMT(domain));
}

static void check_spf(void *arg)
{
	struct work *work = arg;
	struct headers *headers = work->headers;
	const struct headers_hop *edge =
		headers->edge < headers->hop_count ? &headers->hops[headers->edge] : NULL;

	if (!edge || !edge->received.has_ip) {
		pass_over(work, HEADERS_SPF,
			  "no Received field that counts says from which address the "
			  "mail came");
		return;
	}
	if (!ip_is_public(&edge->received.ip)) {
		pass_over(work, HEADERS_SPF,
			  "it came from an address that is none of the Internet");
		return;
	}
	if (!headers->has_return_path && edge->received.sender.len == 0) {
		pass_over(work, HEADERS_SPF,
			  "no Return-Path says who the envelope's sender is");
		return;
	}
	struct spf_query query = {.ip = edge->received.ip,
				  .helo = edge->received.helo,
				  .sender = envelope_sender(work, edge),
				  .receiver = headers->trusted};

	spf_check(&work->lookup, &query, SPF_MAIL_FROM, work->arena, &work->spf);
	work->has_spf = true;
	headers->checks[HEADERS_SPF] =
		(struct headers_check){.is_done = true,
				       .result = str_c(spf_result_name(work->spf.result)),
				       .about = work->spf.domain,
				       .sentence = work->spf.sentence};
}

/* Whether all that signatures cover is there; false: it was said why not. */
static bool is_as_it_was(struct work *work, enum headers_method method)
{
	if (!work->headers->has_body)
		pass_over(work, method, "no body");
	else if (work->headers->mended > 0)
		pass_over(work, method,
			  "the header had to be mended, so that it is not as it was "
			  "signed");
	else
		return true;
	return false;
}

static struct dkim_message *whole_mail(struct work *work)
{
	const struct headers_query *query = work->query;

	return dkim_message_begin(str_first(query->text, query->pasted.header_len),
				  work->arena);
}

static void feed(struct work *work, struct dkim_message *message)
{
	dkim_message_feed(message,
			  str_skip(work->query->text, work->query->pasted.header_len));
}

static void check_dkim(void *arg)
{
	struct work *work = arg;
	const struct headers_query *query = work->query;
	struct headers *headers = work->headers;

	if (headers_count(work, "DKIM-Signature") == 0) {
		work->has_dkim = headers->has_body && headers->mended == 0;
		headers->checks[HEADERS_DKIM] = (struct headers_check){
			.is_done = true,
			.result = STR("none"),
			.sentence = STR("The mail has no signature.")};
		return;
	}
	if (!is_as_it_was(work, HEADERS_DKIM))
		return;
	SCOPED(dkim_message_free)
	struct dkim_message *message = whole_mail(work);
	SCOPED(dkim_verify_free)
	struct dkim_verify *verify = dkim_verify_begin(message, query->now_s);

	feed(work, message);
	dkim_verify_end(verify, &work->lookup, &work->dkim);
	work->has_dkim = true;
	headers->checks[HEADERS_DKIM] = (struct headers_check){
		.is_done = true,
		.result = str_c(dkim_result_name(work->dkim.result)),
		.about = work->dkim.count > 0 ? work->dkim.signatures[0].domain : STR(""),
		.sentence = work->dkim.sentence};
}

static void check_arc(void *arg)
{
	struct work *work = arg;
	const struct headers_query *query = work->query;
	struct arc_verdict arc;

	if (headers_count(work, "ARC-Seal") == 0) {
		pass_over(work, HEADERS_ARC, "no server sealed it");
		return;
	}
	if (!is_as_it_was(work, HEADERS_ARC))
		return;
	SCOPED(dkim_message_free)
	struct dkim_message *message = whole_mail(work);
	SCOPED(arc_verify_free)
	struct arc_verify *verify = arc_verify_begin(message, query->now_s);

	feed(work, message);
	arc_verify_end(verify, &work->lookup, &arc);
	work->headers->checks[HEADERS_ARC] = (struct headers_check){
		.is_done = true,
		.result = str_c(arc_result_name(arc.result)),
		.about = arc.count > 0 ? arc.sets[arc.count - 1].domain : STR(""),
		.sentence = arc.sentence};
}

/* A failure only counts if both SPF and DKIM could be asked. */
static void check_dmarc(struct work *work)
{
	struct headers *headers = work->headers;
	struct dmarc_query query = {.authors = &work->authors,
				    .spf = work->has_spf ? &work->spf : NULL,
				    .dkim = &work->dkim,
				    .tree = &work->policies};

	dmarc_check(&work->lookup, &query, work->arena, &work->dmarc);
	if (work->dmarc.result == DMARC_FAIL && !work->has_spf) {
		pass_over(work, HEADERS_DMARC,
			  "it is not known from where the mail came");
		return;
	}
	if (work->dmarc.result == DMARC_FAIL && !work->has_dkim) {
		pass_over(
			work, HEADERS_DMARC,
			"SPF does not prove the sender, and without the whole mail DKIM "
			"cannot be asked");
		return;
	}
	work->has_dmarc = true;
	headers->checks[HEADERS_DMARC] = (struct headers_check){
		.is_done = true,
		.result = str_c(dmarc_result_name(work->dmarc.result)),
		.about = work->dmarc.author,
		.sentence = work->dmarc.sentence};
}

static void find_policies(void *arg)
{
	struct work *work = arg;

	dmarc_foresee(&work->authors, &work->policies);
}

/* They wait together for the DNS. */
static void check_parts(struct work *work)
{
	struct errand list[] = {{.run = check_spf, .arg = work},
				{.run = check_dkim, .arg = work},
				{.run = check_arc, .arg = work},
				{.run = find_policies, .arg = work}};
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	struct dns_errands dns = {work->query->lookup, &errands};

	work->lookup = dns_errands_lookup(&dns);
	dmarc_authors_find(str_first(work->query->text, work->query->pasted.header_len),
			   work->arena, &work->authors);
	dmarc_tree_init(&work->policies, &work->lookup, work->arena);
	errands_run(&errands);
	work->lookup = *work->query->lookup;
}

void headers_check_now(struct work *work)
{
	if (!work->query->lookup) {
		for (size_t i = 0; i < HEADERS_METHODS; i++)
			pass_over(work, (enum headers_method)i, "nobody can ask the DNS");
		return;
	}
	check_parts(work);
	check_dmarc(work);
}
