/* The directory's rows as octets: keys and values of the system account's small pairs.
 *
 *   d/dom/DOMAIN        u8 version 1
 *   d/adr/LOCAL@DOMAIN  u8 1, u32 account                 an account's address
 *                       u8 2, var count, count × string   an alias and its targets
 *   d/acc/HHHHHHHH      u8 1, u8 state, u8 role, string address; the number is in
 *                       hexadecimal.  A removed account keeps its row, so that the number
 *                       is never given again.
 *   d/dkm/DOMAIN        u8 1, var count, count × {string selector, u8 0 RSA or 1 Ed25519,
 *                       u8 1 next, 2 active or 3 retired, u64 since (seconds since 1970)}
 *   d/srs               u8 1, var count × {u64 since (seconds since 1970), 32 octets},
 * the newest first d/next              u32 the number to try next d/postmaster        u32
 * the account that gets mail to postmaster@DOMAIN where nobody else does
 *
 * Nothing suspends.  Decoded slices borrow the value.
 */
#pragma once

#include "base/buf.h"
#include "directory/directory.h"
#include "directory/dkim.h"
#include "directory/srs_keys.h"

enum { RECORD_TARGETS_MAX = 1000 };

enum account_state { ACCOUNT_LIVE = 1, ACCOUNT_REMOVED = 2 };

struct account_record {
	enum account_state state;
	enum directory_role role;
	struct str address;
};

#define RECORD_NEXT       STR("d/next")
#define RECORD_POSTMASTER STR("d/postmaster")
#define RECORD_DOMAINS    STR("d/dom/")
#define RECORD_ADDRESSES  STR("d/adr/")
#define RECORD_ACCOUNTS   STR("d/acc/")
#define RECORD_SRS        STR("d/srs")

/* Keys; "" when the arena is full. */
struct str record_domain_key(struct arena *arena, struct str domain);
struct str record_address_key(struct arena *arena, struct str local, struct str domain);
struct str record_account_key(struct arena *arena, account_t account);
struct str record_dkim_key(struct arena *arena, struct str domain);

void record_add_domain(struct buf *value);
void record_add_number(struct buf *value, account_t number);
void record_add_address(struct buf *value, const struct directory_entry *entry);
void record_add_account(struct buf *value, const struct account_record *record);

void record_add_srs(struct buf *value, const struct srs_keys *keys);
void record_add_dkim(struct buf *value, const struct directory_dkim *keys, size_t count);

/* False if the octets are none of ours (damage, or a newer version). */
[[nodiscard]] bool record_number(struct str value, account_t *number);
/* DIRECTORY_ACCOUNT or DIRECTORY_ALIAS; DIRECTORY_UNKNOWN if they are none of ours or the
 * arena is full. */
enum directory_find record_address(struct str value, struct arena *arena,
				   struct directory_entry *entry);
[[nodiscard]] bool record_account(struct str value, struct account_record *record);
[[nodiscard]] bool record_dkim(struct str value, struct arena *arena,
			       struct directory_dkim **keys, size_t *count);
[[nodiscard]] bool record_srs(struct str value, struct srs_keys *keys);
