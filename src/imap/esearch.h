/* The answers to SEARCH and SORT: SEARCH, SORT and ESEARCH responses, and "$".
 * RFC 9051 §7.3.4, RFC 4731, RFC 5182, RFC 5256 §4, RFC 5267 §3, RFC 9394. */
#pragma once

#include "imap/find.h"

/* Finds what the command looks for, no more than it must to answer. */
enum store_outcome esearch_find(struct find *find, const struct imap_command *command,
				struct found *found);
/* Says what was found, and saves it.  Not yet the tagged response.  May suspend. */
enum store_outcome esearch_write(struct session *s, const struct imap_command *command,
				 const struct found *found);
/* "* ESEARCH (TAG "a1") UID". */
void esearch_begin(struct session *s, struct str tag, bool is_uid);
/* "* NO [NOUPDATE ...", RFC 5267 §4.3.1. */
void esearch_refuse_updates(struct session *s, struct str tag);
/* As the client counts: the UID itself, or its sequence number. */
uint32_t esearch_number(const struct session *s, bool is_uid, uint32_t uid);
