/* The configuration: one file, few settings, each declared once in conf/setting.c, from
 * which the parser, "postrider config" and the manual page come.  Modules are given this
 * typed struct, never the file.
 *
 * Slices live in the arena given.  Nothing suspends; only conf_load() reads a file.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

enum {
	CONF_LISTENERS_MAX = 32, /* of one kind */
	CONF_TEXT_MAX = 1000,
	CONF_PATH_MAX = 108, /* of a socket */
	CONF_BLOB_MAX = 64 * 1024,
};

struct conf_listener {
	struct str address; /* "192.0.2.1", "2001:db8::1" or, of LMTP, "unix:/PATH" */
	uint16_t port;      /* 0 with a path */
	bool is_proxied; /* who connects is a proxy and says for whom (PROXY protocol) */
};

/* The path that a listener has instead of a port; "": none. */
struct str conf_listener_path(const struct conf_listener *listener);

struct conf_listeners {
	struct conf_listener *at;
	size_t count;
};

struct conf {
	struct str data_directory;
	struct str hostname;       /* what we call ourselves to others; lower case */
	struct str default_domain; /* of addresses without one; lower case */
	struct conf_listeners smtp, submission, submissions;
	struct conf_listeners imap, imaps, pop3, pop3s;
	struct conf_listeners lmtp; /* on loopback only */
	struct str proxies;         /* the addresses and networks that may be proxies */
	struct str tls_certificate, tls_key; /* PEM files; "": self-signed */
	struct str tls_roots;                /* PEM file; "": the system's */
	bool is_dane_heeded, is_mta_sts_heeded, is_tls_reported, is_dmarc_reported;
	uint32_t mta_sts_port;
	uint64_t tls_report_s, dmarc_report_s;
	uint32_t dmarc_failure_reports; /* an hour; 0: none */
	struct str report_address;      /* where reports of others come to; "": nowhere */
	struct str tls_client_ca;       /* PEM file; "": nobody is asked */
	uint64_t message_bytes_max;
	uint64_t copy_bytes_a_second;
	uint32_t trash_days, junk_days;   /* that messages stay there; 0: for ever */
	uint32_t recipients_max;          /* of one mail */
	uint32_t address_connections_max; /* of strangers, at all doors together */
	uint32_t account_sessions_max;
	uint32_t command_messages_max, copy_messages_max;    /* of IMAP; 0 is no limit */
	uint32_t address_failures_max, account_failures_max; /* of log-ins */
	struct str exempt; /* addresses and networks that these do not hold for */
	struct str mta_smarthost, mta_routes; /* conf/hop.h */
	struct str mta_logins;                /* a file; "": none */
	struct str mta_source;                /* "ADDRESS ..."; "": any */
	struct str mta_hello;                 /* "": hostname */
	uint32_t mta_port, mta_connections, mta_rate, mta_patience_s;
	uint32_t mta_address_connections;
	bool is_mail_judged, is_dmarc_obeyed, is_arc_sealed, is_from_rewritten;
	struct str friends;     /* addresses and networks */
	struct str forwarders;  /* "DOMAIN ..." whose seals count */
	struct str exceptions;  /* "SOURCE ..." from which DMARC is not obeyed */
	struct str dns_server;  /* "ADDRESS" or "ADDRESS:PORT"; "": the root's servers */
	struct str dns_zones;   /* "ZONE=ADDRESS[:PORT] ..." */
	struct str dns_anchors; /* a file; "": the root's; "none" */
	uint32_t snapshot_days; /* how long there is a way back to an older format */
	uint64_t queue_retry_first_s, queue_retry_max_s;
	uint64_t queue_expire_s, queue_delay_notice_s;
	struct str queue_double_bounce; /* an address; "": nobody */
	bool are_attachments_searched;
	struct str sendmail_allow; /* names of users, or "*"; "": only the owner */
	enum log_level log_level;
};

/* The defaults. */
[[nodiscard]] err_t conf_defaults(struct arena *arena, struct conf *conf);
/* The defaults, changed by what the file says.  On failure *why (in arena) is a sentence
 * that begins with "file:line: " where there is a line.  ERR_ABSENT: no such file;
 * ERR_SYNTAX: it says something we do not understand; ERR_IO, ERR_LIMIT. */
[[nodiscard]] err_t conf_load(const char *path, struct arena *arena, struct conf *conf,
			      struct str *why);
/* Changes one setting, named "section.name"; ERR_ABSENT, ERR_SYNTAX or ERR_LIMIT with a
 * reason. */
[[nodiscard]] err_t conf_set(struct conf *conf, struct arena *arena, struct str name,
			     struct str value, struct str *why);
/* Whether the settings go together; conf_load() has asked already. */
[[nodiscard]] err_t conf_check(const struct conf *conf, struct arena *arena,
			       struct str *why);

/* Walks the settings in the order of the file: name as "section.name".  False at the
 * end. */
struct conf_item {
	struct str name, value, unset_value, help;
};
bool conf_item(const struct conf *conf, size_t place, struct arena *arena,
	       struct conf_item *item);
/* As a file that conf_load() reads back. */
void conf_print(const struct conf *conf, struct buf *out);
/* The SETTINGS section of postrider.conf(5), in mdoc. */
void conf_print_man(struct buf *out);

/* Whether a setting such as sendmail.allow names it: words with spaces between, or "*".
 */
bool conf_names_have(struct str names, struct str name);
/* For children, who get it by message; not kept on disk. */
void conf_encode(const struct conf *conf, struct buf *out);
[[nodiscard]] bool conf_decode(struct str blob, struct arena *arena, struct conf *conf);
