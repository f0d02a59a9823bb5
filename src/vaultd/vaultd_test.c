#include "vaultd/vaultd.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "rt/offload.h"
#include "store/grant.h"
#include "vault/codec.h"
#include "vault/link.h"
#include "vault/vault.h"
#include "vaultd/lab.h"
#include "wire/auth/scram.h"

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
	lab_run(logs_in);
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
	lab_run(logs_in_by_scram);
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
	lab_run(is_quick);
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
	lab_run(crowd);
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
	lab_run(crowd_for_nobody);
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
	struct vault *mailer = vault_open(lab_channel(VAULTD_MAILER, 4));
	CHECK(vault_sign_dkim(mailer, &name, NULL, hash, &bytes) == VAULT_REFUSED);
	CHECK(vault_make_dkim(mailer, &name, VAULT_DKIM_RSA, &bytes) == VAULT_DENIED);
	CHECK(vault_ticket_keys(mailer, &bytes) == VAULT_DENIED);
	CHECK(vault_forget_dkim(lab.door, &name) == VAULT_DENIED);
	vault_close(&mailer);

	struct vault *reporter = vault_open(lab_channel(VAULTD_REPORTER, 5));
	vaultd_set_reports(lab.vaultd, STR("own.example"));
	CHECK(vault_sign_dkim(reporter, &name, NULL, hash, &bytes) == VAULT_DENIED);
	const struct vault_dkim own = {STR("Own.example"), STR("s1")};
	CHECK(vault_sign_dkim(reporter, &own, NULL, hash, &bytes) == VAULT_REFUSED);
	CHECK(vault_dkim_record(reporter, &own, &bytes) == VAULT_DENIED);
	CHECK(vault_forget_dkim(reporter, &own) == VAULT_DENIED);
	vault_close(&reporter);

	struct vault *signer = vault_open(lab_channel(VAULTD_SIGNER, 3));
	CHECK(vault_ticket_keys(signer, &bytes) == VAULT_DENIED);
	vault_close(&signer);
}

TEST(a_channel_may_do_what_its_role_may)
{
	lab_run(keeps_roles_apart);
}

static void hears_again(void)
{
	CHECK(vault_set_password(lab.ctl, 7, STR("pass")) == VAULT_OK);
	CHECK(vault_set_password(lab.ctl, 7, STR("other")) == VAULT_OK);
	lab.revoked_account = 0;
	memset(lab.grant_key, 0, sizeof lab.grant_key);
	lab_link_store();
	CHECK(lab.revoked_account == 7 && lab.revoked_generation == 2);
	CHECK(lab.grant_key[0] || lab.grant_key[1] || lab.grant_key[2]);
}

TEST(a_new_store_hears_what_is_revoked)
{
	lab_run(hears_again);
}

/* A store that is still opening, or repairing: what it is told waits for it. */
static void on_slow_link(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	CHECK(task_sleep_ms(60 * 1000) == OK);
	lab_on_link(ipc, message, arg);
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
	lab_run(prepares_passwords);
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
	lab_run(waits_for_store);
}

static void replaces_channels(void)
{
	char octet;
	int first = lab_channel(VAULTD_SIGNER, 9), other = lab_channel(VAULTD_SIGNER, 10);
	int second = lab_channel(VAULTD_SIGNER, 9);

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
	lab_run(replaces_channels);
}

/* The request and the end of its channel are read in one turn. */
static void hears_no_dead(void)
{
	struct ipc *door =
		ipc_open("door", lab_channel(VAULTD_DOOR, 9), NULL, NULL, NULL);

	CHECK(ipc_event(door, VAULT_CALL_TICKET_KEYS, STR(""), -1) == OK);
	ipc_close(&door);
	for (int i = 0; i < 10; i++)
		task_yield();
}

TEST(a_request_left_behind_by_its_channel_is_dropped)
{
	lab_run(hears_no_dead);
}
