#include "wire/imap/select.h"

#include "base/test.h"

/* What was understood: "name condstore uidvalidity/modseq known (numbers uids)". */
static const struct {
	struct str input, meaning;
} good[] = {
	{STR("INBOX"), STR("INBOX")},
	{STR("inbox (CONDSTORE)"), STR("INBOX condstore")},
	{STR("a (qresync (7 20))"), STR("a 7/20")},
	{STR("a (QRESYNC (7 20 1:5,9))"), STR("a 7/20 1:5,9")},
	{STR("a (QRESYNC (7 20 1:5 (1:2,4 3,7,8)))"), STR("a 7/20 1:5 (1:2,4 3,7:8)")},
	{STR("a (QRESYNC (7 20 (1 3)))"), STR("a 7/20 (1 3)")},
	{STR("a (QRESYNC (7 0) CONDSTORE)"), STR("a condstore 7/0")},
};

static void show(struct buf *out, const struct imap_select *select)
{
	buf_add(out, select->mailbox);
	if (select->is_condstore)
		buf_add_c(out, " condstore");
	if (select->is_qresync)
		buf_printf(out, " %u/%llu", select->uid_validity,
			   (unsigned long long)select->modseq);
	if (select->has_known) {
		buf_add_byte(out, ' ');
		imap_ranges_write(out, select->known.ranges, select->known.count);
	}
	if (select->numbers.count == 0)
		return;
	buf_add_c(out, " (");
	imap_ranges_write(out, select->numbers.ranges, select->numbers.count);
	buf_add_byte(out, ' ');
	imap_ranges_write(out, select->uids.ranges, select->uids.count);
	buf_add_byte(out, ')');
}

TEST(select_takes_what_is_known_of_the_mailbox)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		SCOPED(arena_fini) struct arena arena;
		SCOPED(buf_fini) struct buf out = BUF(1000);
		struct imap_select select;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(good[i].input, &arena);

		bool ok = imap_select(&in, &select) && cur_done(in.at);

		CHECK(ok);
		if (!ok)
			continue;
		show(&out, &select);
		CHECK_STR(buf_str(&out), good[i].meaning);
	}
}

static const struct str bad[] = {
	STR("a ()"),
	STR("a (FOO)"),
	STR("a (CONDSTORE"),
	STR("a CONDSTORE"),
	STR("a (QRESYNC)"),
	STR("a (QRESYNC (0 5))"),
	STR("a (QRESYNC (7))"),
	STR("a (QRESYNC (7 9223372036854775808))"),
	STR("a (QRESYNC (7 20 1:*))"),
	STR("a (QRESYNC (7 20 $))"),
	STR("a (QRESYNC (7 20 1:5 (1:3 4:5)))"),
	STR("a (QRESYNC (7 20 (1)))"),
	STR("a (QRESYNC (7 20)"),
	STR("a (QRESYNC (7 20) QRESYNC (7 20))"),
};

TEST(select_refuses_what_is_no_parameter)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_select select;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(bad[i], &arena);

		CHECK(!imap_select(&in, &select));
		CHECK(in.at.at == bad[i].ptr && in.reason.len > 0);
	}
}
