#include "policy/policy.h"

#include "base/hash.h"
#include "deliver/deliver.h"
#include "directory/directory.h"
#include "directory/dkim_mail.h"
#include "policy/judge.h"
#include "policy/message.h"
#include "rt/panic.h"
#include "store/digest.h"
#include "wire/mail/address.h"
#include "wire/mail/date.h"

enum {
	RECEIVED_MAX = 100, /* RFC 5321 §6.3 */
	FROM_MAX = 100,     /* addresses in a From field */
	COMPLETED_BYTES_MAX = 1000,
	SIGNATURES_BYTES_MAX = 32 * 1024,
};

static const struct policy_verdict accepted = {0};

/* Names these octets in panic reports and in the list of what has killed a process
 * before; that is not parsed again. */
static uint64_t message_key(struct str text)
{
	return (uint64_t)crc32c(0, text) << 32 | (uint32_t)text.len;
}

/* Parses the header, and drops from it what is ours to write. */
static struct policy_verdict look(const struct policy *policy,
				  const struct deliver_mail *mail, struct policed *out,
				  struct message_facts *facts)
{
	uint64_t key = message_key(mail->text);

	if (panic_is_poison(key))
		return (struct policy_verdict){554, "5.6.0",
					       "We cannot read this message", false};
	panic_begin("smtp header", key);
	*facts = message_look(mail->text, policy->hostname);
	out->message = mail->text;
	if (facts->foreign_count > 0) {
		out->changed = BUF(mail->text.len);
		buf_add(&out->changed, mail->text);
		out->message = message_drop_foreign(&out->changed, policy->hostname);
		*facts = message_look(out->message, policy->hostname); /* it has moved */
	}
	panic_end();
	out->is_tls_optional = facts->is_tls_optional;
	if (facts->received_count > RECEIVED_MAX)
		return (struct policy_verdict){
			554, "5.4.6", "The message has passed too many servers", false};
	return accepted;
}

/* A user's mail names nobody else as its author: one From field, and in it addresses of
 * the account alone.  RFC 6409 §6.1. */
static struct policy_verdict check_author(const struct policy *policy,
					  const struct deliver_mail *mail,
					  const struct message_facts *facts,
					  struct arena *scratch)
{
	bool is_sure = true;

	if (facts->from_count != 1)
		return (struct policy_verdict){
			550, "5.6.0",
			facts->from_count == 0 ? "The message needs a From field"
					       : "The message has several From fields",
			false};
	struct mail_addresses from = mail_addresses_parse(scratch, facts->from, FROM_MAX);
	bool is_theirs = from.is_cut;
	size_t mailboxes = 0;

	for (size_t i = 0; i < from.count && !is_theirs; i++) {
		const struct mail_address *a = &from.items[i];

		if (a->kind != MAIL_MAILBOX)
			continue;
		mailboxes++;
		is_theirs =
			!directory_may_send_as(policy->directory, mail->account, a->local,
					       a->domain, scratch, &is_sure);
	}
	if (!is_theirs && mailboxes > 0)
		return accepted;
	if (is_sure)
		return (struct policy_verdict){
			550, "5.7.1",
			"The From field must hold an address of yours, and no other; "
			"correct the sender in your mail program",
			true};
	return (struct policy_verdict){
		451, "4.3.0",
		"We cannot tell now whether From is yours; try again in a minute", true};
}

/* What a message must have and a mail client left out.  RFC 6409 §8.2, §8.3. */
static void complete(const struct policy *policy, const struct deliver_mail *mail,
		     const struct message_facts *facts, struct policed *out)
{
	struct buf whole = BUF(out->message.len + COMPLETED_BYTES_MAX);

	if (facts->has_date && facts->has_message_id)
		return;
	if (!facts->has_date) {
		buf_add(&whole, STR("Date: "));
		mail_date_add(&whole, mail->received_at, 0);
		buf_add(&whole, STR("\r\n"));
	}
	if (!facts->has_message_id)
		buf_printf(&whole, "Message-ID: <%.*s@%.*s>\r\n", STR_FMT(mail->id),
			   STR_FMT(policy->hostname));
	buf_add(&whole, out->message);
	ASSERT(buf_ok(&whole));
	buf_fini(&out->changed);
	out->changed = whole;
	out->message = buf_str(&out->changed);
}

