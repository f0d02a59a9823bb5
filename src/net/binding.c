/* What SASL binds a log-in to: octets that both ends of a TLS channel see, and nobody
 * between them has the same.  RFC 5056. */
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "net/conn_state.h"

enum { EXPORTER_BYTES = 32 };

/* In TLS 1.2 only with the extended master secret, without which another session may have
 * the same.  RFC 9266 §2, §4.2. */
bool conn_tls_exporter(const struct conn *conn, struct buf *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char octets[EXPORTER_BYTES];
	static const unsigned char no_context[1];

	if (!conn->ssl || conn->is_ssl_dead ||
	    (SSL_version(conn->ssl) < TLS1_3_VERSION &&
	     SSL_get_extms_support(conn->ssl) != 1))
		return false;
	if (SSL_export_keying_material(conn->ssl, octets, sizeof octets, label,
				       sizeof label - 1, no_context, 0, 1) != 1)
		return false;
	buf_add(out, (struct str){(const char *)octets, sizeof octets});
	return buf_ok(out);
}

/* The certificate's hash, by the hash it is signed with; SHA-256 in place of what is
 * weaker, or where the signature names none.  RFC 5929 §4.1. */
bool conn_tls_end_point(const struct conn *conn, struct buf *out)
{
	X509 *cert = conn->ssl ? SSL_get_certificate(conn->ssl) : NULL;
	const EVP_MD *hash = EVP_sha256();
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int digest = NID_undef;

	if (!cert)
		return false;
	if (OBJ_find_sigid_algs(X509_get_signature_nid(cert), &digest, NULL) == 1 &&
	    digest != NID_md5 && digest != NID_sha1 && digest != NID_undef)
		hash = EVP_get_digestbynid(digest);
	if (!hash || X509_digest(cert, hash, octets, &len) != 1)
		return false;
	buf_add(out, (struct str){(const char *)octets, len});
	return buf_ok(out);
}
