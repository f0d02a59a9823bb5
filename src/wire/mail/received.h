/* Received fields: what each server that a mail passed wrote about it.  RFC 5321 §4.4,
 * RFC 5322 §3.6.7.
 *
 * Leniencies, each for servers that exist:
 * - HELO_IN_COMMENT: "from NAME (HELO x) (user@192.0.2.1)" (qmail), "from NAME
 *   ([192.0.2.1] helo=x)" (Exim), "from [192.0.2.1] (helo=x)" (Exim, Postrider); then
 *   what follows "from" is the name that the server found;
 * - BARE_ADDRESS: "from x (192.0.2.1)" (Exchange, qmail), "from x(192.0.2.1)" (csmap),
 *   "from 192.0.2.1 by" (SquirrelMail), "(Not Verified[192.0.2.1])" (MailMarshal),
 *   "from x [192.0.2.1] by" (fetchmail);
 * - USER_IN_ADDRESS: "(joe@host [192.0.2.1])" (Sendmail, ident), also "(may be forged)";
 * - WORDS: "from mail pickup service" (IIS), "with Microsoft SMTP Server" (Exchange);
 * - NO_FROM: "by x (Postfix, from userid 5)", "(from joe@localhost) by x" (Sendmail),
 *   "(qmail 7 invoked by uid 5)": a step inside one machine;
 * - NO_BY: "with ECARTIS", "from x (y) A1B2 for <z>" where a filter cut "by" away;
 * - ANY_ORDER, EARLY_SEMICOLON: clauses in any order, and a ";" before them
 *   (SquirrelMail);
 * - DATE_WITHOUT_SEMICOLON: the date behind the last clause without ";" (old gateways);
 * - NOT_CLOSED: an opening "(" or quote without its end counts as a letter.
 */
#pragma once

#include "wire/dns/ip.h"
#include "wire/mail/date.h"

enum { MAIL_RECEIVED_BYTES_MAX = 16 * 1024 }; /* what follows is not looked at */

/* Slices borrow the value; "" where it says nothing.  They may hold anything. */
struct mail_received {
	struct str from;    /* the words after "from" */
	struct str helo;    /* how the client called itself */
	struct str reverse; /* the client's name as the server found it */
	bool has_ip;
	struct ip ip; /* the client's */
	struct str by, via, with, id;
	struct str rcpt;   /* of "for", without brackets */
	struct str sender; /* "envelope-from", without brackets */
	struct str tls;    /* what a comment says of TLS, as written */
	bool is_inside;    /* handed over within a machine: there was no client */
	bool has_date;
	struct mail_date date;
};

/* value is what stands behind the colon, folds and all.  Always fills *received; true if
 * it was understood: it says when, and by whom or from whom.  Linear. */
[[nodiscard]] bool mail_received_parse(struct str value, struct mail_received *received);
