/* The report of DMARC as others get it: XML, and a mail around it. */
#include "base/utf8.h"
#include "report/dmarc_book.h"
#include "wire/mail/date.h"
#include "wire/mail/transfer.h"

/* U+FFFE, U+FFFF */
static bool is_no_letter(struct str text)
{
	return str_starts(text, STR("\xef\xbf\xbe")) ||
	       str_starts(text, STR("\xef\xbf\xbf"));
}

/* XML 1.0 §2.2, §2.4: words of strangers may be anything. */
static void add_escaped(struct buf *xml, struct str text)
{
	bool is_utf8 = utf8_valid(text);

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '&')
			buf_add(xml, STR("&amp;"));
		else if (c == '<')
			buf_add(xml, STR("&lt;"));
		else if (c == '>')
			buf_add(xml, STR("&gt;"));
		else if (c < ' ' || c == 127 || (c > 127 && !is_utf8) ||
			 (is_utf8 &&
			  is_no_letter(str_skip(text, i)))) /* U+FFFE, U+FFFF */
			buf_add_byte(xml, '?'), i += c == 0xef && is_utf8 ? 2 : 0;
		else
			buf_add_byte(xml, (char)c);
	}
}

static void element(struct buf *xml, const char *name, struct str value)
{
	buf_printf(xml, "<%s>", name);
	add_escaped(xml, value);
	buf_printf(xml, "</%s>\n", name);
}

static void element_if(struct buf *xml, const char *name, struct str value)
{
	if (value.len > 0)
		element(xml, name, value);
}

static struct str pass_or_fail(bool is_passed)
{
	return is_passed ? STR("pass") : STR("fail");
}

static struct str mode(bool is_strict)
{
	return is_strict ? STR("s") : STR("r");
}

/* Mails that are not in the rows are not passed over in silence. */
static void add_metadata(struct buf *xml, const struct dmarc_book_head *head,
			 uint64_t others)
{
	buf_add(xml, STR("<report_metadata>\n"));
	element(xml, "org_name", head->submitter);
	buf_add(xml, STR("<email>postmaster@"));
	add_escaped(xml, head->submitter);
	buf_add(xml, STR("</email>\n"));
	buf_add(xml, STR("<report_id>")); /* as in Subject: RFC 9990 §3.1.4, §3.5.1 */
	add_escaped(xml, head->id);
	buf_add_byte(xml, '@');
	add_escaped(xml, head->submitter);
	buf_add(xml, STR("</report_id>\n"));
	buf_printf(xml, "<date_range><begin>%lld</begin><end>%lld</end></date_range>\n",
		   (long long)head->begin, (long long)head->end);
	if (others > 0)
		buf_printf(xml,
			   "<error>%llu more mails are not listed: they came from more "
			   "sources than are kept apart</error>\n",
			   (unsigned long long)others);
	buf_add(xml, STR("<generator>Postrider</generator>\n</report_metadata>\n"));
}

static void add_policy(struct buf *xml, struct str domain,
		       const struct dmarc_facts *facts)
{
	buf_add(xml, STR("<policy_published>\n"));
	element(xml, "domain", domain);
	element(xml, "discovery_method", STR("treewalk"));
	element(xml, "p", facts->p);
	element_if(xml, "sp", facts->sp);
	element_if(xml, "np", facts->np);
	element_if(xml, "fo", facts->fo);
	element(xml, "adkim", mode(facts->is_dkim_strict));
	element(xml, "aspf", mode(facts->is_spf_strict));
	element(xml, "testing", facts->is_testing ? STR("y") : STR("n"));
	buf_add(xml, STR("</policy_published>\n"));
}

static void add_results(struct buf *xml, const struct dmarc_facts *facts)
{
	buf_add(xml, STR("<auth_results>\n"));
	for (size_t i = 0; i < facts->signature_count; i++) {
		buf_add(xml, STR("<dkim>\n"));
		element(xml, "domain", facts->signatures[i].domain);
		element(xml, "selector", facts->signatures[i].selector);
		element(xml, "result", facts->signatures[i].result);
		buf_add(xml, STR("</dkim>\n"));
	}
	if (facts->spf_domain.len > 0) {
		buf_add(xml, STR("<spf>\n"));
		element(xml, "domain", facts->spf_domain);
		element(xml, "scope", STR("mfrom"));
		element(xml, "result", facts->spf_result);
		buf_add(xml, STR("</spf>\n"));
	}
	buf_add(xml, STR("</auth_results>\n"));
}

