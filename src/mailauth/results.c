#include <stdio.h>

#include "mailauth/mailauth.h"
#include "wire/auth/authres.h"

/* RFC 8601 §2.7.3 */
static void add_iprev(struct authres_writer *writer, const struct mailauth_facts *facts,
		      const struct iprev *iprev)
{
	char text[IP_TEXT_BYTES];

	authres_add(writer, "iprev", iprev_result_name(iprev->result));
	if (iprev->count > 0)
		authres_add_comment(writer, iprev->names[0]);
	authres_add_property(writer, "policy", "iprev", ip_text(&facts->ip, text));
}

/* RFC 8601 §2.7.2.  An explanation is a stranger's, and is left out. */
static void add_spf(struct authres_writer *writer, const struct spf_verdict *spf,
		    const char *name, struct str value)
{
	authres_add(writer, "spf", spf_result_name(spf->result));
	authres_add_reason(writer, spf->why.len > 0 ? spf->why : spf->mechanism);
	authres_add_property(writer, "smtp", name, value);
}

/* The first eight octets of the signature, which tell it from others of the same domain
 * (RFC 6008 §4). */
static struct str short_b(struct str b, char octets[8])
{
	size_t len = 0;

	for (size_t i = 0; i < b.len && len < 8; i++)
		if ((unsigned char)b.ptr[i] > ' ')
			octets[len++] = b.ptr[i];
	return (struct str){octets, len};
}

/* RFC 8601 §2.7.1 */
static void add_dkim(struct authres_writer *writer, const struct dkim_verdict *dkim)
{
	char octets[8];

	for (size_t i = 0; i < dkim->count; i++) {
		const struct dkim_verdict_one *one = &dkim->signatures[i];

		authres_add(writer, "dkim", dkim_result_name(one->result));
		if (one->is_testing)
			authres_add_comment(writer, STR("the domain is testing"));
		if (one->result != DKIM_PASS)
			authres_add_reason(writer, str_c(one->reason));
		authres_add_property(writer, "header", "d", one->domain);
		authres_add_property(writer, "header", "i", one->identity);
		authres_add_property(writer, "header", "s", one->selector);
		authres_add_property(writer, "header", "a", str_c(one->algorithm));
		authres_add_property(writer, "header", "b", short_b(one->b, octets));
	}
	if (dkim->count == 0)
		authres_add(writer, "dkim", "none");
}

/* RFC 9989 §9.1 */
static void add_dmarc(struct authres_writer *writer,
		      const struct mailauth_verdicts *verdicts)
{
	const struct dmarc_verdict *dmarc = &verdicts->dmarc;
	const struct arc_trust *trust = &verdicts->trust;
	SCOPED(buf_fini) struct buf text = BUF(400);

	authres_add(writer, "dmarc", dmarc_result_name(dmarc->result));
	if (trust->result == ARC_TRUSTED) {
		buf_printf(&text, "excused by ARC: %s passed at %.*s", trust->found,
			   STR_FMT(trust->sealer));
		authres_add_comment(writer, buf_str(&text));
	} else if (verdicts->exception.len > 0) {
		buf_printf(&text, "excused: %.*s is an exception here",
			   STR_FMT(verdicts->exception));
		authres_add_comment(writer, buf_str(&text));
	}
	authres_add_reason(writer, dmarc->why);
	authres_add_property(writer, "header", "from", dmarc->author);
	if (dmarc->policy_domain.len > 0)
		authres_add_property(writer, "policy", "dmarc",
				     str_c(dmarc_policy_name(dmarc->disposition)));
}

/* RFC 8617 §6, §10.1: there is none, fail and pass.  What cannot be told now is no pass.
 */
static void add_arc(struct authres_writer *writer, const struct mailauth_facts *facts,
		    const struct arc_verdict *arc)
{
	enum arc_result shown = arc->result == ARC_TEMPERROR ? ARC_FAIL : arc->result;
	char text[IP_TEXT_BYTES], oldest[16];

	authres_add(writer, "arc", arc_result_name(shown));
	if (arc->result == ARC_TEMPERROR)
		authres_add_comment(writer, STR("cannot be told now"));
	authres_add_reason(writer, arc->reason);
	if (arc->result == ARC_PASS) {
		(void)snprintf(oldest, sizeof oldest, "%u", arc->oldest_pass);
		authres_add_property(writer, "header", "oldest-pass", str_c(oldest));
	}
	if (arc->result != ARC_NONE)
		authres_add_property(writer, "smtp", "remote-ip",
				     ip_text(&facts->ip, text));
}

void mailauth_results_add(struct buf *buf, const struct mailauth_facts *facts,
			  const struct mailauth_verdicts *verdicts)
{
	struct authres_writer writer;

	authres_begin(&writer, buf, facts->receiver);
	add_iprev(&writer, facts, &verdicts->iprev);
	if (facts->sender.len > 0)
		add_spf(&writer, &verdicts->spf, "mailfrom", facts->sender);
	add_spf(&writer, &verdicts->spf_helo, "helo", facts->helo);
	add_dkim(&writer, &verdicts->dkim);
	add_dmarc(&writer, verdicts);
	if (facts->arc)
		add_arc(&writer, facts, &verdicts->arc);
	authres_end(&writer);
}
