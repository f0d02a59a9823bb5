/* What the door must know of a message's header, and the little it may change there.
 * Pure: no waiting, no clock. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct message_facts {
	size_t received_count; /* Received fields: how many servers it has passed */
	size_t from_count;
	size_t foreign_count; /* fields that are ours to write */
	size_t header_len;    /* with its blank line */
	struct str from;      /* value of the first From field; borrows the text */
	bool has_date, has_message_id;
	bool is_tls_optional; /* TLS-Required: No.  RFC 8689 §3 */
};

/* Walks over the header once.  hostname is ours. */
struct message_facts message_look(struct str text, struct str hostname);
/* Without the fields that are ours to write: Return-Path (RFC 5321 §4.4), and
 * Authentication-Results that claim to be ours (RFC 8601 §5).  Rearranges the header
 * inside the text; returns the part that is now the message. */
struct str message_drop_foreign(struct buf *text, struct str hostname);

/* Whether a Delivered-To field names that address.  RFC 9228 §2. */
bool message_was_delivered_to(struct str text, struct str address);

/* What a Received field says.  RFC 5321 §4.4. */
struct message_hop {
	struct str client;  /* as it called itself */
	bool is_host_valid; /* and that is a domain or an address literal */
	struct str peer, hostname;
	struct str protocol; /* "ESMTPS": RFC 3848, RFC 6531 §4.3 */
	struct str tls;      /* its version and cipher, or "" */
	struct str id;
	struct str rcpt; /* "" if there are several: one need not know of the other */
	int64_t at;      /* Unix time */
	bool is_local;   /* from a program here: only of that user, and no host */
	uint32_t uid;
};

void message_received_add(struct buf *out, const struct message_hop *hop);
void message_return_path_add(struct buf *out, struct str sender);
