#include "daemon/poison.h"

#include "base/codec.h"
#include "base/test.h"

TEST(the_second_crash_on_the_same_thing_is_poison)
{
	static struct poison poison;
	SCOPED(buf_fini) struct buf keys = BUF(4096);
	struct panic_record parse = {.signal = 11, .operation = "parse", .key = 7};
	struct panic_record other = {.signal = 11, .operation = "parse", .key = 8};
	struct panic_record write = {.signal = 6, .operation = "write", .key = 7};
	struct panic_record blank = {.signal = 6};

	CHECK(!poison_note(&poison, &parse) && !poison_note(&poison, &other));
	CHECK(!poison_note(&poison, &write));
	CHECK(!poison_note(&poison, &blank) && !poison_note(&poison, &blank));
	poison_keys(&poison, &keys);
	CHECK(keys.len == 0);
	CHECK(poison_note(&poison, &parse));
	CHECK(!poison_note(&poison, &parse)); /* it was already */
	poison_keys(&poison, &keys);
	struct dec dec = dec_over(buf_str(&keys));
	CHECK(dec_u64(&dec) == 7 && dec_done(&dec));
}

TEST(what_is_known_of_crashes_is_bounded)
{
	static struct poison poison;
	struct panic_record record = {.signal = 11, .operation = "parse"};

	for (record.key = 0; record.key < 10000; record.key++)
		CHECK(!poison_note(&poison, &record));
	CHECK(poison.count == POISON_KNOWN_MAX);
	record.key = 9999;
	CHECK(poison_note(&poison, &record));
}
