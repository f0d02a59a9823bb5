#include "daemon/service.h"

#define AT(member)    offsetof(struct conf, member)
#define TOO_MANY_SMTP "421 4.7.0 Too many connections from you, try again later\r\n"
#define TOO_MANY_IMAP "* BYE Too many connections from you, try again later\r\n"
#define TOO_MANY_POP3 "-ERR [SYS/TEMP] Too many connections from you\r\n"

/* As the registry of RFC 7301 §6 has them.  SMTP has none; but who wants only HTTP is a
 * browser that somebody turned here (ALPACA), so there is a name for others to differ
 * from. */
#define SMTP_ALPN                                                                        \
	{                                                                                \
		"\4smtp", 5                                                              \
	}
#define IMAP_ALPN                                                                        \
	{                                                                                \
		"\4imap", 5                                                              \
	}
#define POP3_ALPN                                                                        \
	{                                                                                \
		"\4pop3", 5                                                              \
	}

static const struct service_entry entries[SERVICES] = {
	[SERVICE_SMTP] = {"smtp", CHILD_SMTPD, 25, AT(smtp), TOO_MANY_SMTP, false,
			  SMTP_ALPN},
	[SERVICE_SUBMISSION] = {"submission", CHILD_SMTPD, 587, AT(submission),
				TOO_MANY_SMTP, true, SMTP_ALPN},
	[SERVICE_SUBMISSIONS] = {"submissions", CHILD_SMTPD, 465, AT(submissions), "",
				 true, SMTP_ALPN},
	[SERVICE_IMAP] = {"imap", CHILD_IMAPD, 143, AT(imap), TOO_MANY_IMAP, true,
			  IMAP_ALPN},
	[SERVICE_IMAPS] = {"imaps", CHILD_IMAPD, 993, AT(imaps), "", true, IMAP_ALPN},
	[SERVICE_POP3] = {"pop3", CHILD_IMAPD, 110, AT(pop3), TOO_MANY_POP3, true,
			  POP3_ALPN},
	[SERVICE_POP3S] = {"pop3s", CHILD_IMAPD, 995, AT(pop3s), "", true, POP3_ALPN},
	/* No port is registered. */
	[SERVICE_LMTP] = {"lmtp", CHILD_SMTPD, 24, AT(lmtp), TOO_MANY_SMTP, false,
			  SMTP_ALPN},
};

const struct service_entry *service_entry(enum service service)
{
	return &entries[service];
}

struct conf_listeners *service_listeners(struct conf *conf, enum service service)
{
	return (struct conf_listeners *)((char *)conf + entries[service].conf_offset);
}
