/* Sieve (RFC 5228): what a person's script does with a mail.  A script is checked once
 * and may then run over many mails; a run says which actions are to be taken, and takes
 * none.  Nothing here reads files, asks others, or suspends.
 *
 * Bounds: a run that does too much (sieve/run.h) ends as an error, and an error keeps the
 * mail (RFC 5228 §2.10.6). */
#pragma once

#include "wire/mail/header.h"
#include "wire/sieve/token.h"

struct buf;
struct sieve_script;

enum {
	SIEVE_ACTIONS_MAX = 32,   /* of one mail, RFC 5228 §2.10.4 */
	SIEVE_REDIRECTS_MAX = 4,  /* of them, RFC 5228 §10 */
	SIEVE_FIELDS_MAX = 10000, /* of a mail's header are looked at */
	/* Any script fits into so much when it is checked; most need a few kilobytes. */
	SIEVE_SCRIPT_ARENA_BYTES = 24 * 1024 * 1024,
	SIEVE_RUN_ARENA_BYTES = 64 * 1024 * 1024, /* suits any mail; more is an error */
};

/* Appends the names that "require" takes, with a space between them, as ManageSieve's
 * SIEVE capability lists them (RFC 5804 §1.7). */
void sieve_extensions_add(struct buf *out);

/* Checks a script: its grammar, that all it uses is known and required, and that each
 * command and test has the arguments it needs.  *script is good as long as the arena and
 * text.  ERR_SYNTAX, and *flaw says where and why, if the script is wrong or does not fit
 * into the arena. */
[[nodiscard]] err_t sieve_compile(struct str text, struct arena *arena,
				  struct sieve_script **script, struct sieve_flaw *flaw);

/* The mail that a script looks at.  All of it is borrowed. */
struct sieve_mail {
	const struct mail_header *header; /* of text */
	struct str text;                  /* header and body, as it came */
	uint64_t bytes;   /* RFC 5228 §5.9; those of text, if all is there */
	struct str from;  /* the envelope's reverse-path without brackets; "" for "<>" */
	struct str to;    /* the recipient whose script it is */
	int64_t now_s;    /* the moment of delivery, ... */
	int zone_minutes; /* and the zone that people here live in, east of UTC */
	struct str host;  /* our name, and who connected: RFC 5183; "" if unknown */
	struct str client_ip, client_name;
};

enum sieve_action_kind {
	SIEVE_KEEP,     /* into the inbox */
	SIEVE_FILEINTO, /* into the mailbox target */
	SIEVE_REDIRECT, /* to the address target */
	SIEVE_DISCARD,  /* nothing; said so that the log can say so */
};

struct sieve_action {
	enum sieve_action_kind kind;
	unsigned line;     /* of the script; 0: the implicit keep */
	struct str target; /* a mailbox's name in UTF-8, or "local@domain" */
	struct str flags;  /* RFC 5232: with a space between them, each once; all are such
			      as a client may set */
};

struct sieve_outcome {
	struct sieve_action actions[SIEVE_ACTIONS_MAX + 1];
	size_t count;           /* never 0: a mail that is dropped has a SIEVE_DISCARD */
	struct sieve_flaw flaw; /* the run failed, and the mail is kept; line 0: it did
				   not */
};

/* Runs the script.  What the outcome borrows is in the arena, or in script and mail.  May
 * be run again and elsewhere at the same time: the script does not change. */
void sieve_run(const struct sieve_script *script, const struct sieve_mail *mail,
	       struct arena *arena, struct sieve_outcome *outcome);
