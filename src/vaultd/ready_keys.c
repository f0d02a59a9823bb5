#include "vaultd/ready_keys.h"

void secret_wipe(struct buf *buf)
{
	if (buf->ptr)
		explicit_bzero(buf->ptr, buf->room);
	buf_fini(buf);
}

void ready_keys_fini(struct ready_keys *ready)
{
	for (size_t i = 0; i < READY_KEYS_MAX; i++)
		x509_key_free(&ready->keys[i].key);
}

static struct ready_key *place_of(struct ready_keys *ready, struct str name)
{
	for (size_t i = 0; i < READY_KEYS_MAX; i++) {
		struct ready_key *place = &ready->keys[i];

		if (place->key &&
		    str_same((struct str){place->name, place->name_len}, name))
			return place;
	}
	return NULL;
}

EVP_PKEY *ready_keys_find(struct ready_keys *ready, struct str name)
{
	SCOPED(secret_wipe) struct buf der = BUF(KEY_DER_BYTES_MAX);
	struct ready_key *place = place_of(ready, name);

	if (place)
		return place->key;
	(void)buf_room(&der, KEY_DER_BYTES_MAX); /* growing would leave copies */
	if (name.len > READY_NAME_MAX || secrets_get(ready->secrets, name, &der) != OK)
		return NULL;
	EVP_PKEY *key = x509_key_read(buf_str(&der));

	if (!key)
		return NULL;
	place = &ready->keys[ready->next++ % READY_KEYS_MAX];
	x509_key_free(&place->key);
	place->key = key;
	place->name_len = name.len;
	memcpy(place->name, name.ptr, name.len);
	return key;
}

void ready_keys_forget(struct ready_keys *ready, struct str name)
{
	struct ready_key *place = place_of(ready, name);

	if (place)
		x509_key_free(&place->key);
}

bool ready_keys_write(const EVP_PKEY *key, struct buf *der)
{
	(void)buf_room(der, KEY_DER_BYTES_MAX); /* growing would leave copies */
	return x509_key_write(key, der) && buf_ok(der);
}
