/* What the files of ctl/ share: the table a word consists of, and what a command works
 * with while it runs. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "directory/directory.h"
#include "mailauth/dns_lookup.h"

struct control;
struct json_t;
struct lookups;
struct resolver;
struct store;
struct vault;

enum { CTL_WORDS_MAX = 1100, CTL_PAGE = 500 };

enum ctl_option {
	CTL_ADMIN = 1,
	CTL_PASSWORD_STDIN = 2,
	CTL_ALL = 4,
	CTL_DRY_RUN = 8,
	CTL_KEEP_NAMES = 16,
	CTL_MBOXO = 32,
	CTL_CRLF = 64,
	CTL_STARTTLS = 128,
	CTL_INSECURE = 256,
	CTL_REPAIR = 512,
	CTL_ONLINE = 1024, /* the command needs the server, then */
	CTL_USER = 2048,
	CTL_PASSWORD_FILE = 4096,
	CTL_CA = 8192,
	CTL_MASTER = 16384,
	CTL_DNS = 32768,
	CTL_BACKUP = 1 << 16,
	CTL_KEEP = 1 << 17,
	CTL_KEEP_DAYS = 1 << 18,
	CTL_ACCOUNT = 1 << 19,
	CTL_MAILBOX = 1 << 20,
	CTL_MESSAGE_ID = 1 << 21,
	CTL_SINCE = 1 << 22,
	CTL_BEFORE = 1 << 23,
	CTL_YES = 1 << 24, /* without one */
	CTL_ID = 1 << 25,  /* which mails of the queue ... */
	CTL_SENDER = 1 << 26,
	CTL_DOMAIN = 1 << 27,
	CTL_CAUSE = 1 << 28,
	CTL_OLDER_THAN = 1 << 29,
	CTL_HELD = 1 << 30,
	CTL_UNTIL = 1ull << 31, /* ... and what becomes of them */
	CTL_BOUNCE = 1ull << 32,
	CTL_BODY = 1ull << 33,
	CTL_ONCE = 1ull << 34,
	CTL_IP = 1ull << 35, /* whom a mail came from */
	CTL_MAILFROM = 1ull << 36,
	CTL_HELO = 1ull << 37,
	CTL_NEXT = 1ull << 38,
	CTL_SERVER = 1ull << 39,
	CTL_KEY = 1ull << 40,
	CTL_HOST = 1ull << 41, /* of SPF ... */
	CTL_INCLUDE = 1ull << 42,
	CTL_OTHER = 1ull << 43,
	CTL_TRUSTED = 1ull << 44, /* servers */
	CTL_MBOX = 1ull << 45,
	CTL_DAYS = 1ull << 46,
};
enum { CTL_OPTIONS = 47 };

/* What a verb cannot do without. */
enum ctl_need {
	CTL_NEEDS_SERVER = 1,
	CTL_NEEDS_PASSWORD = 2,
	CTL_NEEDS_RESOLVER = 4,
	CTL_NEEDS_FETCH = 8,  /* with the resolver */
	CTL_NEEDS_TASKS = 16, /* it waits for others by itself */
};

/* A command while it runs. */
struct ctl {
	const char *config_path, *folder; /* -c, --dir; NULL if not given */
	bool is_json, wants_help;
	uint64_t options;                /* enum ctl_option, as given */
	const char *values[CTL_OPTIONS]; /* for ctl_value() */
	const char *conf_path; /* the configuration file that was read; NULL: none */
	struct str *words;     /* after the verb */
	size_t word_count;
	struct arena arena;
	struct buf password;
	struct conf conf;
	struct control *control; /* open when the command needs the server */
	struct store *store;
	struct vault *vault;
	struct directory directory;
	struct lookups *lookups; /* open when it needs the resolver */
	struct resolver *resolver;
	struct dns_lookup lookup; /* for ctl_lookup() */
	unsigned asked, answered; /* questions of it */
	uint64_t progress;        /* the task that tells of them */
	struct fetch *fetch;      /* open when it needs to fetch */
	struct buf out;           /* what is printed at the end if all went well, */
	struct json_t *json;      /* or this with --json */
	bool is_partial;          /* out is printed although not all went well */
	int status;
	bool is_printed; /* the command has printed all of its answer by itself */
};

struct ctl_verb {
	const char *name, *arguments, *summary; /* name "": the word says it all */
	size_t min, max;                        /* words after the verb */
	uint64_t options;                       /* that it knows */
	unsigned needs;                         /* enum ctl_need */
	void (*run)(struct ctl *ctl);           /* may suspend when it needs anything */
};

struct ctl_word {
	const char *name, *summary, *examples;
	const struct ctl_verb *verbs;
	size_t verb_count;
};

extern const struct ctl_word ctl_account, ctl_alias, ctl_arc, ctl_backup, ctl_check,
	ctl_config, ctl_dkim, ctl_dmarc, ctl_dns, ctl_domain, ctl_export, ctl_headers,
	ctl_import, ctl_queue, ctl_report, ctl_sieve, ctl_spf, ctl_store, ctl_tls;

/* Runs a part of a command with what it needs, which is then open, in a task. */
void ctl_run(struct ctl *ctl, unsigned needs, void (*run)(struct ctl *ctl));
/* What came with the option; NULL if it was not given. */
const char *ctl_value(const struct ctl *ctl, enum ctl_option option);
/* A day as "2026-11-22" (UTC); 0 if the option was not given.  False, and said so, if it
 * is none. */
bool ctl_day(struct ctl *ctl, enum ctl_option option, int64_t *unix_s);

/* heal.c: verbs of "store" that work on a data directory that no server has. */
void heal_check(struct ctl *ctl);
void heal_rebuild(struct ctl *ctl);
void heal_damaged(struct ctl *ctl);

/* search_index.c: the search index of the store. */
void search_index(struct ctl *ctl);

/* domain_dkim.c: the keys that mail of a domain is signed with. */
/* Makes the first pair for the domain in the first word, and lets keys sign that the DNS
 * shows; false, and said, if that cannot be.  May suspend. */
bool domain_dkim_prepare(struct ctl *ctl);
/* Makes the first; false: they could not be made now. */
bool domain_dkim_begin(struct ctl *ctl);
void domain_dkim_show(struct ctl *ctl);
void domain_dkim_rotate(struct ctl *ctl);

/* dns_domain.c: verbs of "dns" about a domain of ours. */
void dns_domain_records(struct ctl *ctl);
void dns_domain_looks(struct ctl *ctl);
void dns_domain_publish(struct ctl *ctl); /* dns_publish.c */
void dns_spf_wizard(struct ctl *ctl);     /* dns_spf.c */

/* snapshot.c: the format of the data, and the way back. */
void snapshot_upgrade(struct ctl *ctl);
void snapshot_show(struct ctl *ctl);
void snapshot_rollback(struct ctl *ctl);
void snapshot_forget(struct ctl *ctl);

/* The command failed: what happened, what state things are in, and what to do about it,
 * each a whole sentence. */
void ctl_fail(struct ctl *ctl, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same for an outcome that has nothing to do with what was asked: the store is out of
 * reach, full, or refuses. */
void ctl_fail_store(struct ctl *ctl, enum store_outcome outcome);
/* The text as JSON: null if it is no UTF-8. */
struct json_t *ctl_json(struct str text);
