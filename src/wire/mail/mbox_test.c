#include "wire/mail/mbox.h"

#include "base/test.h"

static const struct {
	struct str line;
	bool ok;
	struct str sender;
	bool has_date;
	int64_t at_s;
	int zone;
} lines[] = {
	{STR("From ann@example.org Wed May 17 19:15:35 2000\n"), true,
	 STR("ann@example.org"), true, 958590935, 0},
	{STR("From ann@example.org  Thu Jan  1 00:00:07 1970"), true,
	 STR("ann@example.org"), true, 7, 0},
	{STR("From - Wed May 17 19:15:35 2000\r\n"), true, STR("-"), true, 958590935, 0},
	{STR("From a Wed May 17 19:15:35 2000 remote from host\n"), true, STR("a"), true,
	 958590935, 0},
	{STR("From a at half past 10:30 in 2000 or so\n"), true, STR("a"), false, 0, 0},
	{STR("From the beginning\n"), false, STR(""), false, 0, 0},
	{STR("From 2000 on\n"), false, STR(""), false, 0, 0},
	{STR("From: ann at 19:15 in 2000\n"), false, STR(""), false, 0, 0},
	{STR(">From a Wed May 17 19:15:35 2000\n"), false, STR(""), false, 0, 0},
	{STR(""), false, STR(""), false, 0, 0},
};

TEST(mbox_knows_where_messages_begin)
{
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct mbox_from from;
		bool ok = mbox_from_line(lines[i].line, &from);

		CHECK(ok == lines[i].ok);
		if (!ok)
			continue;
		CHECK_STR(from.sender, lines[i].sender);
		CHECK(from.has_date == lines[i].has_date);
		CHECK(!from.has_date || from.at_s == lines[i].at_s);
		CHECK(!from.has_date || from.zone_minutes == lines[i].zone);
	}
}

TEST(mbox_counts_quotes)
{
	CHECK(mbox_quotes(STR("From x")) == 0);
	CHECK(mbox_quotes(STR(">From x")) == 1);
	CHECK(mbox_quotes(STR(">>>From ")) == 3);
	CHECK(mbox_quotes(STR("> From x")) == 0);
	CHECK(mbox_quotes(STR(">>Fro")) == 0);
	CHECK(mbox_quotes(STR("")) == 0);
}

TEST(mbox_writes_what_it_reads)
{
	struct buf out = BUF(1000);
	struct mbox_from from;

	mbox_from_add(&out, STR("ann@example.org"), 958590935);
	CHECK_STR(buf_str(&out), STR("From ann@example.org Wed May 17 19:15:35 2000\n"));
	buf_reset(&out);
	mbox_from_add(&out, STR("a b\n"), 7);
	CHECK_STR(buf_str(&out), STR("From MAILER-DAEMON Thu Jan  1 00:00:07 1970\n"));
	CHECK(mbox_from_line(buf_str(&out), &from) && from.at_s == 7);
	buf_fini(&out);
}

static const struct {
	struct str message, left;
	unsigned flags;
	size_t keywords;
} notes[] = {
	{STR("Subject: a\nStatus: RO\n\nb\n"), STR("Subject: a\n\nb\n"), MBOX_SEEN, 0},
	{STR("Status: O\r\nX-Status: AFT\r\nX-UID: 12   \r\na: b\r\n\r\n"),
	 STR("a: b\r\n\r\n"), MBOX_ANSWERED | MBOX_FLAGGED | MBOX_DRAFT, 0},
	{STR("X-Keywords: one two\n three\nX-IMAPbase: 1 2 one\n\n"), STR("\n"), 0, 3},
	{STR("X-Mozilla-Status: 1009\nX-Mozilla-Status2: 00000000\n\n"), STR("\n"),
	 MBOX_SEEN | MBOX_EXPUNGED | MBOX_FORWARDED, 0},
	{STR("Status: pending\nX-Mozilla-Status: yes\nX-UID: a\n\nStatus: RO\n"),
	 STR("Status: pending\nX-Mozilla-Status: yes\nX-UID: a\n\nStatus: RO\n"), 0, 0},
	{STR(""), STR(""), 0, 0},
};

TEST(mbox_takes_notes_out_of_the_header)
{
	for (size_t i = 0; i < COUNT_OF(notes); i++) {
		struct buf out = BUF(1000);
		struct mbox_notes read;

		mbox_take_notes(notes[i].message, &out, &read);
		CHECK_STR(buf_str(&out), notes[i].left);
		CHECK(read.flags == notes[i].flags);
		CHECK(read.keyword_count == notes[i].keywords);
		buf_fini(&out);
	}
}
