/* What STORE changes.  RFC 9051 §6.4.6. */
#pragma once

#include "wire/imap/sequence_set.h"

enum imap_store_how { IMAP_STORE_REPLACE, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_store {
	struct imap_sequence_set set;
	enum imap_store_how how;
	bool is_silent;
	struct imap_flags flags;
	bool has_unchanged_since; /* RFC 7162 §3.1.3 */
	uint64_t unchanged_since;
};

/* sequence-set [SP "(" store-modifier ")"] SP store-att-flags */
bool imap_store(struct imap_in *in, struct imap_store *store);
