#include "net/tls_kept.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "rt/clock.h"

enum {
	KEPT_MAX = 1000,
	EACH_MAX = 4, /* for one identity: connections that are opened at once */
	AGE_S = 3600,
	BUCKETS = 512,
	KEY_BYTES = 32, /* SHA-256 */
};

struct kept {
	struct list_link in_bucket, in_ages;
	unsigned char key[KEY_BYTES];
	SSL_SESSION *session;
	int64_t kept_at;
};

/* Of a context. */
struct shelf {
	struct list buckets[BUCKETS];
	struct list ages; /* the oldest first */
	size_t count;
};

/* Of an SSL: whom its sessions are for. */
struct claim {
	unsigned char key[KEY_BYTES];
	bool is_good, needs_dates;
	SSL_SESSION *early; /* it came before it was known whether the peer is good */
};

/* ---- the shelf --------------------------------------------------------------------- */

static struct list *bucket_of(struct shelf *shelf, const unsigned char key[KEY_BYTES])
{
	return &shelf->buckets[hash64((struct str){(const char *)key, KEY_BYTES}) %
			       BUCKETS];
}

static void drop(struct shelf *shelf, struct kept *kept)
{
	list_remove(bucket_of(shelf, kept->key), &kept->in_bucket);
	list_remove(&shelf->ages, &kept->in_ages);
	shelf->count--;
	SSL_SESSION_free(kept->session);
	mem_free(kept);
}

/* The latest for that key; the oldest if there are EACH_MAX of them. */
static struct kept *find(struct shelf *shelf, const unsigned char key[KEY_BYTES],
			 struct kept **oldest)
{
	struct kept *found = NULL;
	size_t count = 0;

	*oldest = NULL;
	LIST_EACH(bucket_of(shelf, key), link)
	{
		struct kept *one = CONTAINER_OF(link, struct kept, in_bucket);

		if (memcmp(one->key, key, KEY_BYTES) != 0)
			continue;
		if (count++ == 0)
			*oldest = one;
		found = one;
	}
	if (count < EACH_MAX)
		*oldest = NULL;
	return found;
}

static void forget_old(struct shelf *shelf)
{
	int64_t now = clock_s();

	while (!list_is_empty(&shelf->ages)) {
		struct kept *first =
			CONTAINER_OF(shelf->ages.first, struct kept, in_ages);

		if (shelf->count < KEPT_MAX && now - first->kept_at < AGE_S)
			break;
		drop(shelf, first);
	}
}

/* Its certificate is good until the session is forgotten. */
static bool is_good_long(SSL_SESSION *session)
{
	X509 *certificate = SSL_SESSION_get0_peer(session);
	time_t end = (time_t)(clock_s() + AGE_S);

	return certificate && X509_cmp_time(X509_get0_notAfter(certificate), &end) > 0;
}

/* Takes the session over. */
static void keep(struct shelf *shelf, const struct claim *claim, SSL_SESSION *session)
{
	struct kept *oldest;

	if (claim->needs_dates && !is_good_long(session)) {
		SSL_SESSION_free(session);
		return;
	}
	forget_old(shelf);
	(void)find(shelf, claim->key, &oldest); /* for the oldest */
	if (oldest)
		drop(shelf, oldest);
	struct kept *kept = NEW(struct kept);

	memcpy(kept->key, claim->key, KEY_BYTES);
	kept->session = session;
	kept->kept_at = clock_s();
	list_add_last(bucket_of(shelf, kept->key), &kept->in_bucket);
	list_add_last(&shelf->ages, &kept->in_ages);
	shelf->count++;
}

/* ---- what OpenSSL holds for us ------------------------------------------------------
 */

static void shelf_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index,
		       long number, void *arg)
{
	struct shelf *shelf = ptr;

	(void)parent, (void)data, (void)index, (void)number, (void)arg;
	if (!shelf)
		return;
	LIST_EACH(&shelf->ages, link)
	drop(shelf, CONTAINER_OF(link, struct kept, in_ages));
	mem_free(shelf);
}

static void claim_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index,
		       long number, void *arg)
{
	struct claim *claim = ptr;

	(void)parent, (void)data, (void)index, (void)number, (void)arg;
	if (!claim)
		return;
	SSL_SESSION_free(claim->early);
	mem_free(claim);
}

static int shelf_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, shelf_free);
	return index;
}

static int claim_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, claim_free);
	return index;
}

