#include "wire/mail/date.h"

#include "base/test.h"

static const struct {
	struct str value;
	int64_t unix_s;
	int zone_minutes;
	bool zone_is_unknown;
} good[] = {
	{STR("Fri, 21 Nov 1997 09:55:06 -0600"), 880127706, -360, false},
	{STR(" Tue, 1 Jul 2003 10:52:37 +0200\r\n"), 1057049557, 120, false},
	{STR("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
	     "               -0330 (Newfoundland Time)"),
	 -27723480, -210, false},
	{STR("21 Nov 97 09:55:06 GMT"), 880106106, 0, false}, /* OBS_YEAR, OBS_ZONE */
	{STR("Wed, 11 Feb 98 11:51 CST"), 887219460, -360, false}, /* NO_SECONDS */
	{STR("1 Jan 100 00:00:00 +0000"), 946684800, 0, false},
	{STR("1 Jan 49 00:00:00 -0000"), 2493072000, 0, true},
	{STR("1 Jan 50 00:00:00"), -631152000, 0, true},          /* NO_ZONE */
	{STR("Wed May 17 19:15:35 2000"), 958590935, 0, true},    /* ANY_ORDER */
	{STR("17-May-2000 19:15:35 +0000"), 958590935, 0, false}, /* ANY_ORDER */
	{STR("17 May 2000"), 958521600, 0, true},                 /* NO_TIME */
	{STR("Monday, 1 January 2001 00:00:00 EST"), 978325200, -300, false},
	{STR("1 Jan 2001 00:00:00 A"), 978307200, 0, true},
	{STR("1 Jan 2001 00:00:00 GMT+0100"), 978303600, 60, false},
	{STR("31 Dec 1998 23:59:60 +0000"), 915148800, 0, false},
};

TEST(header_dates_are_read)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct mail_date date = {0};

		CHECK(mail_date_parse(good[i].value, &date));
		CHECK(date.unix_s == good[i].unix_s);
		CHECK(date.zone_minutes == good[i].zone_minutes);
		CHECK(date.zone_is_unknown == good[i].zone_is_unknown);
	}
}

TEST(what_is_no_date_is_refused)
{
	static const struct str bad[] = {
		STR(""),
		STR("yesterday"),
		STR("Fri, 31 Feb 1997 09:55:06 -0600"),
		STR("Fri, 21 Nov 1997 25:55:06 -0600"),
		STR("Fri, 21 Nov 1997 09: -0600"),
		STR("21 Nov 999999999999999999 09:55:06"),
		STR("21 Nov 12345 09:55:06"),
		STR("Nov 09:55:06"),
	};
	struct mail_date date = {.unix_s = 7};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!mail_date_parse(bad[i], &date) && date.unix_s == 7);
}

TEST(dates_are_written_as_they_are_read)
{
	struct buf buf = BUF(100);
	struct mail_date date;

	mail_date_add(&buf, 880127706, -360);
	CHECK_STR(buf_str(&buf), STR("Fri, 21 Nov 1997 09:55:06 -0600"));
	buf_reset(&buf);
	imap_date_time_add(&buf, 837596665, -420);
	CHECK_STR(buf_str(&buf), STR("17-Jul-1996 02:44:25 -0700"));
	CHECK(imap_date_time_parse(buf_str(&buf), &date));
	CHECK(date.unix_s == 837596665 && date.zone_minutes == -420);
	CHECK(imap_date_time_parse(STR(" 7-jul-1996 02:44:25 +0530"), &date));
	CHECK(date.zone_minutes == 330);
	CHECK(!imap_date_time_parse(STR("7-Jul-1996 02:44:25 +0530"), &date));
	CHECK(!imap_date_time_parse(STR("17-Jux-1996 02:44:25 +0530"), &date));
	CHECK(!imap_date_time_parse(STR("17-Jul-1996 02:44:25 +9900"), &date));
	CHECK(!imap_date_time_parse(STR(" -Jul-1996 02:44:25 +0530"), &date));
	buf_fini(&buf);
}
