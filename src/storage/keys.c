/* Every key is {account u32, table u8, rest}, big-endian, so that what belongs to an
 * account stands together.  Numbers of mailboxes, messages, rows and changes have 48
 * bits.
 *
 *   A                               account row: counters, usage, limits
 *   B  mailbox                      mailbox row
 *   C  parent, name                 number of the mailbox
 *   D  -change, -part u32           change log: what a commit changed
 *   E  message, part u8             part 0 message row: body, sizes, dates, trace;
 *                                   1 digest; 2 envelope that its queue rows share;
 *                                   3 thread, if it is not the message's own
 *   F  mailbox, -uid u32            membership: flags, keywords, which message
 *   G  row                          queue row, one a recipient
 *   H  key                          small key-value pairs
 *   I  key                          first result of a commit, behind the minute when it
 *                                   was kept; until forgotten, or for a week
 *   J  hash u64                     an identifier (Message-ID) or a base subject: the
 *                                   thread it leads to, how many messages name it, and
 *                                   of a subject when the newest of them came
 *   K  membership                   one that was expunged, and can still be brought back
 *
 * Of account 0, the system, only:
 *
 *   M  queue id, account u32, message       messages in the queue by queue id
 *   N  domain                         queue rows for recipients there, counted
 *   O  minute u32, account u32, key   that there is such a result
 *   P  minute u32, key, account u32   first result of a commit, forgotten in time
 *   Q  account u32, mailbox           deleted mailbox whose memberships still stand
 *   R  pack u32, offset u64, account u32, message   who shares a body with others
 *   S                                 state of the store
 *   T  day u32, account u32           when an account's change log is to be trimmed, in
 *                                     days since 1970; day 0: it is too long
 *   U  pack u32                       how much of the pack is needed
 *   V  account u32, message           mail whose body is lost, set aside
 *   W  kind u8, class u8, due u64, account u32, row   queue rows by urgency and the
 *                                           time they are due
 *   X  until u64, account u32, membership   expunged ones by the time they are let go
 *   Y  8 octets of a frame's SHA-256  a message with that body
 *   Z  pack u32, offset u64           body that nobody needs any more
 *
 * A minus means that all bits are inverted, so that the newest comes first.  That, and
 * the order of the tables, is for the pages that a delivery writes: its change stands
 * beside the account and mailbox rows, its membership in INBOX (always mailbox 1) beside
 * the message row, so that two pages take what would be six.
 */
#include "storage/keys.h"

#include "base/codec.h"
#include "base/num.h"

static void add_byte(struct key *key, unsigned byte)
{
	key->bytes[key->len++] = (char)(unsigned char)byte;
}

static void add_number(struct key *key, uint64_t number, unsigned octets)
{
	while (octets > 0)
		add_byte(key, (unsigned)(number >> (8 * --octets)) & 255);
}

static void add_text(struct key *key, struct str text)
{
	ASSERT(text.len <= sizeof key->bytes - key->len);
	if (text.len > 0)
		memcpy(key->bytes + key->len, text.ptr, text.len);
	key->len += text.len;
}

static struct str done(const struct key *key)
{
	return (struct str){key->bytes, key->len};
}

static void start(struct key *key, account_t account, enum table table)
{
	key->len = 0;
	add_number(key, account, 4);
	add_byte(key, table);
}

struct str key_table(struct key *key, account_t account, enum table table)
{
	start(key, account, table);
	return done(key);
}

struct str key_numbered(struct key *key, account_t account, enum table table,
			uint64_t number)
{
	start(key, account, table);
	add_number(key, number, 6);
	return done(key);
}

struct str key_account(struct key *key, account_t account)
{
	return key_table(key, account, TABLE_ACCOUNT);
}

struct str key_mailbox(struct key *key, account_t account, uint64_t mailbox)
{
	return key_numbered(key, account, TABLE_MAILBOX, mailbox);
}

struct str key_name(struct key *key, account_t account, uint64_t parent, struct str name)
{
	start(key, account, TABLE_NAME);
	add_number(key, parent, 6);
	add_text(key, name);
	return done(key);
}

struct str key_thread(struct key *key, account_t account, uint64_t hash)
{
	(void)key_table(key, account, TABLE_THREAD);
	add_number(key, hash, 8);
	return done(key);
}

struct str key_message(struct key *key, account_t account, uint64_t message,
		       enum message_part part)
{
	start(key, account, TABLE_MESSAGE);
	add_number(key, message, 6);
	add_byte(key, part);
	return done(key);
}

struct str key_member(struct key *key, account_t account, uint64_t mailbox, uint32_t uid)
{
	start(key, account, TABLE_MEMBER);
	add_number(key, mailbox, 6);
	add_number(key, ~uid, 4);
	return done(key);
}

struct str key_change(struct key *key, account_t account, uint64_t change, uint32_t part)
{
	start(key, account, TABLE_CHANGE);
	add_number(key, ~change, 6);
	add_number(key, ~part, 4);
	return done(key);
}

struct str key_kv(struct key *key, account_t account, struct str name)
{
	start(key, account, TABLE_KV);
	add_text(key, name);
	return done(key);
}

struct str key_kept(struct key *key, account_t account, struct str name)
{
	start(key, account, TABLE_KEPT_KEY);
	add_text(key, name);
	return done(key);
}

