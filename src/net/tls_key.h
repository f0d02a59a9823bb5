/* OpenSSL keys whose private half is elsewhere.  Used inside net/ only. */
#pragma once

#include <openssl/evp.h>

#include "net/tls.h"

struct tls_key {
	tls_sign *sign;
	void *arg;
	char *id; /* its own, of id_len octets */
	size_t id_len;
};

/* A private key that signs by calling key->sign, for this public one; NULL if its kind
 * cannot.  key must outlive it. */
EVP_PKEY *tls_key_over(EVP_PKEY *public_key, struct tls_key *key);
