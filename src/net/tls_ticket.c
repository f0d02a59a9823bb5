#include "net/tls_ticket.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/rand.h"

static int tickets_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static bool set_up(struct tls_ticket_key *key, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		   const unsigned char *iv, int is_sealing)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac,
						  sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 (char[]){"SHA256"}, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1 &&
	       EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv,
				 is_sealing) == 1;
}

/* OpenSSL's contract: 1 done, 2 opened but issue a new one, 0 no ticket, -1 failure. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
		     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int is_sealing)
{
	SSL_CTX *context = SSL_get_SSL_CTX(ssl);
	struct tls_tickets *tickets = SSL_CTX_get_ex_data(context, tickets_index());

	if (!tickets || tickets->count == 0)
		return 0;
	if (is_sealing) {
		memcpy(name, tickets->keys[0].name, sizeof tickets->keys[0].name);
		rand_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
		return set_up(&tickets->keys[0], cipher, mac, iv, is_sealing) ? 1 : -1;
	}
	for (size_t i = 0; i < tickets->count; i++) {
		struct tls_ticket_key *key = &tickets->keys[i];

		if (memcmp(name, key->name, sizeof key->name) != 0)
			continue;
		if (!set_up(key, cipher, mac, iv, is_sealing))
			return -1;
		/* RFC 8446 §C.4: a ticket should be used once, so there is a next. */
		return i > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
	}
	return 0;
}

void tls_tickets_attach(SSL_CTX *context, struct tls_tickets *tickets)
{
	ASSERT(SSL_CTX_set_ex_data(context, tickets_index(), tickets) == 1);
	ASSERT(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1);
}

void tls_tickets_set(struct tls_tickets *tickets, struct str current, struct str previous)
{
	ASSERT(current.len == TLS_TICKET_KEY_BYTES);
	memcpy(&tickets->keys[0], current.ptr, current.len);
	tickets->count = 1;
	if (previous.len == 0)
		return;
	ASSERT(previous.len == TLS_TICKET_KEY_BYTES);
	memcpy(&tickets->keys[1], previous.ptr, previous.len);
	tickets->count = 2;
}
