/* Keys that are forgotten in time, in the directory and in a real vault. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "deliverd/upkeep.h"
#include "directory/dkim_mail.h"
#include "directory/dkim_rollover.h"
#include "directory/srs_keys.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "storaged/world.h"
#include "store/grant.h"
#include "vaultd/vaultd.h"

enum { DAY_S = 86400 };

static struct lab {
	char folder[64];
	struct vaultd *vaultd;
	struct vault *vault, *ctl;
	struct directory directory;
	struct arena arena;
} lab;

static struct vault *channel(enum vaultd_role role, uint64_t number)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	vaultd_serve(lab.vaultd, role, number, fds[0]);
	return vault_open(fds[1]);
}

static void lab_open(void)
{
	static const struct guard_options limits;

	(void)snprintf(lab.folder, sizeof lab.folder, "/tmp/postrider-upkeep-XXXXXX");
	CHECK(mkdtemp(lab.folder));
	CHECK(vaultd_open(lab.folder, &limits, &lab.vaultd) == OK);
	lab.vault = channel(VAULTD_MAILER, 1);
	lab.ctl = channel(VAULTD_CTL, 2);
	lab.directory = (struct directory){w.ctl, STR("one.example")};
	arena_init(&lab.arena, 1 << 20);
	CHECK(directory_add_domain(&lab.directory, STR("one.example")) == STORE_OK);
}

static void lab_close(void)
{
	vault_close(&lab.vault);
	vault_close(&lab.ctl);
	CHECK(task_sleep_ms(20) == OK); /* the other side notices */
	arena_fini(&lab.arena);
}

