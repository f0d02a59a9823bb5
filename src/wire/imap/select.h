/* What SELECT and EXAMINE are told beside the mailbox.  RFC 4466 §2.1, RFC 7162 §3.1.8,
 * §3.2.5. */
#pragma once

#include "wire/imap/sequence_set.h"

struct imap_select {
	struct str mailbox;
	bool is_condstore; /* CONDSTORE was said */
	bool is_qresync;   /* QRESYNC was, and then: */
	uint32_t uid_validity;
	uint64_t modseq;
	bool has_known;
	struct imap_sequence_set known; /* UIDs; without "*" */
	/* Samples of what the client knows: the first of numbers has the first of uids,
	 * and so on; as many of the one as of the other.  Empty if none were given. */
	struct imap_sequence_set numbers, uids;
};

/* mailbox [SP "(" select-param *(SP select-param) ")"] */
bool imap_select(struct imap_in *in, struct imap_select *select);