struct str key_timed(struct key *key, uint32_t minute, account_t account, struct str name)
{
	start(key, ACCOUNT_SYSTEM, TABLE_TIMED_KEY);
	add_number(key, minute, 4);
	add_text(key, name);
	add_number(key, account, 4);
	return done(key);
}

struct str key_kept_age(struct key *key, uint32_t minute, account_t account,
			struct str name)
{
	start(key, ACCOUNT_SYSTEM, TABLE_KEPT_AGE);
	add_number(key, minute, 4);
	add_number(key, account, 4);
	add_text(key, name);
	return done(key);
}

struct str queue_domain_of(struct str address)
{
	return str_skip(address, str_rfind_byte(address, '@') + 1);
}

struct str key_queue_id(struct key *key, struct str id, account_t account,
			uint64_t message)
{
	start(key, ACCOUNT_SYSTEM, TABLE_QUEUE_ID);
	add_byte(key, (unsigned)id.len);
	add_text(key, id);
	add_number(key, account, 4);
	add_number(key, message, 6);
	return done(key);
}

struct str key_queue_count(struct key *key, struct str address)
{
	start(key, ACCOUNT_SYSTEM, TABLE_QUEUE_COUNT);
	add_text(key, str_first(queue_domain_of(address), QUEUE_DOMAIN_BYTES));
	for (size_t i = KEY_PREFIX_LEN; i < key->len; i++)
		key->bytes[i] = ascii_lower(key->bytes[i]);
	return done(key);
}

struct str key_wait(struct key *key, enum queue_kind kind, enum wait_class class,
		    int64_t due, account_t account, uint64_t row)
{
	start(key, ACCOUNT_SYSTEM, TABLE_WAIT);
	add_byte(key, kind);
	add_byte(key, class);
	add_number(key, due < 0 ? 0 : (uint64_t)due, 8);
	add_number(key, account, 4);
	add_number(key, row, 6);
	return done(key);
}

struct str key_reference(struct key *key, uint32_t pack, uint64_t offset,
			 account_t account, uint64_t message)
{
	start(key, ACCOUNT_SYSTEM, TABLE_REFERENCE);
	add_number(key, pack, 4);
	add_number(key, offset, 8);
	if (message != UINT64_MAX) {
		add_number(key, account, 4);
		add_number(key, message, 6);
	}
	return done(key);
}

struct str key_dead(struct key *key, uint32_t pack, uint64_t offset)
{
	start(key, ACCOUNT_SYSTEM, TABLE_DEAD);
	add_number(key, pack, 4);
	add_number(key, offset, 8);
	return done(key);
}

struct str key_equal(struct key *key, const unsigned char *hash)
{
	start(key, ACCOUNT_SYSTEM, TABLE_EQUAL);
	add_text(key, (struct str){(const char *)hash, 8});
	return done(key);
}

struct str key_pack(struct key *key, uint32_t pack)
{
	start(key, ACCOUNT_SYSTEM, TABLE_PACK);
	add_number(key, pack, 4);
	return done(key);
}

struct str key_expunged(struct key *key, account_t account, uint64_t member)
{
	return key_numbered(key, account, TABLE_EXPUNGED, member);
}

struct str key_expiry(struct key *key, int64_t until, account_t account, uint64_t member)
{
	start(key, ACCOUNT_SYSTEM, TABLE_EXPIRY);
	add_number(key, until < 0 ? 0 : (uint64_t)until, 8);
	add_number(key, account, 4);
	add_number(key, member, 6);
	return done(key);
}

struct str key_purge(struct key *key, account_t account, uint64_t mailbox)
{
	start(key, ACCOUNT_SYSTEM, TABLE_PURGE);
	add_number(key, account, 4);
	add_number(key, mailbox, 6);
	return done(key);
}

struct str key_trim(struct key *key, uint32_t day, account_t account)
{
	start(key, ACCOUNT_SYSTEM, TABLE_TRIM);
	add_number(key, day, 4);
	add_number(key, account, 4);
	return done(key);
}

struct str key_state(struct key *key)
{
	return key_table(key, ACCOUNT_SYSTEM, TABLE_STATE);
}

struct dec key_dec(struct str key)
{
	return dec_over(str_skip(key, KEY_PREFIX_LEN));
}

struct str key_damaged(struct key *key, account_t account, uint64_t message)
{
	start(key, ACCOUNT_SYSTEM, TABLE_DAMAGED);
	add_number(key, account, 4);
	add_number(key, message, 6);
	return done(key);
}

uint32_t key_uid_of(struct str key)
{
	ASSERT(key.len > 4);
	struct dec d = dec_over(str_skip(key, key.len - 4));

	return ~dec_key32(&d);
}

uint64_t key_change_of(struct str key)
{
	struct dec d = key_dec(key);

	return ~dec_key48(&d) & (((uint64_t)1 << NUMBER_MAX_BITS) - 1);
}

account_t key_account_of(struct str key)
{
	struct dec d = dec_over(key);

	return dec_key32(&d);
}

bool key_is_of(struct str key, account_t account, enum table table)
{
	return key.len >= KEY_PREFIX_LEN && key_account_of(key) == account &&
	       (unsigned char)key.ptr[4] == (unsigned char)table;
}
