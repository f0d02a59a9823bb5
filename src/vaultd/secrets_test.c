#include "vaultd/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/test.h"
#include "rt/task.h"

static char folder[64];

static void with_folder(void (*run)(void *))
{
	char path[128];

	(void)snprintf(folder, sizeof folder, "/tmp/postrider-secrets-XXXXXX");
	CHECK(mkdtemp(folder));
	loop_init();
	(void)task_start("test", run, NULL);
	loop_stop();
	loop_run();
	loop_fini();
	(void)snprintf(path, sizeof path, "%s/secrets", folder);
	CHECK(unlink(path) == 0);
	(void)snprintf(path, sizeof path, "%s/secrets-lock", folder);
	(void)unlink(path);
	CHECK(rmdir(folder) == 0);
}

static void passwords(void *arg)
{
	SCOPED(secrets_close) struct secrets *secrets = NULL;
	struct password fresh = {.salt = "salt", .hash = "hash"}, got;
	uint32_t generation = 0;

	(void)arg;
	CHECK(secrets_open(folder, &secrets) == OK);
	CHECK(secrets_password(secrets, 7, &got) == OK && got.generation == 0 &&
	      !got.is_set);
	CHECK(secrets_set_password(secrets, 7, &fresh, &generation) == OK);
	CHECK(generation == 1);
	CHECK(secrets_share_password(secrets, 9, 7, &generation) == OK);
	CHECK(generation == 1);
	CHECK(secrets_share_password(secrets, 9, 8, &generation) == ERR_ABSENT);
	CHECK(secrets_forget(secrets, 7, &generation) == OK && generation == 2);
	secrets_close(&secrets);

	CHECK(secrets_open(folder, &secrets) == OK);
	CHECK(secrets_password(secrets, 7, &got) == OK && got.generation == 2 &&
	      !got.is_set);
	CHECK(secrets_password(secrets, 9, &got) == OK && got.is_set &&
	      memcmp(got.hash, fresh.hash, sizeof fresh.hash) == 0 &&
	      memcmp(got.salt, fresh.salt, sizeof fresh.salt) == 0);
}

TEST(passwords_outlive_the_process)
{
	with_folder(passwords);
}

static void changes(void *arg)
{
	SCOPED(secrets_close) struct secrets *secrets = NULL;
	SCOPED(buf_fini) struct buf pairs = BUF(1024);
	struct password fresh = {0};
	uint32_t generation;

	(void)arg;
	CHECK(secrets_open(folder, &secrets) == OK);
	CHECK(secrets_set_password(secrets, 1, &fresh, &generation) == OK);
	CHECK(secrets_set_password(secrets, 300, &fresh, &generation) == OK);
	CHECK(secrets_set_password(secrets, 300, &fresh, &generation) == OK);
	CHECK(secrets_changed_since(secrets, 0, &pairs) == OK);
	struct dec dec = dec_over(buf_str(&pairs));
	CHECK(dec_u32(&dec) == 300 && dec_u32(&dec) == 2 && dec_done(&dec));
	buf_reset(&pairs);
	CHECK(secrets_changed_since(secrets, INT64_MAX, &pairs) == OK && pairs.len == 0);
}

TEST(tells_whose_credentials_changed)
{
	with_folder(changes);
}

static void pairs_of_keys(void *arg)
{
	SCOPED(secrets_close) struct secrets *secrets = NULL;
	SCOPED(buf_fini) struct buf value = BUF(64);
	const struct secret_pair first[] = {{STR("cx"), STR("1")}, {STR("ky"), STR("2")}};
	const struct secret_pair second[] = {{STR("cx"), STR("3")},
					     {STR("kz"), STR("4")}};

	(void)arg;
	CHECK(secrets_open(folder, &secrets) == OK);
	CHECK(secrets_put(secrets, first, 2, true) == OK);
	CHECK(secrets_put(secrets, second, 2, true) == ERR_DENIED);
	CHECK(secrets_get(secrets, STR("kz"), &value) == ERR_ABSENT);
	CHECK(secrets_get(secrets, STR("cx"), &value) == OK);
	CHECK_STR(buf_str(&value), STR("1"));
	CHECK(secrets_put(secrets, second, 2, false) == OK);
	CHECK(secrets_get(secrets, STR("kz"), &value) == OK);
	CHECK_STR(buf_str(&value), STR("14"));
}

TEST(pairs_are_kept_together_or_not_at_all)
{
	with_folder(pairs_of_keys);
}

static struct str print_of(char letter, char room[FINGERPRINT_BYTES])
{
	memset(room, letter, FINGERPRINT_BYTES);
	return (struct str){room, FINGERPRINT_BYTES};
}

static void certificates(void *arg)
{
	SCOPED(secrets_close) struct secrets *secrets = NULL;
	SCOPED(buf_fini) struct buf all = BUF(4096);
	char a[FINGERPRINT_BYTES], b[FINGERPRINT_BYTES];
	struct str one = print_of('a', a), two = print_of('b', b);
	uint32_t account = 0, generation = 0;
	struct password got;

	(void)arg;
	CHECK(secrets_open(folder, &secrets) == OK);
	CHECK(secrets_certificate(secrets, one, &account, &got) == ERR_ABSENT);
	CHECK(secrets_add_certificate(secrets, 7, one) == OK);
	CHECK(secrets_add_certificate(secrets, 7, one) == OK);
	CHECK(secrets_add_certificate(secrets, 7, two) == OK);
	CHECK(secrets_add_certificate(secrets, 8, one) == ERR_DENIED);
	CHECK(secrets_certificate(secrets, one, &account, &got) == OK);
	CHECK(account == 7 && got.generation == 1 && !got.is_set);
	CHECK(secrets_certificates(secrets, 7, &all) == OK && all.len == 64);
	CHECK_STR(str_first(buf_str(&all), 32), one);
	buf_reset(&all);
	CHECK(secrets_certificates(secrets, 6, &all) == OK && all.len == 0);
	CHECK(secrets_remove_certificate(secrets, 8, one, &generation) == ERR_ABSENT);
	CHECK(secrets_remove_certificate(secrets, 7, one, &generation) == OK);
	CHECK(generation == 2);
	CHECK(secrets_certificate(secrets, one, &account, &got) == ERR_ABSENT);
	/* with the account all of its certificates go */
	CHECK(secrets_forget(secrets, 7, &generation) == OK && generation == 3);
	CHECK(secrets_certificate(secrets, two, &account, &got) == ERR_ABSENT);
	CHECK(secrets_certificates(secrets, 7, &all) == OK && all.len == 0);
	CHECK(secrets_add_certificate(secrets, 8, one) == OK);
}

TEST(a_certificate_has_one_owner)
{
	with_folder(certificates);
}
