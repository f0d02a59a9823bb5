#include "base/log.h"
#include "directory/directory.h"
#include "directory/name.h"
#include "rt/clock.h"
#include "smtpd/session.h"

static struct str path_text(const struct smtp_path *path, struct arena *arena)
{
	if (path->local.len == 0)
		return STR("");
	if (path->domain.len == 0)
		return arena_printf(arena, "%.*s", STR_FMT(path->local));
	return arena_printf(arena, "%.*s@%.*s", STR_FMT(path->local),
			    STR_FMT(path->domain));
}

/* Who submits sends as itself.  The null reverse-path is for everybody (RFC 6409 §3.2).
 */
static bool may_send_as(struct session *s, const struct smtp_path *path)
{
	struct str local;
	bool is_sure = true;

	if (!smtpd_is_submission(s) || path->local.len == 0)
		return true;
	bool may = smtp_local_plain(path->local, &s->scratch, &local) &&
		   directory_may_send_as(s->service->login.directory, s->login.account,
					 local, path->domain, &s->scratch, &is_sure);

	if (!is_sure)
		smtpd_reply(s, 451, "4.3.0",
			    "We cannot tell now whether you may send as that address; "
			    "try again in a minute");
	else if (!may)
		smtpd_reply(s, 553, "5.7.1",
			    "You may not send as that address; use one of yours as the "
			    "sender");
	return may && is_sure;
}

/* Held for a time that we offered, and released before it is to be delivered.  RFC 4865
 * §4.2, §5.2.2. */
static bool is_timing_good(const struct smtp_mail_params *params, int64_t now)
{
	int64_t hold_s = params->hold_s;

	if (params->given & SMTP_PARAM_HOLDUNTIL)
		hold_s = params->hold_until - now;
	return hold_s <= SMTPD_HOLD_MAX_S &&
	       (hold_s <= 0 || !(params->given & SMTP_PARAM_BY) ||
		hold_s <= params->by_s);
}

/* MAIL FROM:<path> [parameters].  RFC 5321 §4.1.1.2. */
void smtpd_on_mail(struct session *s, const struct smtp_command *command)
{
	const struct smtp_mail_params *params = &command->mail;

	if (s->client.len == 0) {
		smtpd_reply_error(s, 503, "5.5.1", "EHLO first");
		return;
	}
	if (smtpd_is_submission(s) && s->login.account == 0) {
		smtpd_reply_error(
			s, 530, "5.7.0",
			"Log in first; your mail program has a setting for it"); /* RFC
										    4954
										    §6 */
		return;
	}
	if (s->draft) {
		smtpd_reply_error(s, 503, "5.5.1", "There is a sender already");
		return;
	}
	if ((params->given & SMTP_PARAM_REQUIRETLS) && !conn_is_tls(s->conn)) {
		smtpd_reply(s, 530, "5.7.10",
			    "REQUIRETLS needs TLS here too"); /* RFC 8689 §2 */
		return;
	}
	if (params->given & ~smtpd_params(s)) {
		smtpd_reply_error(s, 555, "5.5.4", "A parameter is not offered here");
		return;
	}
	if (!is_timing_good(params, clock_s())) {
		smtpd_reply(
			s, 501, "5.5.4",
			"Mail is held for 30 days at most, and not beyond the time of "
			"its delivery");
		return;
	}
	if (params->size > s->service->message_bytes_max) {
		smtpd_reply(s, 552, "5.3.4", "Messages may have %llu octets at most",
			    (unsigned long long)s->service->message_bytes_max);
		return;
	}
	if (command->path.is_utf8 && !(params->given & SMTP_PARAM_SMTPUTF8)) {
		smtpd_reply(s, 550, "5.6.7",
			    "Such an address needs SMTPUTF8"); /* RFC 6531 §3.5 */
		return;
	}
	if (!may_send_as(s, &command->path))
		return;
	s->draft = draft_new();
	s->draft->is_each = s->service->kind == SMTPD_LMTP;
	s->draft->params = *params;
	s->draft->deliver_by = clock_s() + params->by_s; /* RFC 2852 §4 */
	s->draft->params.auth = STR(""); /* trusted from nobody: RFC 4954 §5 */
	if (!arena_copy(&s->draft->arena, params->envid, &s->draft->params.envid))
		ASSERT(false); /* a fresh arena holds a line */
	s->draft->sender = path_text(&command->path, &s->draft->arena);
	smtpd_reply(s, 250, "2.1.0", "Sender accepted");
}

