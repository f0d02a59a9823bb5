/* Keys that never leave the vault: of DKIM, of certificates, of session tickets. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/test.h"
#include "mailauth/dkim_crypto.h"
#include "vaultd/lab.h"
#include "vaultd/x509.h"

static void makes_dkim_key(struct vault *mailer, enum vault_dkim_kind kind,
			   struct str selector, size_t bits)
{
	SCOPED(buf_fini) struct buf record = BUF(1024);
	SCOPED(buf_fini) struct buf again = BUF(1024);
	SCOPED(buf_fini) struct buf signature = BUF(1024);
	const struct vault_dkim name = {STR("a.example"), selector};
	const struct vault_dkim same = {STR("A.Example"), selector};
	unsigned char hash[VAULT_DKIM_HASH_BYTES] = {1, 2, 3};
	struct dkim_key key;
	struct arena arena;

	arena_init(&arena, 10000);
	CHECK(vault_dkim_record(lab.ctl, &name, &again) == VAULT_REFUSED);
	CHECK(vault_make_dkim(lab.ctl, &name, kind, &record) == VAULT_OK);
	CHECK(dkim_key_parse(buf_str(&record), &arena, &key) == DKIM_KEY_FINE);
	CHECK(dkim_key_bits(&key) == bits);
	CHECK(vault_dkim_record(lab.ctl, &same, &again) == VAULT_OK);
	CHECK_STR(buf_str(&again), buf_str(&record));
	CHECK(vault_make_dkim(lab.ctl, &same, kind, &again) == VAULT_REFUSED);
	for (int i = 0; i < 2; i++) { /* from disk, and from memory */
		buf_reset(&signature);
		CHECK(vault_sign_dkim(mailer, &name, NULL, hash, &signature) == VAULT_OK);
		CHECK(dkim_check(&key, hash, buf_str(&signature)) == DKIM_CHECK_GOOD);
	}
	hash[0] = 9;
	CHECK(dkim_check(&key, hash, buf_str(&signature)) == DKIM_CHECK_WRONG);
	arena_fini(&arena);
}

static void makes_dkim_keys(void)
{
	SCOPED(buf_fini) struct buf record = BUF(1024);
	struct vault *mailer = vault_open(lab_channel(VAULTD_MAILER, 4));
	static const struct vault_dkim wrong[] = {{STR(""), STR("s1")},
						  {STR("a.example"), STR("")},
						  {STR("a..example"), STR("s")},
						  {STR("a.example"), STR("s 1")},
						  {STR("a\0b.example"), STR("s")}};

	makes_dkim_key(mailer, VAULT_DKIM_RSA, STR("r1"), 2048);
	makes_dkim_key(mailer, VAULT_DKIM_ED25519, STR("e1"), 256);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK(vault_make_dkim(lab.ctl, &wrong[i], VAULT_DKIM_ED25519, &record) ==
		      VAULT_REFUSED);
	CHECK(record.len == 0);

	const struct vault_dkim gone = {STR("a.example"), STR("E1")};
	const unsigned char hash[VAULT_DKIM_HASH_BYTES] = {1};

	CHECK(vault_forget_dkim(mailer, &gone) == VAULT_OK);
	CHECK(vault_forget_dkim(mailer, &gone) == VAULT_OK);
	CHECK(vault_sign_dkim(mailer, &gone, NULL, hash, &record) == VAULT_REFUSED);
	CHECK(vault_dkim_record(mailer, &gone, &record) == VAULT_REFUSED);
	CHECK(vault_make_dkim(lab.ctl, &gone, VAULT_DKIM_ED25519, &record) == VAULT_OK);
	vault_close(&mailer);
}

TEST(keys_of_dkim_are_made_and_signed_with)
{
	lab_run(makes_dkim_keys);
}

