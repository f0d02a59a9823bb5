/* The report of one mail, as others get it. */
#include "report/failure.h"
#include "wire/mail/date.h"

enum { RECORD_MAX = 600 };

/* Words of strangers may be anything. */
static void add_clean(struct buf *mail, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		buf_add_byte(mail, c >= ' ' && c < 127 ? c : '?');
	}
}

static void add_field(struct buf *mail, const char *name, struct str value)
{
	if (value.len == 0)
		return;
	buf_printf(mail, "%s: ", name);
	add_clean(mail, value);
	buf_add_c(mail, "\r\n");
}

/* RFC 6591 §4: SPF-DNS */
static void add_record(struct buf *mail, struct str domain, struct str record)
{
	if (domain.len == 0 || record.len == 0)
		return;
	buf_add_c(mail, "SPF-DNS: txt : ");
	add_clean(mail, domain);
	buf_add_c(mail, " : \"");
	for (size_t i = 0; i < record.len && i < RECORD_MAX; i++) {
		if (record.ptr[i] == '"' || record.ptr[i] == '\\')
			buf_add_byte(mail, '\\');
		add_clean(mail, (struct str){record.ptr + i, 1});
	}
	buf_add_c(mail, "\"\r\n");
}

/* Deviates: RFC 5965 §2 wants the mail's own Subject, which is not for others to read. */
static void add_header(struct buf *mail, const struct failure_head *head,
		       const struct failure *failure)
{
	buf_printf(mail, "From: postmaster@%.*s\r\nTo: <%.*s>\r\nDate: ",
		   STR_FMT(head->submitter), STR_FMT(head->to));
	mail_date_add(mail, head->now, 0);
	buf_printf(mail,
		   "\r\nMessage-ID: <%.*s.failure@%.*s>\r\n"
		   "Subject: Failure Report Domain: %.*s\r\n Submitter: %.*s\r\n"
		   "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/report; report-type=feedback-report;\r\n"
		   " boundary=\"failure-%.*s\"\r\n\r\n",
		   STR_FMT(failure->id), STR_FMT(head->submitter),
		   STR_FMT(failure->author), STR_FMT(head->submitter),
		   STR_FMT(failure->id));
}

static void add_words(struct buf *mail, const struct failure_head *head,
		      const struct failure *failure)
{
	buf_printf(mail,
		   "--failure-%.*s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		   "A mail that calls itself of %.*s came to %.*s\r\n"
		   "from %.*s on ",
		   STR_FMT(failure->id), STR_FMT(failure->author),
		   STR_FMT(head->submitter), STR_FMT(failure->source));
	mail_date_add(mail, failure->received_at, 0);
	buf_printf(mail,
		   ".\r\nNot all that could prove this is good.  The DMARC record of\r\n"
		   "%.*s asks for this report (RFC 9991).  What people\r\n"
		   "wrote, and who they are, was taken out of it.\r\n\r\n",
		   STR_FMT(failure->policy_domain));
}

/* RFC 5965 §3, RFC 6591 §3.1, RFC 9991 §4 */
static void add_feedback(struct buf *mail, const struct failure_head *head,
			 const struct failure *failure)
{
	buf_printf(
		mail,
		"--failure-%.*s\r\nContent-Type: message/feedback-report\r\n\r\n"
		"Feedback-Type: auth-failure\r\nUser-Agent: Postrider\r\nVersion: 1\r\n",
		STR_FMT(failure->id));
	add_field(mail, "Auth-Failure", str_c(failure->type));
	buf_add(mail, failure->results);
	if (failure->kind == FAILURE_DMARC)
		add_field(mail, "Identity-Alignment", str_c(failure->alignment));
	add_field(mail, "Delivery-Result", str_c(failure->delivery));
	buf_add_c(mail, "Arrival-Date: ");
	mail_date_add(mail, failure->received_at, 0);
	buf_printf(mail, "\r\nReporting-MTA: dns; %.*s\r\nIncidents: %llu\r\n",
		   STR_FMT(head->hostname), (unsigned long long)failure->incidents);
	add_field(mail, "Source-IP", failure->source);
	add_field(mail, "Original-Envelope-Id", failure->id);
	buf_add_c(mail, "Original-Mail-From: <");
	add_clean(mail, failure->mail_from);
	buf_add_c(mail, ">\r\n");
	add_field(mail, "Reported-Domain", failure->author);
	add_field(mail, "DKIM-Domain", failure->dkim_domain);
	add_field(mail, "DKIM-Identity", failure->dkim_identity);
	add_field(mail, "DKIM-Selector", failure->dkim_selector);
	for (size_t i = 0; i < FAILURE_SPF_MAX; i++)
		add_record(mail, failure->spf_domains[i], failure->spf_records[i]);
	buf_add_c(mail, "\r\n");
}

void failure_mail(struct buf *mail, const struct failure_head *head,
		  const struct failure *failure)
{
	add_header(mail, head, failure);
	add_words(mail, head, failure);
	add_feedback(mail, head, failure);
	buf_printf(mail, "--failure-%.*s\r\nContent-Type: text/rfc822-headers\r\n\r\n",
		   STR_FMT(failure->id));
	buf_add(mail, failure->header);
	buf_printf(mail, "\r\n--failure-%.*s--\r\n", STR_FMT(failure->id));
}
