#include "vaultd/vaultd.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "mailauth/dkim_crypto.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "rt/offload.h"
#include "store/grant.h"
#include "vault/codec.h"
#include "vault/link.h"
#include "vault/vault.h"
#include "vaultd/x509.h"
#include "wire/auth/scram.h"

/* A vault in a process of its own would be the same: the channels are real sockets. */
static struct {
	char folder[64];
	struct vaultd *vaultd;
	struct vault *ctl, *door;
	int sign_fd;
	unsigned char grant_key[GRANT_KEY_BYTES];
	uint32_t revoked_account, revoked_generation;
	struct ipc *store;
} lab;

enum { DOOR_CHANNEL = 77 };

static int channel(enum vaultd_role role, uint64_t number)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	vaultd_serve(lab.vaultd, role, number, fds[0]);
	return fds[1];
}

/* The store's end of the link. */
static void on_link(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	struct dec dec = dec_over(message->body);

	(void)arg;
	if (message->type == LINK_GRANT_KEY && message->body.len == GRANT_KEY_BYTES)
		memcpy(lab.grant_key, message->body.ptr, GRANT_KEY_BYTES);
	while (message->type == LINK_REVOKE && dec.rest.len > 0) {
		lab.revoked_account = dec_u32(&dec);
		lab.revoked_generation = dec_u32(&dec);
	}
	ipc_reply(ipc, message->id, LINK_DONE, STR(""), -1);
}

static void link_store(void)
{
	int fds[2];

	ipc_close(&lab.store);
	CHECK(ipc_pair(fds) == OK);
	vaultd_link(lab.vaultd, fds[0]);
	lab.store = ipc_open("link", fds[1], on_link, NULL, NULL);
	for (int i = 0; i < 50; i++)
		task_yield();
}

static void run_test(void *arg)
{
	union {
		void *arg;
		void (*run)(void);
	} test = {arg};

	static const struct guard_options limits;

	CHECK(vaultd_open(lab.folder, &limits, &lab.vaultd) == OK);
	lab.ctl = vault_open(channel(VAULTD_CTL, 1));
	lab.door = vault_open(channel(VAULTD_DOOR, DOOR_CHANNEL));
	lab.sign_fd = channel(VAULTD_SIGNER, 2);
	link_store();
	test.run();
	vault_close(&lab.ctl);
	vault_close(&lab.door);
	ipc_close(&lab.store);
	(void)close(lab.sign_fd);
	loop_stop();
}

