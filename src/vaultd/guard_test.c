#include "vaultd/guard.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/test.h"
#include "rt/clock.h"
#include "rt/task.h"
#include "vault/vault.h"
#include "vaultd/throttle.h"

static const struct guard_options few = {.address_failures_max = 10,
					 .account_failures_max = 30,
					 .account_sessions_max = 3};

static uint64_t guesses;

static void fail_often(struct guard *guard, uint32_t account, const char *peer,
		       unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		(void)guard_failed(guard, account, str_c(peer), ++guesses);
}

/* Runs it with a clock that moves by hand. */
static void at_rest(void (*test)(void *))
{
	clock_test_start(0);
	loop_init();
	CHECK(task_start("test", test, NULL));
	loop_run();
	loop_fini();
	clock_test_stop();
}

static void addresses(void *arg)
{
	SCOPED(guard_free) struct guard *guard = guard_new(&few);
	struct str peer = STR("192.0.2.1");
	char host[64];

	(void)arg;
	CHECK(guard_failed(guard, 7, peer, 1) == 500);
	CHECK(guard_failed(guard, 8, peer, 2) == 1000);
	CHECK(guard_failed(guard, 9, peer, 3) == 2000);
	CHECK(guard_failed(guard, 9, peer, 4) == 2000);
	fail_often(guard, 10, "192.0.2.1", 5);
	CHECK(!guard_refuses(guard, 7, peer));
	fail_often(guard, 10, "::ffff:192.0.2.1", 1); /* the same */
	CHECK(guard_refuses(guard, 7, peer) && guard_refuses(guard, 99, peer));
	CHECK(!guard_refuses(guard, 7, STR("192.0.2.2")));
	CHECK(task_sleep_ms(THROTTLE_WINDOW_MS) == OK);
	CHECK(!guard_refuses(guard, 7, peer));

	fail_often(guard, 11, "2001:db8:1:1::1", 10);
	CHECK(guard_refuses(guard, 7, STR("2001:db8:1:1:ffff::9")));
	CHECK(!guard_refuses(guard, 7, STR("2001:db8:1:2::1")));
	for (unsigned i = 2; i < 6; i++) { /* the rest of the /48's budget */
		(void)snprintf(host, sizeof host, "2001:db8:1:%u::1", i);
		fail_often(guard, 20 + i, host, 9);
	}
	CHECK(guard_refuses(guard, 7, STR("2001:db8:1:77::1")));
	CHECK(!guard_refuses(guard, 7, STR("2001:db8:2::1")));
	loop_stop();
}

TEST(an_address_that_failed_often_is_refused)
{
	at_rest(addresses);
}

static void accounts(void *arg)
{
	SCOPED(guard_free) struct guard *guard = guard_new(&few);
	char host[64];

	(void)arg;
	guard_succeeded(guard, 7, STR("198.51.100.1"));
	for (unsigned i = 0; i < 30; i++) { /* one each from many */
		CHECK(!guard_refuses(guard, 7, STR("203.0.113.1")));
		(void)snprintf(host, sizeof host, "192.0.2.%u", i);
		fail_often(guard, 7, host, 1);
	}
	CHECK(guard_refuses(guard, 7, STR("203.0.113.1")));
	CHECK(!guard_refuses(guard, 8, STR("203.0.113.1")));
	CHECK(!guard_refuses(guard, 7, STR("198.51.100.1"))); /* at home */
	CHECK(guard_failed(guard, 7, STR("203.0.113.9"), 1) == GUARD_DELAY_MAX_MS);
	CHECK(task_sleep_ms(THROTTLE_WINDOW_MS) == OK);
	CHECK(!guard_refuses(guard, 7, STR("203.0.113.1")));
	loop_stop();
}

TEST(an_account_that_is_guessed_at_is_refused_to_strangers)
{
	at_rest(accounts);
}

static void exempt(void *arg)
{
	struct guard_options options = few;

	(void)arg;
	CHECK(networks_parse(STR("127.0.0.0/8"), &options.exempt));
	SCOPED(guard_free) struct guard *guard = guard_new(&options);

	fail_often(guard, 7, "127.0.0.1", 100);
	CHECK(!guard_refuses(guard, 7, STR("127.0.0.1")));
	CHECK(!guard_refuses(guard, 7, STR("192.0.2.1")));
	loop_stop();
}

TEST(who_is_exempt_does_not_count)
{
	at_rest(exempt);
}

static uint32_t tell(struct guard_door *door, const struct tally_key *key, uint32_t count)
{
	SCOPED(buf_fini) struct buf said = BUF(100), heard = BUF(100);

	buf_add(&said, (struct str){(const char *)key->octets, TALLY_KEY_BYTES});
	enc_u32(&said, count);
	CHECK(guard_door_tell(door, buf_str(&said), &heard));
	struct dec dec = dec_over(buf_str(&heard));

	return dec_u32(&dec);
}

static bool enter(struct guard_door *door, uint32_t account)
{
	return guard_door_enter(door, account, STR("192.0.2.1"));
}

TEST(doors_hear_of_each_other)
{
	SCOPED(guard_free) struct guard *guard = guard_new(&few);
	struct guard_door *a = guard_door_new(guard), *b = guard_door_new(guard);
	struct tally_key address = {{1}}, account = vault_account_key(7);

	CHECK(tell(a, &address, 5) == 0 && tell(b, &address, 2) == 5);
	CHECK(tell(a, &address, 4) == 2 && tell(b, &address, 2) == 4);
	CHECK(enter(a, 7) && enter(b, 7) && enter(b, 7));
	CHECK(!enter(a, 7) && enter(a, 8));
	CHECK(tell(b, &account, 1) == 1); /* one of them never began */
	CHECK(enter(a, 7) && !enter(a, 7));
	guard_door_free(&b); /* its process has died */
	CHECK(enter(a, 7) && tell(a, &address, 4) == 0);
	guard_door_free(&a);
}

static void hear(void *arg)
{
	SCOPED(guard_free) struct guard *guard = guard_new(&few);
	struct guard_door *a = guard_door_new(guard), *b = guard_door_new(guard);
	SCOPED(buf_fini) struct buf hot = BUF(100);
	struct tally_key address = {{1}};

	(void)arg;
	CHECK(tell(a, &address, 7) == 0);
	CHECK(guard_door_hot(b, &hot) && hot.len == 0); /* that is not much */
	CHECK(tell(a, &address, 9) == 0);
	CHECK(guard_door_hot(b, &hot) && hot.len == 20 && hot.ptr[0] == 1 &&
	      hot.ptr[16] == 9);
	struct guard_door *late = guard_door_new(guard);

	buf_reset(&hot);
	CHECK(guard_door_hot(late, &hot) && hot.len == 20 && hot.ptr[16] == 9);
	guard_door_free(&a);
	buf_reset(&hot);
	CHECK(guard_door_hot(b, &hot) && hot.len == 20 && hot.ptr[16] == 0);
	guard_door_free(&b);
	guard_door_free(&late);
	loop_stop();
}

TEST(doors_hear_of_crowds_elsewhere)
{
	at_rest(hear);
}