/* What all mail gets. */
static void finish(const struct policy *policy, const struct deliver_mail *mail,
		   struct policed *out)
{
	struct message_hop hop = {
		.client = mail->client,
		.is_host_valid = mail->is_host_valid,
		.peer = mail->peer,
		.hostname = policy->hostname,
		.protocol = mail->protocol,
		.tls = mail->tls,
		.id = mail->id,
		.rcpt = mail->rcpt_count == 1 ? mail->rcpts[0].address : STR(""),
		.at = mail->received_at,
		.is_local = mail->source == DELIVER_PROGRAM,
		.uid = mail->uid,
	};

	message_received_add(&out->trace, &hop);
	digest_make_warily("smtp digest", out->message, &out->digest);
}

/* The first author; domain "" if there is none. */
static struct mail_address first_author(struct str from, struct arena *scratch)
{
	struct mail_addresses all = mail_addresses_parse(scratch, from, FROM_MAX);

	for (size_t i = 0; i < all.count; i++)
		if (all.items[i].kind == MAIL_MAILBOX)
			return all.items[i];
	return (struct mail_address){.domain = STR("")};
}

/* Signatures stand below our Received field, beside the text; only where they are too
 * long for that the text is copied. */
static void add_signatures(struct policed *out, struct str fields)
{
	if (out->trace.len + fields.len <= TRACE_BYTES_MAX) {
		buf_add(&out->trace, fields);
		return;
	}
	struct buf whole = BUF(fields.len + out->message.len);

	buf_add(&whole, fields);
	buf_add(&whole, out->message);
	ASSERT(buf_ok(&whole));
	buf_fini(&out->changed);
	out->changed = whole;
	out->message = buf_str(&out->changed);
}

/* The message as it leaves, if its author is at a domain of ours. */
static struct policy_verdict sign(const struct policy *policy,
				  const struct deliver_mail *mail,
				  const struct mail_address *from, struct arena *scratch,
				  struct policed *out)
{
	SCOPED(buf_fini) struct buf fields = BUF(SIGNATURES_BYTES_MAX);
	const struct vault_author person = {mail->account, mail->grant, from->local};

	if (from->domain.len == 0)
		return accepted;
	switch (dkim_mail_sign(policy->mailer, from->domain,
			       mail->source == DELIVER_PERSON ? &person : NULL,
			       out->message, mail->received_at, scratch, &fields)) {
	case DKIM_MAIL_SIGNED:
		add_signatures(out, buf_str(&fields));
		break;
	case DKIM_MAIL_UNSIGNED:
		break;
	case DKIM_MAIL_LATER:
		return (struct policy_verdict){
			451, "4.3.0", "We cannot sign now; try again in a minute", true};
	}
	return accepted;
}

static void begin(struct policed *out)
{
	*out = (struct policed){.trace = BUF(TRACE_BYTES_MAX),
				.digest = BUF(DIGEST_BYTES_MAX)};
}

struct policy_verdict policy_arriving(const struct policy *policy,
				      const struct deliver_mail *mail,
				      struct hearing *hearing, struct arena *arena,
				      struct policed *out)
{
	struct message_facts facts;

	begin(out);
	struct policy_verdict verdict = look(policy, mail, out, &facts);

	if (verdict.code == 0 && policy_judges(policy, mail))
		verdict = policy_judge(policy, mail, hearing, arena, out);
	if (verdict.code == 0)
		finish(policy, mail, out);
	return verdict;
}

struct policy_verdict policy_submitting(const struct policy *policy,
					const struct deliver_mail *mail,
					struct arena *scratch, struct policed *out)
{
	struct message_facts facts;

	begin(out);
	struct policy_verdict verdict = look(policy, mail, out, &facts);

	if (verdict.code == 0 && mail->source == DELIVER_PERSON)
		verdict = check_author(policy, mail, &facts, scratch);
	if (verdict.code != 0)
		return verdict;
	struct mail_address from = first_author(facts.from, scratch);

	complete(policy, mail, &facts, out);
	finish(policy, mail, out);
	return sign(policy, mail, &from, scratch, out);
}

void policed_fini(struct policed *policed)
{
	buf_fini(&policed->changed);
	buf_fini(&policed->trace);
	buf_fini(&policed->digest);
}