/* After the loop has ended. */
static void lab_run(void (*test)(void))
{
	char path[128];

	world_run(test);
	vaultd_close(&lab.vaultd);
	(void)snprintf(path, sizeof path, "%s/secrets", lab.folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/secrets-lock", lab.folder);
	(void)unlink(path);
	CHECK(rmdir(lab.folder) == 0);
}

static struct dkim_rollover loaded(void)
{
	struct dkim_rollover keys = {.directory = &lab.directory,
				     .vault = lab.ctl,
				     .arena = &lab.arena,
				     .domain = STR("One.example")};

	CHECK(dkim_rollover_load(&keys) == STORE_OK);
	return keys;
}

/* Both keys come to that state, so long ago. */
static void make_it(enum dkim_key_state state, int days)
{
	struct dkim_rollover keys = loaded();

	for (size_t i = 0; i < keys.count; i++) {
		keys.keys[i].state = state;
		keys.keys[i].since_s = clock_s() - (int64_t)days * DAY_S - 10;
	}
	keys.is_changed = true;
	CHECK(dkim_rollover_save(&keys) == STORE_OK);
}

static enum dkim_mail sign_for(const struct vault_author *author, const char *domain,
			       struct buf *fields)
{
	const struct dkim_mailer mailer = {&lab.directory, lab.vault};

	return dkim_mail_sign(&mailer, str_c(domain), author,
			      STR("From: a@one.example\r\n\r\nhello\r\n"), 1800000000,
			      &lab.arena, fields);
}

static enum dkim_mail sign(const char *domain, struct buf *fields)
{
	return sign_for(NULL, domain, fields);
}

static size_t signatures(struct str fields)
{
	size_t count = 0;

	for (size_t i = 0; i < fields.len; i++)
		count += str_starts(str_skip(fields, i), STR("DKIM-Signature:"));
	return count;
}

static void comes_and_goes(void)
{
	SCOPED(buf_fini) struct buf fields = BUF(8192);
	struct upkeep upkeep = {&lab.directory, NULL, NULL};

	lab_open();
	upkeep.vault = lab.vault;
	struct dkim_rollover keys = loaded();

	CHECK(dkim_rollover_make(&keys) && dkim_rollover_save(&keys) == STORE_OK);
	CHECK(keys.count == 2 && dkim_rollover_has(&keys, DKIM_KEY_NEXT));
	CHECK(sign("one.example", &fields) == DKIM_MAIL_UNSIGNED);
	make_it(DKIM_KEY_ACTIVE, 100);
	CHECK(sign("ONE.example", &fields) == DKIM_MAIL_SIGNED);
	CHECK(signatures(buf_str(&fields)) == 2);
	CHECK(sign("far.example", &fields) == DKIM_MAIL_UNSIGNED);
	upkeep_look(&upkeep);
	CHECK(loaded().count == 2);
	make_it(DKIM_KEY_RETIRED, 6);
	upkeep_look(&upkeep);
	CHECK(loaded().count == 2);
	make_it(DKIM_KEY_RETIRED, 7);
	upkeep_look(&upkeep);
	CHECK(loaded().count == 0);
	for (size_t i = 0; i < keys.count; i++) /* nor does the vault know them */
		CHECK(dkim_rollover_record(&keys, &keys.keys[i]).len == 0);
	lab_close();
}

TEST(keys_sign_while_they_are_active_and_are_forgotten_in_time)
{
	lab_run(comes_and_goes);
}

static void waits(void)
{
	SCOPED(buf_fini) struct buf fields = BUF(8192);
	struct dkim_rollover keys;

	lab_open();
	keys = loaded();
	CHECK(dkim_rollover_make(&keys) && dkim_rollover_save(&keys) == STORE_OK);
	make_it(DKIM_KEY_ACTIVE, 1);
	struct vault *away = lab.vault;

	lab.vault = channel(VAULTD_DOOR, 3); /* which may not ask */
	CHECK(sign("one.example", &fields) == DKIM_MAIL_LATER);
	vault_close(&lab.vault);
	lab.vault = away;
	CHECK(vault_forget_dkim(lab.ctl, &(struct vault_dkim){STR("one.example"),
							      keys.keys[0].selector}) ==
	      VAULT_OK);
	CHECK(sign("one.example", &fields) == DKIM_MAIL_UNSIGNED); /* it is lost */
	CHECK(fields.len == 0);
	lab_close();
}

TEST(mail_waits_while_its_keys_cannot_be_asked_for)
{
	lab_run(waits);
}

/* ---- as whom ----------------------------------------------------------------------- */

enum { DOOR = 77 };

static struct vault *door;

/* What the door is given when the account logs in. */
static struct str log_in(account_t account, const char *password)
{
	struct buf grant = BUF(GRANT_BYTES);
	struct vault_answer answer = {.grant = &grant};
	const struct vault_caller caller = {account, STR("192.0.2.1"), 5};
	struct str kept = STR("");

	CHECK(vault_verify(door, &caller, str_c(password), &answer) == VAULT_OK);
	CHECK(arena_copy(&lab.arena, buf_str(&grant), &kept));
	buf_fini(&grant);
	return kept;
}

static enum dkim_mail as(account_t account, struct str grant, const char *local,
			 const char *domain)
{
	SCOPED(buf_fini) struct buf fields = BUF(8192);
	const struct vault_author author = {account, grant, str_c(local)};

	return sign_for(&author, domain, &fields);
}

static void make_people(account_t *ann, account_t *bob)
{
	static const struct str target = STR("ann@one.example");

	CHECK(directory_add_domain(&lab.directory, STR("two.example")) == STORE_OK);
	CHECK(directory_add_account(&lab.directory, STR("ann@one.example"), false, ann) ==
	      STORE_OK);
	CHECK(directory_add_account(&lab.directory, STR("bob@two.example"), false, bob) ==
	      STORE_OK);
	CHECK(directory_add_alias(&lab.directory, STR("sales@one.example"), &target, 1) ==
	      STORE_OK);
	CHECK(vault_set_password(lab.ctl, *ann, STR("pass")) == VAULT_OK);
	CHECK(vault_set_password(lab.ctl, *bob, STR("pass")) == VAULT_OK);
}

static void signs_as(void)
{
	struct dkim_rollover keys;
	account_t ann, bob;

	lab_open();
	keys = loaded();
	CHECK(dkim_rollover_make(&keys) && dkim_rollover_save(&keys) == STORE_OK);
	make_it(DKIM_KEY_ACTIVE, 1);
	make_people(&ann, &bob);
	door = channel(VAULTD_DOOR, DOOR);
	struct str of_ann = log_in(ann, "pass"), of_bob = log_in(bob, "pass");

	/* without a directory nobody knows */
	CHECK(as(ann, of_ann, "ann", "one.example") == DKIM_MAIL_LATER);
	vaultd_set_directory(lab.vaultd, &lab.directory);
	CHECK(as(ann, of_ann, "ann", "one.example") == DKIM_MAIL_SIGNED);
	CHECK(as(ann, of_ann, "Ann+tag", "One.Example") == DKIM_MAIL_SIGNED);
	CHECK(as(ann, of_ann, "sales", "one.example") == DKIM_MAIL_SIGNED);
	/* bob's is another domain, and nothing of this one leads to him */
	CHECK(as(bob, of_bob, "bob", "one.example") == DKIM_MAIL_LATER);
	CHECK(as(bob, of_bob, "ann", "one.example") == DKIM_MAIL_LATER);
	CHECK(as(bob, of_bob, "", "one.example") == DKIM_MAIL_LATER);
	/* nor is he Ann by saying so */
	CHECK(as(ann, of_bob, "ann", "one.example") == DKIM_MAIL_LATER);
	CHECK(as(ann, STR(""), "ann", "one.example") == DKIM_MAIL_LATER);
	CHECK(as(ann, str_first(of_ann, of_ann.len - 1), "ann", "one.example") ==
	      DKIM_MAIL_LATER);
	/* what was good is not for ever: a new password, a door that has gone */
	CHECK(vault_set_password(lab.ctl, ann, STR("new")) == VAULT_OK);
	CHECK(as(ann, of_ann, "ann", "one.example") == DKIM_MAIL_LATER);
	of_ann = log_in(ann, "new");
	CHECK(as(ann, of_ann, "ann", "one.example") == DKIM_MAIL_SIGNED);
	vault_close(&door);
	CHECK(task_sleep_ms(20) == OK);
	CHECK(as(ann, of_ann, "ann", "one.example") == DKIM_MAIL_LATER);
	lab_close();
}

TEST(the_vault_signs_a_persons_mail_only_as_an_author_who_is_theirs)
{
	lab_run(signs_as);
}
