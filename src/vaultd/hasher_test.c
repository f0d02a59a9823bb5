#include "vaultd/hasher.h"

#include "base/test.h"
#include "rt/task.h"

static const unsigned char salt[HASHER_SALT_BYTES] = "0123456789abcdef";

struct order {
	struct hasher *hasher;
	struct str peer;
	unsigned place; /* which one it was to end */
	err_t err;
};
static unsigned ended;

static void hash_once(void *arg)
{
	struct order *order = arg;
	unsigned char hash[HASHER_HASH_BYTES];

	order->err = hasher_run(order->hasher, order->peer, STR("pass"), salt, hash);
	order->place = ++ended;
}

static void check_hash(void *arg)
{
	struct hasher *hasher = arg;
	unsigned char hash[HASHER_HASH_BYTES], again[HASHER_HASH_BYTES];
	/* as argon2id_hash_raw(2, 19456, 1, …) of the library itself gives it */
	static const unsigned char want[4] = {0x34, 0xbd, 0x76, 0x66};

	CHECK(hasher_run(hasher, STR("a"), STR("pass"), salt, hash) == OK);
	CHECK(memcmp(hash, want, sizeof want) == 0);
	CHECK(hasher_run(hasher, STR("a"), STR("pass"), salt, again) == OK);
	CHECK(memcmp(hash, again, sizeof hash) == 0);
	CHECK(hasher_run(hasher, STR("a"), STR("Pass"), salt, again) == OK);
	CHECK(memcmp(hash, again, sizeof hash) != 0);
	CHECK(hasher_run(hasher, STR("a"), (struct str){0}, salt, again) == OK);
	loop_stop();
}

TEST(hashes_as_argon2id_does)
{
	struct hasher *hasher = hasher_new(1, 100);

	loop_init();
	(void)task_start("test", check_hash, hasher);
	loop_run();
	loop_fini();
	hasher_free(&hasher);
}

TEST(serves_addresses_by_turns)
{
	struct hasher *hasher = hasher_new(1, 100);
	struct order orders[8] = {0};

	loop_init();
	ended = 0;
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		orders[i].hasher = hasher;
		orders[i].peer = i < 7 ? STR("192.0.2.1") : STR("192.0.2.2");
		(void)task_start("test", hash_once, &orders[i]);
	}
	loop_stop(); /* which does not cut short what a thread works on */
	loop_run();
	loop_fini();
	CHECK(ended == 8);
	CHECK(orders[7].err == OK && orders[7].place <= 3);
	hasher_free(&hasher);
}

TEST(says_later_when_too_many_wait)
{
	struct order orders[20] = {0};
	struct hasher *hasher = hasher_new(2, 10);
	unsigned later = 0;

	loop_init();
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		orders[i] = (struct order){.hasher = hasher, .peer = STR("192.0.2.1")};
		(void)task_start("test", hash_once, &orders[i]);
	}
	loop_stop();
	loop_run();
	loop_fini();
	for (size_t i = 0; i < COUNT_OF(orders); i++)
		later += orders[i].err == ERR_LIMIT;
	CHECK(later >= 11 && later <= 15); /* 5 wait, and those at work */
	hasher_free(&hasher);
}
