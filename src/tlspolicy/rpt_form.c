/* The report as others get it: JSON, gzip, a mail. */
#include <jansson.h>

#include "base/civil.h"
#include "tlspolicy/rpt.h"
#include "wire/mail/date.h"
#include "wire/mail/transfer.h"

/* Words of others may be anything; JSON is UTF-8. */
static json_t *text(struct str s)
{
	json_t *made = json_stringn(s.ptr ? s.ptr : "", s.len);

	return made ? made : json_string("");
}

static json_t *list(const struct str *strings, size_t count)
{
	json_t *made = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(made, text(strings[i]));
	return made;
}

static void put_text(json_t *object, const char *name, struct str value)
{
	if (value.len > 0)
		(void)json_object_set_new(object, name, text(value));
}

static json_t *detail_json(const struct rpt_detail *detail)
{
	json_t *made = json_pack("{s:s,s:I}", "result-type", tls_flaw_name(detail->flaw),
				 "failed-session-count", (json_int_t)detail->sessions);

	put_text(made, "sending-mta-ip", detail->local);
	put_text(made, "receiving-mx-hostname", detail->host);
	put_text(made, "receiving-ip", detail->address);
	put_text(made, "failure-reason-code", detail->why);
	return made;
}

static json_t *policy_json(const struct rpt_policy *policy, struct str domain)
{
	json_t *what =
		json_pack("{s:s,s:o}", "policy-type", tls_policy_kind_name(policy->kind),
			  "policy-domain", text(domain));
	json_t *details = json_array();

	if (policy->line_count > 0)
		(void)json_object_set_new(what, "policy-string",
					  list(policy->lines, policy->line_count));
	if (policy->mx_count > 0)
		(void)json_object_set_new(what, "mx-host",
					  list(policy->mx, policy->mx_count));
	for (size_t i = 0; i < policy->detail_count; i++)
		(void)json_array_append_new(details, detail_json(&policy->details[i]));
	return json_pack("{s:o,s:{s:I,s:I},s:o}", "policy", what, "summary",
			 "total-successful-session-count", (json_int_t)policy->good,
			 "total-failure-session-count", (json_int_t)policy->bad,
			 "failure-details", details);
}

/* RFC 3339 §5.6. */
static json_t *moment(int64_t at)
{
	struct civil c = civil_from_unix(at, 0);

	return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day,
			    c.hour, c.minute, c.second);
}

static int add_piece(const char *bytes, size_t len, void *arg)
{
	buf_add(arg, (struct str){bytes, len});
	return 0;
}

void rpt_json(struct buf *json, const struct rpt_head *head, const struct rpt *rpt)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < rpt->count; i++)
		(void)json_array_append_new(policies,
					    policy_json(&rpt->policies[i], head->domain));
	json_t *whole = json_pack(
		"{s:o,s:{s:o,s:o},s:o,s:o,s:o}", "organization-name",
		text(head->submitter), "date-range", "start-datetime",
		moment(head->begin), "end-datetime", moment(head->end), "contact-info",
		json_sprintf("postmaster@%.*s", STR_FMT(head->submitter)), "report-id",
		text(head->id), "policies", policies);

	ASSERT(whole);
	(void)json_dump_callback(whole, add_piece, json, JSON_COMPACT); /* buf latches */
	json_decref(whole);
}

/* RFC 8460 §3: it MUST be delivered despite any failure of TLS; RFC 8689 §4.2.2 has the
 * word for it. */
static void add_head(struct buf *mail, const struct rpt_head *head, struct str to,
		     int64_t now)
{
	buf_printf(mail, "From: postmaster@%.*s\r\nTo: <%.*s>\r\nDate: ",
		   STR_FMT(head->submitter), STR_FMT(to));
	mail_date_add(mail, now, 0);
	buf_printf(mail,
		   "\r\nMessage-ID: <%.*s@%.*s>\r\n"
		   "Subject: Report Domain: %.*s\r\n Submitter: %.*s\r\n"
		   " Report-ID: <%.*s@%.*s>\r\n"
		   "TLS-Report-Domain: %.*s\r\nTLS-Report-Submitter: %.*s\r\n"
		   "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\n",
		   STR_FMT(head->id), STR_FMT(head->submitter), STR_FMT(head->domain),
		   STR_FMT(head->submitter), STR_FMT(head->id), STR_FMT(head->submitter),
		   STR_FMT(head->domain), STR_FMT(head->submitter));
}

void rpt_mail(struct buf *mail, const struct rpt_head *head, struct str to,
	      struct str gzip, int64_t now)
{
	add_head(mail, head, to, now);
	buf_printf(mail,
		   "MIME-Version: 1.0\r\nContent-Type: multipart/report;\r\n"
		   " report-type=\"tlsrpt\"; boundary=\"tlsrpt-%.*s\"\r\n\r\n"
		   "--tlsrpt-%.*s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		   "This is an aggregate report of TLS with the mail servers of\r\n"
		   "%.*s, from %.*s (RFC 8460).\r\n\r\n"
		   "--tlsrpt-%.*s\r\nContent-Type: application/tlsrpt+gzip\r\n"
		   "Content-Transfer-Encoding: base64\r\n"
		   "Content-Disposition: attachment;\r\n"
		   " filename=\"%.*s!%.*s!%lld!%lld.json.gz\"\r\n\r\n",
		   STR_FMT(head->id), STR_FMT(head->id), STR_FMT(head->domain),
		   STR_FMT(head->submitter), STR_FMT(head->id), STR_FMT(head->submitter),
		   STR_FMT(head->domain), (long long)head->begin, (long long)head->end);
	mail_base64_add(mail, gzip);
	buf_printf(mail, "--tlsrpt-%.*s--\r\n", STR_FMT(head->id));
}
