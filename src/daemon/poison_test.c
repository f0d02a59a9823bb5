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

	CHECK(!poison_note(&poison, CHILD_SMTPD, &parse) &&
	      !poison_note(&poison, CHILD_SMTPD, &other));
	CHECK(!poison_note(&poison, CHILD_SMTPD, &write));
	CHECK(!poison_note(&poison, CHILD_SMTPD, &blank) &&
	      !poison_note(&poison, CHILD_SMTPD, &blank));
	poison_keys(&poison, CHILD_SMTPD, &keys);
	CHECK(keys.len == 0);
	CHECK(poison_note(&poison, CHILD_SMTPD, &parse));
	CHECK(!poison_note(&poison, CHILD_SMTPD, &parse)); /* it was already */
	poison_keys(&poison, CHILD_SMTPD, &keys);
	struct dec dec = dec_over(buf_str(&keys));
	CHECK(dec_u64(&dec) == 7 && dec_done(&dec));
}

TEST(what_is_known_of_crashes_is_bounded)
{
	static struct poison poison;
	struct panic_record record = {.signal = 11, .operation = "parse"};

	for (record.key = 0; record.key < 10000; record.key++)
		CHECK(!poison_note(&poison, CHILD_SMTPD, &record));
	CHECK(poison.of[CHILD_SMTPD].count == POISON_KNOWN_MAX);
	record.key = 9999;
	CHECK(poison_note(&poison, CHILD_SMTPD, &record));
}

/* A process that somebody has broken into can claim to have died of anything. */
TEST(what_one_role_dies_of_is_poison_to_that_role_alone)
{
	static struct poison poison;
	SCOPED(buf_fini) struct buf keys = BUF(4096);
	struct panic_record record = {.signal = 11, .operation = "parse", .key = 7};

	CHECK(!poison_note(&poison, CHILD_IMAPD, &record));
	CHECK(!poison_note(&poison, CHILD_SMTPD, &record));
	CHECK(poison_note(&poison, CHILD_IMAPD, &record));
	poison_keys(&poison, CHILD_SMTPD, &keys);
	CHECK(keys.len == 0);
	poison_keys(&poison, CHILD_IMAPD, &keys);
	CHECK(keys.len == 8);
	for (record.key = 0; record.key < 10000; record.key++)
		(void)poison_note(&poison, CHILD_SMTPD, &record);
	buf_reset(&keys);
	poison_keys(&poison, CHILD_IMAPD, &keys); /* nor can it make it forgotten */
	CHECK(keys.len == 8);
}