/* vault_sign() blocks, so the vault's loop must run elsewhere: a child process signs. */
static void signs(void)
{
	SCOPED(buf_fini) struct buf chain = BUF(65536), id = BUF(64), again = BUF(64);
	SCOPED(buf_fini) struct buf other = BUF(65536);

	CHECK(vault_certificate(lab.door, STR("Mail.Example"), &chain, &id) == VAULT_OK);
	CHECK(vault_certificate(lab.door, STR("mail.example"), &other, &again) ==
	      VAULT_OK);
	CHECK_STR(buf_str(&id), buf_str(&again));
	CHECK_STR(buf_str(&chain), buf_str(&other));

	BIO *bio = BIO_new_mem_buf(chain.ptr, (int)chain.len);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	CHECK(cert && X509_check_host(cert, "mail.example", 0, 0, NULL) == 1);
	CHECK(cert && X509_check_host(cert, "localhost", 0, 0, NULL) == 1);

	int answer[2];
	unsigned char digest[32] = "0123456789abcdef0123456789abcde", text[300];
	CHECK(pipe(answer) == 0);
	if (fork() == 0) {
		struct buf made = BUF(256);
		struct buf none = BUF(256);
		struct str input = {(const char *)digest, sizeof digest};

		if (!vault_sign(lab.sign_fd, buf_str(&id), VAULT_SIGN_ECDSA, input,
				&made) ||
		    vault_sign(lab.sign_fd, buf_str(&id), VAULT_SIGN_RSA_RAW, input,
			       &none) ||
		    vault_sign(lab.sign_fd, STR("no such key"), VAULT_SIGN_ECDSA, input,
			       &none))
			_exit(1);
		_exit(write(answer[1], made.ptr, made.len) != (ssize_t)made.len);
	}
	(void)close(answer[1]);
	(void)task_sleep_ms(300);
	ssize_t len = read(answer[0], text, sizeof text);
	CHECK(len > 0);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(cert), NULL);
	CHECK(EVP_PKEY_verify_init(context) == 1 && len > 0 &&
	      EVP_PKEY_verify(context, text, (size_t)len, digest, sizeof digest) == 1);
	EVP_PKEY_CTX_free(context);
	X509_free(cert);
	BIO_free(bio);
	(void)close(answer[0]);
}

TEST(signs_with_the_key_of_a_certificate_it_made)
{
	lab_run(signs);
}

static void imports(void)
{
	SCOPED(buf_fini) struct buf chain = BUF(65536), got = BUF(65536), id = BUF(64);
	SCOPED(x509_key_free) EVP_PKEY *key = EVP_RSA_gen(2048);
	SCOPED(x509_key_free) EVP_PKEY *other = x509_key_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;

	CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	struct str key_pem = {.len = (size_t)BIO_get_mem_data(bio, &pem)};
	key_pem.ptr = pem;
	CHECK(x509_self_sign(key, STR("a.example"), &chain));
	CHECK(vault_import_certificate(lab.ctl, STR("a.example"), buf_str(&chain),
				       key_pem) == VAULT_OK);
	CHECK(vault_certificate(lab.door, STR("a.example"), &got, &id) == VAULT_OK);
	CHECK_STR(buf_str(&got), buf_str(&chain));
	CHECK(vault_import_certificate(lab.ctl, STR("a.example"), STR("nonsense"),
				       key_pem) == VAULT_REFUSED);
	CHECK(vault_import_certificate(lab.ctl, STR("no/host"), buf_str(&chain),
				       key_pem) == VAULT_REFUSED);
	buf_reset(&chain);
	CHECK(x509_self_sign(other, STR("a.example"), &chain));
	CHECK(vault_import_certificate(lab.ctl, STR("a.example"), buf_str(&chain),
				       key_pem) == VAULT_REFUSED);
	BIO_free(bio);
}

TEST(imports_only_a_chain_that_fits_its_key)
{
	lab_run(imports);
}

static void gives_ticket_keys(void)
{
	SCOPED(buf_fini) struct buf keys = BUF(1024), again = BUF(1024);

	CHECK(vault_ticket_keys(lab.door, &keys) == VAULT_OK && keys.len == 160);
	CHECK(vault_ticket_keys(lab.door, &again) == VAULT_OK);
	CHECK_STR(buf_str(&keys), buf_str(&again));
}

TEST(all_doors_get_the_same_ticket_keys)
{
	lab_run(gives_ticket_keys);
}