/* One recipient more that leads to these places. */
static void add(struct session *s, const struct smtp_command *command,
		const struct route_target *targets, size_t count)
{
	struct str original = path_text(&command->path, &s->draft->arena);

	if (original.len == 0 ||
	    draft_add(s->draft, targets, count, original, &command->rcpt) != OK) {
		smtpd_reply(s, 452, "4.5.3", "Too many recipients; send it in parts");
		return;
	}
	smtpd_reply(s, 250, "2.1.5", "Recipient accepted");
}

static void refuse(struct session *s, const struct smtp_command *command, int code,
		   const char *enhanced, const char *text)
{
	LOG(INFO, "rcpt refused", KV_INT("session", s->id),
	    KV_STR("peer", conn_peer(s->conn)), KV_STR("from", s->draft->sender),
	    KV_STR("rcpt", path_text(&command->path, &s->scratch)), KV("code", enhanced));
	smtpd_reply(s, code, enhanced, "%s", text);
}

/* Somebody else's domain: whoever has logged in may send there, if it can be a domain at
 * all (RFC 5891 §5). */
static void on_remote(struct session *s, const struct smtp_command *command,
		      const struct route_target *targets, size_t count)
{
	struct str domain = command->path.domain;

	if (s->login.account == 0 && !smtpd_is_first_hop(s))
		refuse(s, command, 550, "5.7.1",
		       "We do not relay for strangers; to send mail from here, log in at "
		       "port 465 or 587");
	else if (!str_starts(domain, STR("[")) &&
		 !name_domain(domain, &s->scratch, &domain))
		refuse(s, command, 553, "5.1.2", "There is no such domain");
	else
		add(s, command, targets, count);
}

/* The sender of a mail that we passed on.  Else everybody who got one could write to him
 * through us. */
static void on_back(struct session *s, const struct smtp_command *command,
		    const struct route_target *targets, size_t count)
{
	if (s->draft->sender.len > 0)
		refuse(s, command, 550, "5.7.1",
		       "That address takes reports about a forwarded mail only; write to "
		       "its author instead");
	else
		add(s, command, targets, count);
}

/* RCPT TO:<path> [parameters].  RFC 5321 §4.1.1.3. */
void smtpd_on_rcpt(struct session *s, const struct smtp_command *command)
{
	const struct smtp_path *path = &command->path;
	struct route_target *targets;
	size_t count;
	struct str local;

	if (!s->draft) {
		smtpd_reply_error(s, 503, "5.5.1", "MAIL first");
		return;
	}
	if (s->draft->body.is_begun) { /* RFC 3030 §2: the envelope is complete */
		smtpd_reply_error(s, 503, "5.5.1", "The text has begun");
		return;
	}
	if (command->rcpt.given & ~smtpd_params(s)) {
		smtpd_reply_error(s, 555, "5.5.4", "A parameter is not offered here");
		return;
	}
	if (path->is_utf8 && !(s->draft->params.given & SMTP_PARAM_SMTPUTF8)) {
		smtpd_reply(s, 553, "5.6.7",
			    "Such an address needs SMTPUTF8"); /* RFC 6531 §3.5 */
		return;
	}
	if (s->draft->given >= s->service->recipients_max ||
	    !smtp_local_plain(path->local, &s->scratch, &local)) {
		smtpd_reply(s, 452, "4.5.3", "Too many recipients; send it in parts");
		return;
	}
	switch (route_find(s->service->login.directory, local, path->domain,
			   &s->draft->arena, &targets, &count)) {
	case ROUTE_LOCAL:
	case ROUTE_MIXED: /* leads out because its owner wants that */
		add(s, command, targets, count);
		return;
	case ROUTE_REMOTE:
		on_remote(s, command, targets, count);
		return;
	case ROUTE_NOBODY:
		refuse(s, command, 550, "5.1.1", "No such mailbox here");
		return;
	case ROUTE_LOOP:
		refuse(s, command, 550, "5.4.6", "That address leads in a circle");
		return;
	case ROUTE_BACK:
		on_back(s, command, targets, count);
		return;
	case ROUTE_FORGED:
		refuse(s, command, 550, "5.7.1",
		       "That address of a forwarded mail was not made here, or was "
		       "changed on its way");
		return;
	case ROUTE_EXPIRED:
		refuse(s, command, 550, "5.7.1",
		       "That address of a forwarded mail was good for three weeks, which "
		       "are over");
		return;
	case ROUTE_UNKNOWN:
		refuse(s, command, 451, "4.3.0", "We cannot tell now; try again later");
		return;
	}
}