static void in_lab(void (*run)(void))
{
	union {
		void (*run)(void);
		void *arg;
	} test = {run};
	char path[128];

	memset(&lab, 0, sizeof lab);
	(void)snprintf(lab.folder, sizeof lab.folder, "/tmp/postrider-vaultd-XXXXXX");
	CHECK(mkdtemp(lab.folder));
	loop_init();
	(void)task_start("test", run_test, test.arg);
	loop_run();
	vaultd_close(&lab.vaultd);
	offload_fini();
	loop_fini();
	(void)snprintf(path, sizeof path, "%s/secrets", lab.folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/secrets-lock", lab.folder);
	(void)unlink(path);
	CHECK(rmdir(lab.folder) == 0);
}

static enum vault_outcome try(uint32_t account, struct str password, struct buf *grant)
{
	buf_reset(grant);
	struct vault_answer answer = {.grant = grant};

	return vault_verify(lab.door,
			    &(struct vault_caller){account, STR("192.0.2.1"), 5},
			    password, &answer);
}

static void logs_in(void)
{
	SCOPED(buf_fini) struct buf bytes = BUF(256);
	struct grant grant;

	CHECK(try(7, STR("pass"), &bytes) == VAULT_REFUSED);
	CHECK(try(0, STR("pass"), &bytes) == VAULT_REFUSED);
	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	CHECK(try(7, STR("Pass"), &bytes) == VAULT_REFUSED && bytes.len == 0);
	CHECK(try(7, STR("pass"), &bytes) == VAULT_OK);
	CHECK(grant_check(lab.grant_key, buf_str(&bytes), DOOR_CHANNEL,
			  (int64_t)time(NULL), &grant));
	CHECK(grant.account == 7 && grant.generation == 1 && grant.session == 5);
	CHECK(!grant_check(lab.grant_key, buf_str(&bytes), DOOR_CHANNEL + 1,
			   (int64_t)time(NULL), &grant));
	CHECK(lab.revoked_account == 0);
	CHECK(vault_share_password(lab.ctl, 8, 7) == VAULT_OK);
	CHECK(try(8, STR("pass"), &bytes) == VAULT_OK);
	CHECK(vault_set_password(lab.ctl, 7, STR("new")) == VAULT_OK);
	CHECK(lab.revoked_account == 7 && lab.revoked_generation == 2);
	CHECK(try(7, STR("pass"), &bytes) == VAULT_REFUSED);
	CHECK(try(7, STR("new"), &bytes) == VAULT_OK);
	CHECK(vault_forget(lab.ctl, 7) == VAULT_OK && lab.revoked_generation == 3);
	CHECK(try(7, STR("new"), &bytes) == VAULT_REFUSED);
}

TEST(the_right_password_gives_a_grant)
{
	in_lab(logs_in);
}

/* The client's proof that it knows the password. */
static void prove(struct str password, const struct vault_scram *begun, struct str auth,
		  unsigned char proof[32])
{
	unsigned char salted[32], key[32], stored[32], signature[32];

	CHECK(PKCS5_PBKDF2_HMAC(password.ptr, (int)password.len,
				(const unsigned char *)begun->salt, sizeof begun->salt,
				(int)begun->iterations, EVP_sha256(), 32, salted) == 1);
	CHECK(HMAC(EVP_sha256(), salted, 32, (const unsigned char *)"Client Key", 10, key,
		   NULL));
	(void)SHA256(key, 32, stored);
	CHECK(HMAC(EVP_sha256(), stored, 32, (const unsigned char *)auth.ptr, auth.len,
		   signature, NULL));
	for (int i = 0; i < 32; i++)
		proof[i] = key[i] ^ signature[i];
}

struct scram_try {
	struct vault_scram begun;
	char nonce[6 + VAULT_SCRAM_NONCE_BYTES];
	unsigned char proof[32];
	struct vault_scram_proof said;
};

static void scram_begin(uint32_t account, struct str password, uint64_t session,
			struct scram_try *x)
{
	SCOPED(buf_fini) struct buf first = BUF(1000), auth = BUF(4000);

	CHECK(vault_scram_begin(
		      lab.door,
		      &(struct vault_caller){account, STR("192.0.2.1"), session},
		      STR("ann"), &x->begun) == VAULT_OK);
	memcpy(x->nonce, "client", 6);
	memcpy(x->nonce + 6, x->begun.nonce, sizeof x->begun.nonce);
	x->said = (struct vault_scram_proof){
		.client_first_bare = STR("n=ann,r=client"),
		.nonce = {x->nonce, sizeof x->nonce},
		.final_without_proof = STR("c=biws,r=..."),
		.proof = {(const char *)x->proof, sizeof x->proof}};
	scram_server_first_add(&first, STR("client"), str_skip(x->said.nonce, 6),
			       (struct str){x->begun.salt, sizeof x->begun.salt},
			       x->begun.iterations);
	scram_auth_message_add(&auth, x->said.client_first_bare, buf_str(&first),
			       x->said.final_without_proof);
	prove(password, &x->begun, buf_str(&auth), x->proof);
}

static enum vault_outcome scram_prove(uint32_t account, uint64_t session,
				      const struct scram_try *x, struct buf *grant)
{
	SCOPED(buf_fini) struct buf signature = BUF(100);

	buf_reset(grant);
	struct vault_answer answer = {.grant = grant, .signature = &signature};
	enum vault_outcome outcome = vault_scram_prove(
		lab.door, &(struct vault_caller){account, STR("192.0.2.1"), session},
		&x->said, &answer);
	CHECK(signature.len == (outcome == VAULT_OK ? 32 : 0));
	return outcome;
}

static enum vault_outcome scram(uint32_t account, struct str password, struct buf *grant)
{
	struct scram_try x;

	scram_begin(account, password, 5, &x);
	return scram_prove(account, 5, &x, grant);
}

static void logs_in_by_scram(void)
{
	SCOPED(buf_fini) struct buf bytes = BUF(256);
	struct scram_try x, y;
	struct grant grant;

	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	CHECK(scram(7, STR("pass"), &bytes) == VAULT_OK);
	CHECK(grant_check(lab.grant_key, buf_str(&bytes), DOOR_CHANNEL,
			  (int64_t)time(NULL), &grant));
	CHECK(grant.account == 7 && grant.generation == 1 && grant.session == 5);
	CHECK(scram(7, STR("Pass"), &bytes) == VAULT_REFUSED && bytes.len == 0);
	CHECK(vault_share_password(lab.ctl, 8, 7) == VAULT_OK);
	CHECK(scram(8, STR("pass"), &bytes) == VAULT_OK);
	scram_begin(7, STR("pass"), 5, &x);
	CHECK(scram_prove(7, 6, &x, &bytes) == VAULT_REFUSED); /* another session's */
	CHECK(scram_prove(8, 5, &x, &bytes) == VAULT_REFUSED);
	x.said.nonce = STR("client");
	CHECK(scram_prove(7, 5, &x, &bytes) == VAULT_REFUSED);
	scram_begin(0, STR("pass"), 5, &x);
	scram_begin(9, STR("pass"), 5, &y);
	CHECK(memcmp(x.begun.salt, y.begun.salt, sizeof x.begun.salt) == 0);
	CHECK(scram_prove(0, 5, &x, &bytes) == VAULT_REFUSED);
	CHECK(scram_prove(9, 5, &y, &bytes) == VAULT_REFUSED);
	CHECK(vault_forget(lab.ctl, 7) == VAULT_OK);
	CHECK(scram(7, STR("pass"), &bytes) == VAULT_REFUSED);
}

TEST(who_proves_the_password_gets_a_grant)
{
	in_lab(logs_in_by_scram);
}

static void is_quick(void)
{
	SCOPED(buf_fini) struct buf bytes = BUF(256);
	struct timespec from, to;

	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	CHECK(try(7, STR("pass"), &bytes) == VAULT_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 200; i++)
		CHECK(try(7, STR("pass"), &bytes) == VAULT_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK(to.tv_sec - from.tv_sec <= 1); /* 200 computations would take many */
}

TEST(a_repeated_log_in_computes_nothing)
{
	in_lab(is_quick);
}

static unsigned agreed, asked;

static void ask_same(void *arg)
{
	SCOPED(buf_fini) struct buf bytes = BUF(256);

	(void)arg;
	agreed += try(7, STR("pass"), &bytes) == VAULT_OK;
	asked++;
}

static void crowd(void)
{
	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	agreed = asked = 0;
	for (int i = 0; i < 1000; i++) /* more than may wait for a computation */
		CHECK(task_start("ask", ask_same, NULL));
	while (asked < 1000)
		CHECK(task_sleep_ms(5) == OK);
	CHECK(agreed == 1000);
}

TEST(a_crowd_with_one_password_is_one_computation)
{
	in_lab(crowd);
}

static void ask_nobody(void *arg)
{
	SCOPED(buf_fini) struct buf bytes = BUF(256);

	(void)arg;
	agreed += try(9, STR("pass"), &bytes) == VAULT_REFUSED;
	asked++;
}

static void crowd_for_nobody(void)
{
	agreed = asked = 0;
	for (int i = 0; i < 1000; i++)
		CHECK(task_start("ask", ask_nobody, NULL));
	while (asked < 1000)
		CHECK(task_sleep_ms(5) == OK);
	CHECK(agreed == 1000);
}

/* Else the time it takes, or a "later", would tell who exists. */
TEST(a_crowd_for_an_account_without_password_is_one_computation_too)
{
	in_lab(crowd_for_nobody);
}

static void keeps_roles_apart(void)
{
	SCOPED(buf_fini) struct buf bytes = BUF(1024);

	CHECK(vault_set_password(lab.door, 7, STR("pass")) == VAULT_DENIED);
	CHECK(vault_share_password(lab.door, 7, 8) == VAULT_DENIED);
	CHECK(vault_forget(lab.door, 7) == VAULT_DENIED);
	CHECK(vault_import_certificate(lab.door, STR("a"), STR("b"), STR("c")) ==
	      VAULT_DENIED);
	CHECK(vault_add_certificate(lab.door, 7, STR("a")) == VAULT_DENIED);
	CHECK(vault_remove_certificate(lab.door, 7, STR("a")) == VAULT_DENIED);
	CHECK(vault_list_certificates(lab.door, 7, &bytes) == VAULT_DENIED);
	CHECK(vault_add_certificate(lab.ctl, 7, STR("a")) == VAULT_REFUSED);
	CHECK(vault_share_password(lab.ctl, 7, 8) == VAULT_REFUSED);
	CHECK(vault_set_password(lab.ctl, 0, STR("pass")) == VAULT_REFUSED);

	const struct vault_dkim name = {STR("a.example"), STR("s1")};
	const unsigned char hash[VAULT_DKIM_HASH_BYTES] = {0};

	CHECK(vault_sign_dkim(lab.door, &name, NULL, hash, &bytes) == VAULT_DENIED);
	CHECK(vault_sign_dkim(lab.ctl, &name, NULL, hash, &bytes) == VAULT_DENIED);
	CHECK(vault_make_dkim(lab.door, &name, VAULT_DKIM_RSA, &bytes) == VAULT_DENIED);
	CHECK(vault_dkim_record(lab.door, &name, &bytes) == VAULT_DENIED);
	struct vault *mailer = vault_open(channel(VAULTD_MAILER, 4));
	CHECK(vault_sign_dkim(mailer, &name, NULL, hash, &bytes) == VAULT_REFUSED);
	CHECK(vault_make_dkim(mailer, &name, VAULT_DKIM_RSA, &bytes) == VAULT_DENIED);
	CHECK(vault_ticket_keys(mailer, &bytes) == VAULT_DENIED);
	CHECK(vault_forget_dkim(lab.door, &name) == VAULT_DENIED);
	vault_close(&mailer);

	struct vault *reporter = vault_open(channel(VAULTD_REPORTER, 5));
	vaultd_set_reports(lab.vaultd, STR("own.example"));
	CHECK(vault_sign_dkim(reporter, &name, NULL, hash, &bytes) == VAULT_DENIED);
	const struct vault_dkim own = {STR("Own.example"), STR("s1")};
	CHECK(vault_sign_dkim(reporter, &own, NULL, hash, &bytes) == VAULT_REFUSED);
	CHECK(vault_dkim_record(reporter, &own, &bytes) == VAULT_DENIED);
	CHECK(vault_forget_dkim(reporter, &own) == VAULT_DENIED);
	vault_close(&reporter);

	struct vault *signer = vault_open(channel(VAULTD_SIGNER, 3));
	CHECK(vault_ticket_keys(signer, &bytes) == VAULT_DENIED);
	vault_close(&signer);
}

TEST(a_channel_may_do_what_its_role_may)
{
	in_lab(keeps_roles_apart);
}

static void hears_again(void)
{
	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	CHECK(vault_set_password(lab.ctl, 7, STR("other")) == VAULT_OK);
	lab.revoked_account = 0;
	memset(lab.grant_key, 0, sizeof lab.grant_key);
	link_store();
	CHECK(lab.revoked_account == 7 && lab.revoked_generation == 2);
	CHECK(lab.grant_key[0] || lab.grant_key[1] || lab.grant_key[2]);
}

TEST(a_new_store_hears_what_is_revoked)
{
	in_lab(hears_again);
}

/* A store that is still opening, or repairing: what it is told waits for it. */
static void on_slow_link(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	CHECK(task_sleep_ms(60 * 1000) == OK);
	on_link(ipc, message, arg);
}

/* RFC 5802 §2.2: SCRAM's clients send what SASLprep made of it. */
static void prepares_passwords(void)
{
	SCOPED(buf_fini) struct buf bytes = BUF(256);

	CHECK(vault_set_password(lab.ctl, 7, STR("cafe\xcc\x81\xc2\xad")) == VAULT_OK);
	CHECK(try(7, STR("caf\xc3\xa9"), &bytes) == VAULT_OK);
	CHECK(try(7, STR("cafe\xcc\x81"), &bytes) == VAULT_OK);
	CHECK(try(7, STR("cafe"), &bytes) == VAULT_REFUSED);
	CHECK(try(7, STR("caf\xe9"), &bytes) == VAULT_REFUSED);
	CHECK(scram(7, STR("caf\xc3\xa9"), &bytes) == VAULT_OK);
	CHECK(scram(7, STR("cafe\xcc\x81"), &bytes) == VAULT_REFUSED);
	CHECK(vault_set_password(lab.ctl, 7, STR("caf\xe9")) == VAULT_REFUSED);
	CHECK(vault_set_password(lab.ctl, 7, STR("")) == VAULT_REFUSED);
}

TEST(a_password_is_the_same_however_it_is_typed)
{
	in_lab(prepares_passwords);
}

static void waits_for_store(void)
{
	int fds[2];

	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	CHECK(vault_set_password(lab.ctl, 7, STR("other")) == VAULT_OK);
	lab.revoked_account = 0;
	memset(lab.grant_key, 0, sizeof lab.grant_key);
	clock_test_start(clock_us());
	ipc_close(&lab.store);
	CHECK(ipc_pair(fds) == OK);
	vaultd_link(lab.vaultd, fds[0]);
	lab.store = ipc_open("link", fds[1], on_slow_link, NULL, NULL);
	CHECK(task_sleep_ms(90 * 1000) == OK);
	CHECK(lab.revoked_account == 7 && lab.revoked_generation == 2);
	CHECK(!lab.grant_key[0] && !lab.grant_key[1] && !lab.grant_key[2]);
	CHECK(task_sleep_ms(60 * 1000) == OK);
	CHECK(lab.grant_key[0] || lab.grant_key[1] || lab.grant_key[2]);
	clock_test_stop();
}

TEST(a_slow_store_gets_the_key_in_the_end)
{
	in_lab(waits_for_store);
}

static void replaces_channels(void)
{
	char octet;
	int first = channel(VAULTD_SIGNER, 9), other = channel(VAULTD_SIGNER, 10);
	int second = channel(VAULTD_SIGNER, 9);

	for (int i = 0; i < 10; i++)
		task_yield();
	CHECK(recv(first, &octet, 1, MSG_DONTWAIT) == 0);
	CHECK(recv(second, &octet, 1, MSG_DONTWAIT) < 0);
	CHECK(recv(other, &octet, 1, MSG_DONTWAIT) < 0);
	(void)close(first);
	(void)close(second);
	(void)close(other);
}

TEST(a_process_has_one_channel_of_each_kind)
{
	in_lab(replaces_channels);
}

/* The request and the end of its channel are read in one turn. */
static void hears_no_dead(void)
{
	struct ipc *door = ipc_open("door", channel(VAULTD_DOOR, 9), NULL, NULL, NULL);

	CHECK(ipc_event(door, VAULT_CALL_TICKET_KEYS, STR(""), -1) == OK);
	ipc_close(&door);
	for (int i = 0; i < 10; i++)
		task_yield();
}

TEST(a_request_left_behind_by_its_channel_is_dropped)
{
	in_lab(hears_no_dead);
}

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
	struct vault *mailer = vault_open(channel(VAULTD_MAILER, 4));
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
	in_lab(makes_dkim_keys);
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
	in_lab(signs);
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
	in_lab(imports);
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
	in_lab(gives_ticket_keys);
}
