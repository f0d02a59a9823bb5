/* What the vault asks of OpenSSL about keys and certificates, in our types. */
#pragma once

#include <openssl/evp.h>

#include "base/buf.h"
#include "vault/vault.h"

/* For SCOPED. */
void x509_key_free(EVP_PKEY **key);

/* A fresh ECDSA P-256 key; NULL if OpenSSL fails. */
EVP_PKEY *x509_key_new(void);
/* PKCS #8 DER, as kept on disk. */
[[nodiscard]] bool x509_key_write(const EVP_PKEY *key, struct buf *der);
EVP_PKEY *x509_key_read(struct str der);
EVP_PKEY *x509_key_read_pem(struct str pem);
/* Appends 32 hexadecimal digits that name the public key. */
[[nodiscard]] bool x509_key_id(const EVP_PKEY *key, struct buf *id);

/* A certificate for host and localhost, signed with its own key, as PEM. */
[[nodiscard]] bool x509_self_sign(EVP_PKEY *key, struct str host, struct buf *pem);
/* True if the PEM text holds certificates and the first is for this key. */
[[nodiscard]] bool x509_chain_fits(struct str chain_pem, const EVP_PKEY *key);

/* ERR_DENIED if the key is of another kind or the input of the wrong length. */
[[nodiscard]] err_t x509_sign(EVP_PKEY *key, enum vault_sign_kind kind, struct str input,
			      struct buf *signature);
