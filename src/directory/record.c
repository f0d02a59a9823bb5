#include "directory/record.h"

#include "base/codec.h"

enum { VERSION = 1, ADDRESS_ACCOUNT = 1, ADDRESS_ALIAS = 2 };

struct str record_domain_key(struct arena *arena, struct str domain)
{
	return arena_printf(arena, "d/dom/%.*s", STR_FMT(domain));
}

struct str record_address_key(struct arena *arena, struct str local, struct str domain)
{
	return arena_printf(arena, "d/adr/%.*s@%.*s", STR_FMT(local), STR_FMT(domain));
}

struct str record_account_key(struct arena *arena, account_t account)
{
	return arena_printf(arena, "d/acc/%08x", account);
}

struct str record_dkim_key(struct arena *arena, struct str domain)
{
	return arena_printf(arena, "d/dkm/%.*s", STR_FMT(domain));
}

void record_add_domain(struct buf *value)
{
	enc_u8(value, VERSION);
}

void record_add_number(struct buf *value, account_t number)
{
	enc_u32(value, number);
}

void record_add_address(struct buf *value, const struct directory_entry *entry)
{
	if (entry->target_count == 0) {
		enc_u8(value, ADDRESS_ACCOUNT);
		enc_u32(value, entry->account);
		return;
	}
	enc_u8(value, ADDRESS_ALIAS);
	enc_var(value, entry->target_count);
	for (size_t i = 0; i < entry->target_count; i++)
		enc_str(value, entry->targets[i]);
}

void record_add_account(struct buf *value, const struct account_record *record)
{
	enc_u8(value, VERSION);
	enc_u8(value, (uint8_t)record->state);
	enc_u8(value, (uint8_t)record->role);
	enc_str(value, record->address);
}

bool record_number(struct str value, account_t *number)
{
	struct dec dec = dec_over(value);
	account_t found = dec_u32(&dec);

	if (!dec_done(&dec))
		return false;
	*number = found;
	return true;
}

enum directory_find record_address(struct str value, struct arena *arena,
				   struct directory_entry *entry)
{
	struct dec dec = dec_over(value);
	uint8_t kind = dec_u8(&dec);
	struct str *targets;
	size_t count;

	*entry = (struct directory_entry){0};
	if (kind == ADDRESS_ACCOUNT) {
		entry->account = dec_u32(&dec);
		return dec_done(&dec) && entry->account != ACCOUNT_SYSTEM
			       ? DIRECTORY_ACCOUNT
			       : DIRECTORY_UNKNOWN;
	}
	if (kind != ADDRESS_ALIAS)
		return DIRECTORY_UNKNOWN;
	count = (size_t)dec_var_max(&dec, RECORD_TARGETS_MAX);
	targets = ARENA_ARRAY(arena, struct str, count + 1);
	if (!targets)
		return DIRECTORY_UNKNOWN;
	for (size_t i = 0; i < count; i++)
		targets[i] = dec_str(&dec);
	if (!dec_done(&dec) || count == 0)
		return DIRECTORY_UNKNOWN;
	entry->targets = targets;
	entry->target_count = count;
	return DIRECTORY_ALIAS;
}

bool record_account(struct str value, struct account_record *record)
{
	struct dec dec = dec_over(value);
	uint8_t version = dec_u8(&dec), state = dec_u8(&dec), role = dec_u8(&dec);

	record->state = state == ACCOUNT_LIVE ? ACCOUNT_LIVE : ACCOUNT_REMOVED;
	record->role = role == DIRECTORY_SHARED  ? DIRECTORY_SHARED
		       : role == DIRECTORY_ADMIN ? DIRECTORY_ADMIN
						 : DIRECTORY_PERSON;
	record->address = dec_str(&dec);
	return dec_done(&dec) && version == VERSION &&
	       (state == ACCOUNT_LIVE || state == ACCOUNT_REMOVED) &&
	       role <= DIRECTORY_SHARED;
}

void record_add_dkim(struct buf *value, const struct directory_dkim *keys, size_t count)
{
	enc_u8(value, VERSION);
	enc_var(value, count);
	for (size_t i = 0; i < count; i++) {
		enc_str(value, keys[i].selector);
		enc_u8(value, (uint8_t)keys[i].kind);
		enc_u8(value, (uint8_t)keys[i].state);
		enc_u64(value, (uint64_t)keys[i].since_s);
	}
}

static bool take_dkim(struct dec *dec, struct directory_dkim *key)
{
	key->selector = dec_str(dec);
	uint8_t kind = dec_u8(dec), state = dec_u8(dec);

	key->since_s = (int64_t)dec_u64(dec);
	key->kind = kind == VAULT_DKIM_RSA ? VAULT_DKIM_RSA : VAULT_DKIM_ED25519;
	key->state = (enum dkim_key_state)state;
	return dec_ok(dec) && kind <= VAULT_DKIM_ED25519 && state >= DKIM_KEY_NEXT &&
	       state <= DKIM_KEY_RETIRED;
}

bool record_dkim(struct str value, struct arena *arena, struct directory_dkim **keys,
		 size_t *count)
{
	struct dec dec = dec_over(value);
	uint8_t version = dec_u8(&dec);
	uint64_t given = dec_var(&dec);

	if (!dec_ok(&dec) || version != VERSION || given > DIRECTORY_DKIM_MAX)
		return false;
	*keys = ARENA_ARRAY(arena, struct directory_dkim, DIRECTORY_DKIM_MAX);
	if (!*keys)
		return false;
	for (*count = 0; *count < given; (*count)++)
		if (!take_dkim(&dec, &(*keys)[*count]))
			return false;
	return dec_done(&dec);
}

void record_add_srs(struct buf *value, const struct srs_keys *keys)
{
	enc_u8(value, VERSION);
	enc_var(value, keys->count);
	for (size_t i = 0; i < keys->count; i++) {
		enc_u64(value, (uint64_t)keys->keys[i].since_s);
		buf_add(value,
			(struct str){(const char *)keys->keys[i].octets, SRS_KEY_BYTES});
	}
}

bool record_srs(struct str value, struct srs_keys *keys)
{
	struct dec dec = dec_over(value);
	uint8_t version = dec_u8(&dec);
	uint64_t given = dec_var(&dec);

	if (!dec_ok(&dec) || version != VERSION || given > SRS_KEYS_MAX)
		return false;
	keys->count = 0;
	while (keys->count < given) {
		struct srs_key *key = &keys->keys[keys->count++];

		key->since_s = (int64_t)dec_u64(&dec);
		struct str octets = dec_bytes(&dec, SRS_KEY_BYTES);

		if (!dec_ok(&dec))
			return false;
		memcpy(key->octets, octets.ptr, SRS_KEY_BYTES);
	}
	return dec_done(&dec);
}
