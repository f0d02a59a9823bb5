#include "net/tls_peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "net/tls_kept.h"

const char *tls_flaw_name(enum tls_flaw flaw)
{
	static const char *const names[TLS_FLAWS] = {
		[TLS_FLAW_NONE] = "",
		[TLS_FLAW_NOT_OFFERED] = "starttls-not-supported",
		[TLS_FLAW_HOST] = "certificate-host-mismatch",
		[TLS_FLAW_EXPIRED] = "certificate-expired",
		[TLS_FLAW_NOT_TRUSTED] = "certificate-not-trusted",
		[TLS_FLAW_VALIDATION] = "validation-failure",
		[TLS_FLAW_TLSA] = "tlsa-invalid",
		[TLS_FLAW_DNSSEC] = "dnssec-invalid",
		[TLS_FLAW_DANE_REQUIRED] = "dane-required",
		[TLS_FLAW_STS_FETCH] = "sts-policy-fetch-error",
		[TLS_FLAW_STS_POLICY] = "sts-policy-invalid",
		[TLS_FLAW_STS_WEBPKI] = "sts-webpki-invalid",
	};

	return names[flaw];
}

/* A certificate or a key in DER, and nothing behind it. */
static bool is_whole(const struct dns_tlsa *record)
{
	const unsigned char *at = (const unsigned char *)record->association.ptr;
	const unsigned char *end = at + record->association.len;
	bool is_read = false;

	if (record->selector == 0) {
		X509 *certificate = d2i_X509(NULL, &at, (long)record->association.len);

		is_read = certificate && X509_get0_pubkey(certificate);
		X509_free(certificate);
	} else {
		EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)record->association.len);

		is_read = key;
		EVP_PKEY_free(key);
	}
	ERR_clear_error();
	return is_read && at == end;
}

/* PKIX-TA(0) and PKIX-EE(1) are none of SMTP's: RFC 7672 §3.1.3. */
bool tls_can_use(const struct dns_tlsa *record)
{
	if ((record->usage != 2 && record->usage != 3) || record->selector > 1)
		return false;
	switch (record->matching) {
	case 0:
		return is_whole(record);
	case 1:
		return record->association.len == 32;
	case 2:
		return record->association.len == 64;
	default: /* a number from outside, no enum */
		return false;
	}
}

void tls_peer_context(SSL_CTX *context)
{
	ASSERT(SSL_CTX_dane_enable(context) == 1);
	/* RFC 7672 §3.1.1: it MUST be ignored what name stands in the certificate. */
	(void)SSL_CTX_dane_set_flags(context, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	/* Weak encryption is better than none, which would be the other choice
	 * (RFC 7435 §3), as long as nobody wants more. */
	ASSERT(SSL_CTX_set_cipher_list(context, "HIGH:!aNULL:!eNULL") == 1);
	tls_kept_context(context);
}

static bool add_records(SSL *ssl, const struct tls_peer *peer)
{
	bool is_added = false;

	for (size_t i = 0; i < peer->record_count; i++) {
		const struct dns_tlsa *record = &peer->records[i];

		if (tls_can_use(record))
			is_added |=
				SSL_dane_tlsa_add(
					ssl, record->usage, record->selector,
					record->matching,
					(const unsigned char *)record->association.ptr,
					record->association.len) == 1;
	}
	return is_added;
}

static bool want(SSL *ssl, const struct tls_peer *peer)
{
	char name[DNS_NAME_MAX + 1];

	if (peer->name_count == 0 || peer->names[0].len == 0 ||
	    !str_to_c(peer->names[0], name, sizeof name))
		return false;
	/* RFC 7672 §8.1: the TLSA base domain.  It sets SNI too. */
	if (peer->check == TLS_CHECK_DANE &&
	    (SSL_dane_enable(ssl, name) != 1 || !add_records(ssl, peer)))
		return false;
	if (SSL_set_tlsext_host_name(ssl, name) != 1)
		return false;
	SSL_set_security_level(ssl, peer->is_binding ? 1 : 0);
	SSL_set_verify(ssl, peer->is_binding ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (peer->check == TLS_CHECK_NOTHING)
		return true;
	/* RFC 8461 §4.2: the names of hosts, not that of the subject. */
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				       (peer->check == TLS_CHECK_NAME
						? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
						: 0));
	if (SSL_set1_host(ssl, name) != 1)
		return false;
	for (size_t i = 1; i < peer->name_count; i++)
		if (!str_to_c(peer->names[i], name, sizeof name) ||
		    SSL_add1_host(ssl, name) != 1)
			return false;
	return true;
}

SSL *tls_peer_session(SSL_CTX *context, const struct tls_peer *peer)
{
	SSL *ssl = SSL_new(context);

	ASSERT(ssl);
	ERR_clear_error();
	SSL_set_connect_state(ssl);
	if (want(ssl, peer)) {
		tls_kept_offer(ssl, peer);
		return ssl;
	}
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}

static enum tls_flaw flaw_of(long result)
{
	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
		return TLS_FLAW_HOST;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_FLAW_EXPIRED;
	case X509_V_ERR_DANE_NO_MATCH:
		return TLS_FLAW_TLSA;
	default: /* a number of OpenSSL's */
		return TLS_FLAW_NOT_TRUSTED;
	}
}

static void say(struct tls_outcome *outcome, enum tls_flaw flaw, const char *why)
{
	outcome->flaw = flaw;
	(void)snprintf(outcome->why, sizeof outcome->why, "%s", why);
}

void tls_peer_look(SSL *ssl, const struct tls_peer *peer, err_t err,
		   struct tls_outcome *outcome)
{
	long result = SSL_get_verify_result(ssl);
	bool is_checked = peer->check != TLS_CHECK_NOTHING;
	unsigned long error = err == ERR_CLOSED ? ERR_peek_error() : 0;
	const char *reason = error ? ERR_reason_error_string(error) : NULL;

	say(outcome, TLS_FLAW_NONE, "");
	if (is_checked && result != X509_V_OK)
		say(outcome, flaw_of(result), X509_verify_cert_error_string(result));
	else if (err != OK)
		say(outcome, TLS_FLAW_VALIDATION,
		    reason              ? reason
		    : err == ERR_CLOSED ? "the connection was closed in the handshake"
					: err_text(err));
	else if (peer->check == TLS_CHECK_DANE && !SSL_session_reused(ssl) &&
		 SSL_get0_dane_authority(ssl, NULL, NULL) < 0)
		say(outcome, TLS_FLAW_TLSA, "no TLSA record matches");
	else
		tls_kept_good(ssl);
	ERR_clear_error();
}
