/* What we can do, and the commands that are only about that. */
#include "base/log.h"
#include "imap/events.h"
#include "login/sasl.h"

/* When a capability is true, and said. */
enum when {
	ALWAYS,
	STARTTLS_OFFERED,
	LOGIN_OFFERED,    /* and nobody is logged in */
	EXTERNAL_OFFERED, /* to who has shown a certificate */
	BINDING_OFFERED,  /* under TLS, which the log-in can be bound to */
	LOGIN_FORBIDDEN,  /* as there is no TLS yet */
	LOGGED_IN,
	NOT_COMPRESSED, /* and somebody is logged in */
};

/* Only what is complete stands here. */
static const struct {
	const char *name;
	enum when when;
} capabilities[] = {
	{"IMAP4rev1", ALWAYS},
	{"IMAP4rev2", ALWAYS},
	{"LITERAL+", ALWAYS}, /* RFC 7888 */
	{"ID", ALWAYS},       /* RFC 2971 */
	{"ENABLE", ALWAYS},   /* RFC 5161 */
	{"STARTTLS", STARTTLS_OFFERED},
	{"LOGINDISABLED", LOGIN_FORBIDDEN},
	{"AUTH=EXTERNAL", EXTERNAL_OFFERED}, /* as login_mechanisms() has them */
	{"AUTH=SCRAM-SHA-256-PLUS", BINDING_OFFERED},
	{"AUTH=SCRAM-SHA-256", LOGIN_OFFERED},
	{"AUTH=PLAIN", LOGIN_OFFERED},
	{"AUTH=LOGIN", LOGIN_OFFERED},
	{"SASL-IR", LOGIN_OFFERED}, /* RFC 4959 */
	{"IDLE", LOGGED_IN},        /* RFC 2177 */
	{"NAMESPACE", LOGGED_IN},   /* RFC 2342 */
	{"UIDPLUS", LOGGED_IN},     /* RFC 4315 */
	{"UNSELECT", LOGGED_IN},    /* RFC 3691 */
	{"MOVE", LOGGED_IN},        /* RFC 6851 */
	{"NOTIFY", LOGGED_IN},      /* RFC 5465 */
	{"CHILDREN", LOGGED_IN},    /* RFC 3348 */
	{"SPECIAL-USE", LOGGED_IN}, /* RFC 6154 */
	{"CREATE-SPECIAL-USE", LOGGED_IN},
	{"LIST-EXTENDED", LOGGED_IN}, /* RFC 5258 */
	{"LIST-STATUS", LOGGED_IN},   /* RFC 5819 */
	{"STATUS=SIZE", LOGGED_IN},   /* RFC 8438 */
	{"CONDSTORE", LOGGED_IN},     /* RFC 7162 */
	{"QRESYNC", LOGGED_IN},
	{"ESEARCH", LOGGED_IN},               /* RFC 4731 */
	{"SEARCHRES", LOGGED_IN},             /* RFC 5182 */
	{"BINARY", LOGGED_IN},                /* RFC 3516 */
	{"MULTIAPPEND", LOGGED_IN},           /* RFC 3502 */
	{"UTF8=ACCEPT", LOGGED_IN},           /* RFC 6855 */
	{"OBJECTID", LOGGED_IN},              /* RFC 8474 */
	{"SAVEDATE", LOGGED_IN},              /* RFC 8514 */
	{"PREVIEW", LOGGED_IN},               /* RFC 8970 */
	{"SORT", LOGGED_IN},                  /* RFC 5256 */
	{"SORT=DISPLAY", LOGGED_IN},          /* RFC 5957 */
	{"THREAD=ORDEREDSUBJECT", LOGGED_IN}, /* RFC 5256 */
	{"THREAD=REFERENCES", LOGGED_IN},
	{"THREAD=REFS", LOGGED_IN}, /* draft-ietf-morg-inthread-01 */
	{"I18NLEVEL=1", LOGGED_IN}, /* RFC 5255 */
	{"ESORT", LOGGED_IN},       /* RFC 5267 */
	{"CONTEXT=SEARCH", LOGGED_IN},
	{"CONTEXT=SORT", LOGGED_IN},
	{"PARTIAL", LOGGED_IN},     /* RFC 9394 */
	{"INPROGRESS", LOGGED_IN},  /* RFC 9585 */
	{"MULTISEARCH", LOGGED_IN}, /* RFC 7377 */
	{"REPLACE", LOGGED_IN},     /* RFC 8508 */
	{"CATENATE", LOGGED_IN},    /* RFC 4469 */
	{"WITHIN", LOGGED_IN},      /* RFC 5032 */
	{"UIDONLY", LOGGED_IN},     /* RFC 9586 */
	{"UIDBATCHES", LOGGED_IN},  /* RFC 10022 */
	{"QUOTA", LOGGED_IN},       /* RFC 9208, and RFC 2087 */
	{"QUOTA=RES-STORAGE", LOGGED_IN},
	{"QUOTA=RES-MESSAGE", LOGGED_IN},
	{"UNAUTHENTICATE", LOGGED_IN}, /* RFC 8437 */
	{"ACL", LOGGED_IN},            /* RFC 4314 */
	{"RIGHTS=kxte", LOGGED_IN},
	{"LIST-MYRIGHTS", LOGGED_IN}, /* RFC 8440 */
	{"METADATA", LOGGED_IN},      /* RFC 5464 */
	{"LIST-METADATA", LOGGED_IN}, /* RFC 9590 */
	{"SEARCH=FUZZY", LOGGED_IN},  /* RFC 6203 */
	/* RFC 4978 */
	{"COMPRESS=DEFLATE", NOT_COMPRESSED},
};