static struct shelf *shelf_of(SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), shelf_index());
}

/* A session can be resumed from now on; 1: we keep it.  With TLS 1.2 that is before the
 * handshake has returned, with 1.3 when tickets are read. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct claim *claim = SSL_get_ex_data(ssl, claim_index());

	if (!claim)
		return 0;
	if (claim->is_good) {
		keep(shelf_of(ssl), claim, session);
	} else {
		SSL_SESSION_free(claim->early);
		claim->early = session;
	}
	return 1;
}

void tls_kept_context(SSL_CTX *context)
{
	ASSERT(SSL_CTX_set_ex_data(context, shelf_index(), NEW(struct shelf)) == 1);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT |
							      SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
}

/* ---- whose sessions they are --------------------------------------------------------
 */

static void digest_number(EVP_MD_CTX *digest, size_t number)
{
	uint64_t wide = number;

	ASSERT(EVP_DigestUpdate(digest, &wide, sizeof wide) == 1);
}

static void digest_text(EVP_MD_CTX *digest, struct str text)
{
	digest_number(digest, text.len);
	ASSERT(EVP_DigestUpdate(digest, text.ptr, text.len) == 1);
}

static EVP_MD_CTX *digest_new(void)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	ASSERT(digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1);
	return digest;
}

static void digest_end(EVP_MD_CTX *digest, unsigned char out[KEY_BYTES])
{
	ASSERT(EVP_DigestFinal_ex(digest, out, NULL) == 1);
	EVP_MD_CTX_free(digest);
}

static int by_octets(const void *a, const void *b)
{
	return memcmp(a, b, KEY_BYTES);
}

/* In any order: name servers turn them. */
static void digest_records(EVP_MD_CTX *digest, const struct tls_peer *peer)
{
	unsigned char each[TLS_RECORDS_MAX][KEY_BYTES];
	size_t count = peer->record_count;

	ASSERT(count <= TLS_RECORDS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct dns_tlsa *record = &peer->records[i];
		EVP_MD_CTX *one = digest_new();

		digest_number(one, record->usage);
		digest_number(one, record->selector);
		digest_number(one, record->matching);
		digest_text(one, record->association);
		digest_end(one, each[i]);
	}
	qsort(each, count, KEY_BYTES, by_octets);
	digest_number(digest, count);
	ASSERT(EVP_DigestUpdate(digest, each, count * KEY_BYTES) == 1);
}

static void key_of(const struct tls_peer *peer, unsigned char key[KEY_BYTES])
{
	EVP_MD_CTX *digest = digest_new();

	digest_number(digest, peer->check);
	digest_number(digest, peer->is_binding);
	digest_number(digest, peer->name_count);
	for (size_t i = 0; i < peer->name_count; i++)
		digest_text(digest, peer->names[i]);
	digest_records(digest, peer);
	digest_end(digest, key);
}

void tls_kept_offer(SSL *ssl, const struct tls_peer *peer)
{
	struct claim *claim = NEW(struct claim);
	struct shelf *shelf = shelf_of(ssl);
	struct kept *oldest;

	key_of(peer, claim->key);
	claim->needs_dates = peer->check != TLS_CHECK_NOTHING;
	ASSERT(SSL_set_ex_data(ssl, claim_index(), claim) == 1);
	forget_old(shelf);
	struct kept *kept = find(shelf, claim->key, &oldest);

	if (!kept)
		return;
	if (SSL_SESSION_is_resumable(kept->session))
		(void)SSL_set_session(ssl, kept->session); /* else a whole handshake */
	/* RFC 8446 §C.4: a ticket is for one connection; and one that the server stumbles
	 * over is not shown to it again. */
	drop(shelf, kept);
}

void tls_kept_good(SSL *ssl)
{
	struct claim *claim = SSL_get_ex_data(ssl, claim_index());

	if (!claim)
		return;
	claim->is_good = true;
	/* TLS 1.2 gives no other one for a session that was resumed. */
	if (SSL_session_reused(ssl) && !claim->early &&
	    SSL_version(ssl) == TLS1_2_VERSION)
		claim->early = SSL_get1_session(ssl);
	if (claim->early)
		keep(shelf_of(ssl), claim, claim->early);
	claim->early = NULL;
}

size_t tls_kept_count(SSL_CTX *context)
{
	const struct shelf *shelf = SSL_CTX_get_ex_data(context, shelf_index());

	return shelf->count;
}
