#include "store/acl.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/codec.h"
#include "store/digest.h"

enum { ACL_VERSION = 1, LEAST_ENTRY = 4 };

static void entry_write(struct buf *value, const struct acl_entry *entry)
{
	enc_u8(value, (uint8_t)entry->who.kind);
	enc_u8(value, entry->who.is_negative);
	enc_var(value, entry->who.account);
	enc_var(value, entry->rights);
}

void acl_write(struct buf *value, const struct acl *acl)
{
	enc_u8(value, ACL_VERSION);
	enc_var(value, acl->count);
	for (size_t i = 0; i < acl->count; i++)
		entry_write(value, &acl->entries[i]);
}

static size_t begin(struct dec *dec)
{
	if (dec_u8(dec) != ACL_VERSION)
		dec->failed = true;
	return (size_t)dec_var_max(dec, ACL_ENTRIES_MAX);
}

static struct acl_entry entry_read(struct dec *dec)
{
	uint8_t kind = dec_u8(dec);
	struct acl_entry entry = {.who.is_negative = dec_u8(dec) != 0};

	entry.who.account = (account_t)dec_var_max(dec, UINT32_MAX);
	entry.rights = (uint32_t)dec_var_max(dec, UINT32_MAX);
	if (kind != ACL_ACCOUNT && kind != ACL_ANYONE)
		dec->failed = true;
	entry.who.kind = kind == ACL_ANYONE ? ACL_ANYONE : ACL_ACCOUNT;
	return entry;
}

bool acl_read(struct str value, struct arena *arena, struct acl *acl)
{
	struct dec dec = dec_over(value);
	size_t count = begin(&dec);

	*acl = (struct acl){0};
	if (!dec_ok(&dec) || count > dec.rest.len / LEAST_ENTRY)
		return false;
	acl->entries = ARENA_ARRAY(arena, struct acl_entry, count + 1);
	if (!acl->entries)
		return false;
	for (size_t i = 0; i < count; i++)
		acl->entries[i] = entry_read(&dec);
	acl->count = dec_done(&dec) ? count : 0;
	return dec_done(&dec);
}

uint32_t acl_rights(struct str value, account_t account)
{
	struct dec dec = dec_over(value);
	uint32_t given = 0, taken = 0;

	for (size_t left = begin(&dec); left > 0 && dec_ok(&dec); left--) {
		struct acl_entry entry = entry_read(&dec);

		if (entry.who.kind == ACL_ACCOUNT && entry.who.account != account)
			continue;
		*(entry.who.is_negative ? &taken : &given) |= entry.rights;
	}
	return dec_done(&dec) ? given & ~taken : 0;
}

static bool is_same(const struct acl_who *a, const struct acl_who *b)
{
	return a->kind == b->kind && a->is_negative == b->is_negative &&
	       a->account == b->account;
}

bool acl_gives(struct str value, const struct acl_who *who)
{
	struct dec dec = dec_over(value);
	bool is_there = false;

	for (size_t left = begin(&dec); left > 0 && dec_ok(&dec); left--) {
		struct acl_entry entry = entry_read(&dec);

		is_there |= is_same(&entry.who, who) && entry.rights != 0;
	}
	return dec_done(&dec) && is_there;
}

/* ---- letters ----------------------------------------------------------------------- */

static const char letters_of[] = "lrswipkxtea";

void acl_add_letters(struct buf *out, uint32_t rights)
{
	for (size_t i = 0; letters_of[i]; i++)
		if (rights & 1u << i)
			buf_add_byte(out, letters_of[i]);
	if (rights & (ACL_CREATE | ACL_DELETE))
		buf_add_byte(out, 'c');
	if (rights & (ACL_TRASH | ACL_EXPUNGE))
		buf_add_byte(out, 'd');
}

bool acl_letters(struct str letters, uint32_t *rights)
{
	*rights = 0;
	for (size_t i = 0; i < letters.len; i++) {
		const char *found = strchr(letters_of, letters.ptr[i]);

		if (letters.ptr[i] == 'c')
			*rights |= ACL_CREATE | ACL_DELETE;
		else if (letters.ptr[i] == 'd')
			*rights |= ACL_TRASH | ACL_EXPUNGE;
		else if (found && *found)
			*rights |= 1u << (found - letters_of);
		else
			return false;
	}
	return true;
}