static void add_row(struct buf *xml, const struct dmarc_facts *facts, uint64_t count)
{
	char room[IP_TEXT_BYTES];

	buf_add(xml, STR("<record>\n<row>\n"));
	element(xml, "source_ip", ip_text(&facts->source, room));
	buf_printf(xml, "<count>%llu</count>\n<policy_evaluated>\n",
		   (unsigned long long)count);
	element(xml, "disposition", facts->disposition);
	element(xml, "dkim", pass_or_fail(facts->is_dkim_aligned));
	element(xml, "spf", pass_or_fail(facts->is_spf_aligned));
	if (facts->override.len > 0) {
		buf_add(xml, STR("<reason>"));
		element(xml, "type", facts->override);
		element_if(xml, "comment", facts->comment);
		buf_add(xml, STR("</reason>\n"));
	}
	buf_add(xml, STR("</policy_evaluated>\n</row>\n<identifiers>\n"));
	element(xml, "header_from", facts->header_from);
	element(xml, "envelope_from", facts->envelope_from); /* MAY be empty: for <> */
	buf_add(xml, STR("</identifiers>\n"));
	add_results(xml, facts);
	buf_add(xml, STR("</record>\n"));
}

void dmarc_book_xml(struct buf *xml, const struct dmarc_book_head *head,
		    const struct dmarc_book *book)
{
	struct dmarc_facts facts = {.p = STR("none")};

	(void)dmarc_book_read_policy(book->policy, &facts); /* ours; or none was kept */
	buf_add(xml, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n"
			 "<version>1.0</version>\n"));
	add_metadata(xml, head, book->others);
	add_policy(xml, head->domain, &facts);
	for (const struct dmarc_book_row *row = book->rows; row; row = row->next)
		if (dmarc_book_read_row(row->bytes, &facts))
			add_row(xml, &facts, row->count);
	buf_add(xml, STR("</feedback>\n"));
}

/* RFC 9990 §3.5.2: Subject and the file's name are prescribed. */
void dmarc_book_mail(struct buf *mail, const struct dmarc_book_head *head, struct str to,
		     struct str gzip, int64_t now)
{
	buf_printf(mail, "From: postmaster@%.*s\r\nTo: <%.*s>\r\nDate: ",
		   STR_FMT(head->submitter), STR_FMT(to));
	mail_date_add(mail, now, 0);
	buf_printf(mail,
		   "\r\nMessage-ID: <%.*s@%.*s>\r\n"
		   "Subject: Report Domain: %.*s\r\n Submitter: %.*s\r\n"
		   " Report-ID: <%.*s@%.*s>\r\nAuto-Submitted: auto-generated\r\n",
		   STR_FMT(head->id), STR_FMT(head->submitter), STR_FMT(head->domain),
		   STR_FMT(head->submitter), STR_FMT(head->id), STR_FMT(head->submitter));
	buf_printf(mail,
		   "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n"
		   " boundary=\"dmarc-%.*s\"\r\n\r\n"
		   "--dmarc-%.*s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		   "This is an aggregate report of mail in the name of\r\n"
		   "%.*s, from %.*s (DMARC, RFC 9990).\r\n\r\n"
		   "--dmarc-%.*s\r\nContent-Type: application/gzip\r\n"
		   "Content-Transfer-Encoding: base64\r\n"
		   "Content-Disposition: attachment;\r\n"
		   " filename=\"%.*s!%.*s!%lld!%lld.xml.gz\"\r\n\r\n",
		   STR_FMT(head->id), STR_FMT(head->id), STR_FMT(head->domain),
		   STR_FMT(head->submitter), STR_FMT(head->id), STR_FMT(head->submitter),
		   STR_FMT(head->domain), (long long)head->begin, (long long)head->end);
	mail_base64_add(mail, gzip);
	buf_printf(mail, "--dmarc-%.*s--\r\n", STR_FMT(head->id));
}
