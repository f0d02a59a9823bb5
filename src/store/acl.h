/* Who may do what in a mailbox: its access control list (RFC 4314), and the names of all
 * pairs that sharing keeps.
 *
 * A list is a pair of the owner's account, and the truth.  It holds numbers of accounts,
 * never names: whoever gets a name after somebody else gets none of his rights.
 *
 *   acl/MAILBOX            u8 1, var count, then for each entry u8 enum acl_kind,
 *                          u8 is_negative, var account, var rights
 *   seen/MAILBOX/ACCOUNT   which messages that visitor has seen: u8 1, a UID set
 *   meta/MAILBOX/...       annotations (imap/metadata.h)
 *   from/OWNER             in the visitor's account: there may be mailboxes of that owner
 *                          which he may use.  A hint, written before the list, so that
 *                          nothing is missing; each use looks at the list
 *   s/anyone/OWNER         in the system account: the same, for everybody
 *   sub/OWNER/MAILBOX      in the visitor's account: he subscribed to it
 *   gone/HASH              one subscribed to a mailbox of one's own that is gone: its
 *                          whole name, of which HASH is the digest_hash()
 *
 * Mailboxes are 12 hexadecimal digits, accounts 8, hashes 16.  Everything here is pure.
 */
#pragma once

#include "base/buf.h"
#include "store/types.h"

/* In the order of RFC 4314 §2.1.  The bits above are free: for the rights of other
 * protocols, such as those of Exchange (own items only, free and busy times). */
enum acl_right {
	ACL_LOOKUP = 1,
	ACL_READ = 2,
	ACL_SEEN = 4,
	ACL_WRITE = 8,
	ACL_INSERT = 16,
	ACL_POST = 32,
	ACL_CREATE = 64,   /* k */
	ACL_DELETE = 128,  /* x: the mailbox */
	ACL_TRASH = 256,   /* t: \Deleted */
	ACL_EXPUNGE = 512, /* e */
	ACL_ADMIN = 1024,
	ACL_RIGHTS = 2047, /* all that are known */
};
enum {
	ACL_ENTRIES_MAX = 500,
	SUBSCRIBED_GONE_MAX = 500, /* "gone/" pairs of an account */
};

struct acl {
	struct acl_entry *entries;
	size_t count;
};

void acl_write(struct buf *value, const struct acl *acl);
/* False if the octets are none of ours, or at the arena's bound. */
[[nodiscard]] bool acl_read(struct str value, struct arena *arena, struct acl *acl);
/* The account's rights by that list: what it gives to the account and to anyone, less
 * what it takes from them.  RFC 4314 §2.  None if it is damaged. */
uint32_t acl_rights(struct str value, account_t account);
/* Does it give anything to exactly this one? */
bool acl_gives(struct str value, const struct acl_who *who);

/* Appends the letters, in the order above, and the old "c" and "d" (RFC 4314 §2.1.1). */
void acl_add_letters(struct buf *out, uint32_t rights);
/* False if one of them is no right. */
[[nodiscard]] bool acl_letters(struct str letters, uint32_t *rights);

struct pair_key {
	char bytes[48];
};
struct str pair_acl(struct pair_key *key, uint64_t mailbox);
struct str pair_seen(struct pair_key *key, uint64_t mailbox, account_t account);
struct str pair_from(struct pair_key *key, account_t owner);
struct str pair_anyone(struct pair_key *key, account_t owner);
struct str pair_subscription(struct pair_key *key, account_t owner, uint64_t mailbox);
struct str pair_gone(struct pair_key *key, struct str path);
/* "meta/MAILBOX/", and behind it what is one account's own: "p/ACCOUNT/" */
struct str pair_metadata(struct pair_key *key, uint64_t mailbox);
struct str pair_private(struct pair_key *key, account_t account);
/* The mailbox of an "acl/", "seen/" or "meta/" pair; 0 if it is none. */
uint64_t pair_mailbox(struct str name);
/* The owner of a "from/" or "s/anyone/" pair, or of a subscription, whose mailbox is set
 * as well; 0 if it is none. */
account_t pair_owner(struct str name, uint64_t *mailbox);
/* Whether the account's change log tells when that pair is put or removed: as what, of
 * which mailbox, and which annotation. */
bool pair_is_logged(struct str name, struct change_row *row);
/* A pair that only the store process writes. */
bool pair_is_kept(struct str name);
#define PAIR_ACLS          STR("acl/")
#define PAIR_FROM          STR("from/")
#define PAIR_ANYONE        STR("s/anyone/")
#define PAIR_SUBSCRIPTIONS STR("sub/")
#define PAIR_GONE          STR("gone/")