static bool holds(const struct session *s, enum when when)
{
	bool is_nobody = s->state == IMAP_NOT_AUTHENTICATED;

	switch (when) {
	case ALWAYS:
		return true;
	case STARTTLS_OFFERED:
		return session_offers_starttls(s);
	case LOGIN_OFFERED:
		return is_nobody && session_offers_login(s);
	case EXTERNAL_OFFERED:
		return is_nobody && login_offers_external(s->conn);
	case BINDING_OFFERED:
		return is_nobody && conn_is_tls(s->conn);
	case LOGIN_FORBIDDEN:
		return is_nobody && !session_offers_login(s);
	case LOGGED_IN:
		return !is_nobody;
	case NOT_COMPRESSED:
		return !is_nobody && !conn_is_compressed(s->conn);
	}
	return false;
}

/* RFC 9738 §3: the one or the other, where there is a limit. */
static void write_message_limit(const struct session *s, struct buf *out)
{
	if (s->state == IMAP_NOT_AUTHENTICATED)
		return;
	if (s->service->command_messages_max > 0)
		buf_printf(out, " MESSAGELIMIT=%u", s->service->command_messages_max);
	else if (s->service->copy_messages_max > 0)
		buf_printf(out, " SAVELIMIT=%u", s->service->copy_messages_max);
}

void session_capabilities(const struct session *s, struct buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < COUNT_OF(capabilities); i++) {
		if (!holds(s, capabilities[i].when))
			continue;
		if (!is_first)
			buf_add_byte(out, ' ');
		buf_add_c(out, capabilities[i].name);
		is_first = false;
	}
	if (s->state != IMAP_NOT_AUTHENTICATED) /* RFC 7889 */
		buf_printf(out, " APPENDLIMIT=%llu",
			   (unsigned long long)s->service->message_bytes_max);
	write_message_limit(s, out);
}

err_t on_capability(struct session *s, const struct imap_command *command)
{
	buf_add_c(&s->out, "* CAPABILITY ");
	session_capabilities(s, &s->out);
	buf_add_c(&s->out, "\r\n");
	return reply_ok(s, command, "That is all");
}

/* NOOP and CHECK: the client learns what is new (RFC 9051 §6.1.2). */
err_t on_noop(struct session *s, const struct imap_command *command)
{
	return reply_ok(s, command, "Nothing done");
}

err_t on_logout(struct session *s, const struct imap_command *command)
{
	buf_add_c(&s->out, "* BYE Goodbye\r\n");
	err_t err = reply_only_ok(s, command, "You are logged out");

	s->is_done = true;
	return err;
}

/* RFC 2971 §3.  What the client says about itself is of use in the log only. */
err_t on_id(struct session *s, const struct imap_command *command)
{
	for (size_t i = 0; i + 1 < command->id.count; i += 2) {
		if (str_same_nocase(command->id.pairs[i], STR("name")))
			LOG(INFO, "client", KV_INT("session", s->id),
			    KV_STR("name", str_first(command->id.pairs[i + 1], 100)));
	}
	buf_add_c(&s->out, "* ID (\"name\" \"Postrider\")\r\n");
	return reply_ok(s, command, "Glad to meet you");
}

static bool is_named(const struct imap_command *command, const char *name)
{
	for (size_t i = 0; i < command->enable.count; i++) {
		if (str_same_nocase(command->enable.names[i], str_c(name)))
			return true;
	}
	return false;
}

/* RFC 9051 §6.3.1: what is not known is passed over. */
err_t on_enable(struct session *s, const struct imap_command *command)
{
	bool wants_qresync = is_named(command, "QRESYNC");
	const struct {
		const char *name;
		bool *is_on;
	} choices[] = {
		{"IMAP4rev2", &s->is_rev2},   {"UTF8=ACCEPT", &s->is_utf8},
		{"QRESYNC", &s->is_qresync},  {"CONDSTORE", &s->is_condstore},
		{"UIDONLY", &s->is_uid_only},
	};

	if (wants_qresync || is_named(command, "CONDSTORE"))
		session_condstore(s);
	buf_add_c(&s->out, "* ENABLED");
	for (size_t i = 0; i < COUNT_OF(choices); i++) {
		if (!is_named(command, choices[i].name))
			continue;
		buf_printf(&s->out, " %s", choices[i].name);
		*choices[i].is_on = true;
	}
	if (is_named(command, "METADATA"))
		buf_add_c(&s->out, " METADATA");
	buf_add_c(&s->out, "\r\n");
	if (is_named(command, "METADATA"))
		events_enable_metadata(s);
	return reply_ok(s, command, "Enabled");
}

/* RFC 2342: one's own, other people's, and those of nobody in particular
 * (imap/shares.h). */
err_t on_namespace(struct session *s, const struct imap_command *command)
{
	buf_add_c(&s->out, "* NAMESPACE ((\"\" \"/\")) "
			   "((\"Other Users/\" \"/\")) ((\"Shared/\" \"/\"))\r\n");
	return reply_ok(s, command, "That is all");
}