/* ---- names of pairs ---------------------------------------------------------------- */

static struct str PRINTF_LIKE(2, 3) named(struct pair_key *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(key->bytes, sizeof key->bytes, format, args);

	va_end(args);
	ASSERT(len > 0 && (size_t)len < sizeof key->bytes);
	return (struct str){key->bytes, (size_t)len};
}

struct str pair_acl(struct pair_key *key, uint64_t mailbox)
{
	return named(key, "acl/%012llx", (unsigned long long)mailbox);
}

struct str pair_seen(struct pair_key *key, uint64_t mailbox, account_t account)
{
	return named(key, "seen/%012llx/%08x", (unsigned long long)mailbox, account);
}

struct str pair_from(struct pair_key *key, account_t owner)
{
	return named(key, "from/%08x", owner);
}

struct str pair_anyone(struct pair_key *key, account_t owner)
{
	return named(key, "s/anyone/%08x", owner);
}

struct str pair_subscription(struct pair_key *key, account_t owner, uint64_t mailbox)
{
	return named(key, "sub/%08x/%012llx", owner, (unsigned long long)mailbox);
}

struct str pair_gone(struct pair_key *key, struct str path)
{
	return named(key, "gone/%016llx", (unsigned long long)digest_hash(path));
}

struct str pair_metadata(struct pair_key *key, uint64_t mailbox)
{
	return named(key, "meta/%012llx/", (unsigned long long)mailbox);
}

struct str pair_private(struct pair_key *key, account_t account)
{
	return named(key, "p/%08x/", account);
}

/* So many hexadecimal digits at the front. */
static bool hex(struct str text, size_t digits, uint64_t *number)
{
	static const char set[] = "0123456789abcdef";

	*number = 0;
	if (text.len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		const char *found = strchr(set, text.ptr[i]);

		if (!found || !*found)
			return false;
		*number = *number << 4 | (uint64_t)(found - set);
	}
	return true;
}

uint64_t pair_mailbox(struct str name)
{
	static const struct str fronts[] = {STR("acl/"), STR("seen/"), STR("meta/")};
	uint64_t mailbox;

	for (size_t i = 0; i < COUNT_OF(fronts); i++)
		if (str_starts(name, fronts[i]) &&
		    hex(str_skip(name, fronts[i].len), 12, &mailbox))
			return mailbox;
	return 0;
}

account_t pair_owner(struct str name, uint64_t *mailbox)
{
	static const struct str fronts[] = {STR("from/"), STR("s/anyone/"), STR("sub/")};
	uint64_t owner;

	*mailbox = 0;
	for (size_t i = 0; i < COUNT_OF(fronts); i++) {
		struct str rest = str_skip(name, fronts[i].len);

		if (!str_starts(name, fronts[i]) || !hex(rest, 8, &owner))
			continue;
		if (rest.len > 9)
			(void)hex(str_skip(rest, 9), 12, mailbox); /* 0 if it is none */
		return (account_t)owner;
	}
	return ACCOUNT_SYSTEM;
}

bool pair_is_logged(struct str name, struct change_row *row)
{
	static const struct {
		struct str front;
		enum change_kind kind;
	} logged[] = {{STR("acl/"), CHANGE_RIGHTS},
		      {STR("meta/"), CHANGE_ANNOTATION},
		      {STR("from/"), CHANGE_SHARES},
		      {STR("sub/"), CHANGE_SHARES}};

	*row = (struct change_row){0};
	for (size_t i = 0; i < COUNT_OF(logged); i++) {
		struct str rest = str_skip(name, logged[i].front.len);

		if (!str_starts(name, logged[i].front))
			continue;
		row->kind = logged[i].kind;
		if (row->kind == CHANGE_SHARES)
			return true;
		if (!hex(rest, 12, &row->mailbox))
			return false;
		if (row->kind == CHANGE_ANNOTATION)
			row->entry = str_skip(rest, 13);
		return true;
	}
	return false;
}

bool pair_is_kept(struct str name)
{
	return str_starts(name, STR("acl/")) || str_starts(name, STR("seen/")) ||
	       str_starts(name, STR("from/"));
}
