#include "vaultd/owners.h"

#include "base/codec.h"

enum { OWNED_MAX = 100, FINGERPRINTS_MAX = OWNED_MAX * FINGERPRINT_BYTES };

/* A key, in its own room. */
struct certificate_key {
	char octets[1 + 4 + FINGERPRINT_BYTES];
	size_t len;
};

static struct str key_str(const struct certificate_key *key)
{
	return (struct str){key->octets, key->len};
}

static struct certificate_key owner_key(struct str fingerprint)
{
	struct certificate_key key = {"f", 1 + fingerprint.len};

	ASSERT(fingerprint.len == FINGERPRINT_BYTES);
	memcpy(key.octets + 1, fingerprint.ptr, fingerprint.len);
	return key;
}

/* fingerprint "": what all of the account's keys begin with. */
static struct certificate_key account_key(uint32_t account, struct str fingerprint)
{
	struct certificate_key key = {.len = 5 + fingerprint.len};

	ASSERT(fingerprint.len <= FINGERPRINT_BYTES);
	key.octets[0] = 'a';
	for (int i = 0; i < 4; i++)
		key.octets[1 + i] = (char)(account >> (24 - 8 * i));
	if (fingerprint.len > 0)
		memcpy(key.octets + 5, fingerprint.ptr, fingerprint.len);
	return key;
}

err_t owners_find(struct kv_txn *txn, struct str fingerprint, uint32_t *account)
{
	struct certificate_key key = owner_key(fingerprint);
	struct str value;

	TRY(kv_get(txn, key_str(&key), &value));
	struct dec dec = dec_over(value);

	*account = dec_u32(&dec);
	return dec_done(&dec) ? OK : ERR_SYNTAX;
}

err_t owners_list(struct kv_txn *txn, uint32_t account, struct buf *fingerprints)
{
	SCOPED(kv_cursor_close) struct kv_cursor cursor = {0};
	struct certificate_key key = account_key(account, STR(""));

	TRY(kv_cursor_open(txn, &cursor));
	err_t err = kv_seek(&cursor, key_str(&key));
	for (; err == OK && str_starts(cursor.key, key_str(&key)); err = kv_next(&cursor))
		buf_add(fingerprints, str_skip(cursor.key, key.len));
	if (!buf_ok(fingerprints))
		return ERR_LIMIT;
	return err == ERR_ABSENT ? OK : err;
}

static err_t delete_both(struct kv_txn *txn, uint32_t account, struct str fingerprint)
{
	struct certificate_key owner = owner_key(fingerprint);
	struct certificate_key owned = account_key(account, fingerprint);

	TRY(kv_delete(txn, key_str(&owner)));
	return kv_delete(txn, key_str(&owned));
}

err_t owners_forget(struct kv_txn *txn, uint32_t account)
{
	SCOPED(buf_fini) struct buf all = BUF(FINGERPRINTS_MAX);

	TRY(owners_list(txn, account, &all));
	for (size_t at = 0; at < all.len; at += FINGERPRINT_BYTES)
		TRY(delete_both(
			txn, account,
			str_first(str_skip(buf_str(&all), at), FINGERPRINT_BYTES)));
	return OK;
}

err_t owners_add(struct kv_txn *txn, uint32_t account, struct str fingerprint)
{
	SCOPED(buf_fini) struct buf all = BUF(FINGERPRINTS_MAX), value = BUF(4);
	struct certificate_key owner = owner_key(fingerprint);
	struct certificate_key owned = account_key(account, fingerprint);
	uint32_t whose = 0;
	err_t err = owners_find(txn, fingerprint, &whose);

	if (err == OK)
		return whose == account ? OK : ERR_DENIED;
	if (err != ERR_ABSENT)
		return err;
	TRY(owners_list(txn, account, &all));
	if (all.len == FINGERPRINTS_MAX)
		return ERR_DENIED;
	enc_u32(&value, account);
	TRY(kv_put(txn, key_str(&owner), buf_str(&value)));
	return kv_put(txn, key_str(&owned), STR(""));
}

err_t owners_remove(struct kv_txn *txn, uint32_t account, struct str fingerprint)
{
	uint32_t whose = 0;

	TRY(owners_find(txn, fingerprint, &whose));
	return whose == account ? delete_both(txn, account, fingerprint) : ERR_ABSENT;
}
