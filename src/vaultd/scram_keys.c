#include "vaultd/scram_keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/base64.h"
#include "base/codec.h"
#include "base/rand.h"

/* A nonce is base64 of: u32 when it was made, random octets, the front of a MAC. */
enum { CHANCE_BYTES = 12, MAC_BYTES = 20, NONCE_RAW = 4 + CHANCE_BYTES + MAC_BYTES };
_Static_assert(NONCE_RAW * 4 == SCRAM_NONCE_BYTES * 3, "whole groups of base64");

static void hmac(const unsigned char key[SCRAM_KEY_BYTES], struct str text,
		 unsigned char out[SCRAM_KEY_BYTES])
{
	unsigned len = 0;

	ASSERT(HMAC(EVP_sha256(), key, SCRAM_KEY_BYTES, (const unsigned char *)text.ptr,
		    text.len, out, &len) &&
	       len == SCRAM_KEY_BYTES);
}

bool scram_keys_derive(struct str password, struct scram_keys *keys)
{
	unsigned char salted[SCRAM_KEY_BYTES], client_key[SCRAM_KEY_BYTES];

	if (PKCS5_PBKDF2_HMAC(password.ptr, (int)password.len, keys->salt,
			      SCRAM_SALT_BYTES, (int)keys->iterations, EVP_sha256(),
			      SCRAM_KEY_BYTES, salted) != 1)
		return false;
	hmac(salted, STR("Client Key"), client_key);
	(void)SHA256(client_key, sizeof client_key, keys->stored_key);
	hmac(salted, STR("Server Key"), keys->server_key);
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client_key, sizeof client_key);
	return true;
}

void scram_keys_invent(const unsigned char secret[SCRAM_KEY_BYTES], struct str name,
		       struct scram_keys *keys)
{
	SCOPED(buf_fini) struct buf text = BUF(name.len + 8);
	unsigned char out[SCRAM_KEY_BYTES];

	buf_add(&text, STR("salt\0"));
	for (size_t i = 0; i < name.len; i++)
		buf_add_byte(&text, ascii_lower(name.ptr[i]));
	hmac(secret, buf_str(&text), out);
	*keys = (struct scram_keys){.iterations = SCRAM_ITERATIONS};
	memcpy(keys->salt, out, SCRAM_SALT_BYTES);
	rand_bytes(keys->stored_key, SCRAM_KEY_BYTES);
	rand_bytes(keys->server_key, SCRAM_KEY_BYTES);
}

/* ClientKey is the proof without the signature that only who knows StoredKey can make.
 * RFC 5802 §3. */
bool scram_keys_prove(const struct scram_keys *keys, struct str auth_message,
		      const unsigned char proof[SCRAM_KEY_BYTES],
		      unsigned char signature[SCRAM_KEY_BYTES])
{
	unsigned char key[SCRAM_KEY_BYTES], hash[SCRAM_KEY_BYTES];

	hmac(keys->stored_key, auth_message, key);
	for (size_t i = 0; i < SCRAM_KEY_BYTES; i++)
		key[i] ^= proof[i];
	(void)SHA256(key, sizeof key, hash);
	bool is_right = str_same_secret(
		(struct str){(const char *)hash, sizeof hash},
		(struct str){(const char *)keys->stored_key, sizeof keys->stored_key});

	if (is_right)
		hmac(keys->server_key, auth_message, signature);
	explicit_bzero(key, sizeof key);
	return is_right;
}

static void nonce_mac(const unsigned char secret[SCRAM_KEY_BYTES],
		      const struct scram_occasion *occasion, struct str front,
		      unsigned char out[SCRAM_KEY_BYTES])
{
	SCOPED(buf_fini) struct buf text = BUF(100);

	buf_add(&text, STR("nonce\0"));
	enc_u64(&text, occasion->channel);
	enc_u64(&text, occasion->session);
	enc_u32(&text, occasion->account);
	buf_add(&text, front);
	hmac(secret, buf_str(&text), out);
}

void scram_nonce_make(const unsigned char secret[SCRAM_KEY_BYTES],
		      const struct scram_occasion *occasion, int64_t now_s,
		      char nonce[SCRAM_NONCE_BYTES])
{
	SCOPED(buf_fini) struct buf raw = BUF(NONCE_RAW);
	SCOPED(buf_fini) struct buf text = BUF(SCRAM_NONCE_BYTES);
	unsigned char chance[CHANCE_BYTES], mac[SCRAM_KEY_BYTES];

	enc_u32(&raw, (uint32_t)now_s);
	rand_bytes(chance, sizeof chance);
	buf_add(&raw, (struct str){(const char *)chance, sizeof chance});
	nonce_mac(secret, occasion, buf_str(&raw), mac);
	buf_add(&raw, (struct str){(const char *)mac, MAC_BYTES});
	base64_add(&text, buf_str(&raw));
	ASSERT(buf_ok(&text) && text.len == SCRAM_NONCE_BYTES);
	memcpy(nonce, text.ptr, SCRAM_NONCE_BYTES);
}

bool scram_nonce_is_good(const unsigned char secret[SCRAM_KEY_BYTES],
			 const struct scram_occasion *occasion, int64_t now_s,
			 struct str nonce)
{
	SCOPED(buf_fini) struct buf raw = BUF(NONCE_RAW);
	unsigned char mac[SCRAM_KEY_BYTES];

	if (nonce.len != SCRAM_NONCE_BYTES || !base64_decode(nonce, &raw))
		return false;
	struct str front = str_first(buf_str(&raw), NONCE_RAW - MAC_BYTES);
	struct dec dec = dec_over(front);
	uint32_t age_s = (uint32_t)now_s - dec_u32(&dec);

	nonce_mac(secret, occasion, front, mac);
	return str_same_secret(str_skip(buf_str(&raw), front.len),
			       (struct str){(const char *)mac, MAC_BYTES}) &&
	       age_s <= SCRAM_NONCE_S;
}
