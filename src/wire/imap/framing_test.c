#include "wire/imap/framing.h"

#include "base/test.h"

static const struct {
	struct str input;
	enum imap_frame_state last; /* of all states when GO is answered by going on */
	size_t len, gos;
} cases[] = {
	{STR("a NOOP\r\n"), IMAP_FRAME_WHOLE, 8, 0},
	{STR("a NOOP\r\nb NOOP\r\n"), IMAP_FRAME_WHOLE, 8, 0},
	{STR("a NOOP\n"), IMAP_FRAME_WHOLE, 7, 0},
	{STR("\n"), IMAP_FRAME_WHOLE, 1, 0},
	{STR("a NOOP"), IMAP_FRAME_MORE, 0, 0},
	{STR("a LOGIN {3}\r\nabc {3}\r\nx\r\n\r\n"), IMAP_FRAME_WHOLE, 27, 2},
	{STR("a LOGIN {3+}\r\nabc {3+}\r\nx\r\n\r\n"), IMAP_FRAME_WHOLE, 29, 0},
	{STR("a LOGIN {30+}\r\nabc"), IMAP_FRAME_MORE, 0, 0},
	{STR("a X {0}\r\n\r\n"), IMAP_FRAME_WHOLE, 11, 1},
	{STR("a X {}\r\n"), IMAP_FRAME_WHOLE, 8, 0},
	{STR("a X {-1}\r\n"), IMAP_FRAME_WHOLE, 10, 0},
	{STR("a X }\r\n"), IMAP_FRAME_WHOLE, 7, 0},
	{STR("a X {99999999}\r\n"), IMAP_FRAME_TOO_LONG, 16, 0},
	{STR("a X {99999999999999999999999+}\r\n"), IMAP_FRAME_TOO_LONG, 32, 0},
	{STR("a APPEND box {99999999}\r\n"), IMAP_FRAME_MESSAGE, 25, 0},
	{STR("a append {3}\r\nbox (\\Seen) {9+}\r\n"), IMAP_FRAME_MESSAGE, 32, 1},
	{STR("a APPEND box ~{9}\r\n"), IMAP_FRAME_MESSAGE, 19, 0},
	{STR("a FETCH {3}\r\n"), IMAP_FRAME_MORE, 13, 1},
	{STR("a REPLACE 4 box {99999999}\r\n"), IMAP_FRAME_MESSAGE, 28, 0},
	{STR("a uid replace 4 {3}\r\nbox {9+}\r\n"), IMAP_FRAME_MESSAGE, 31, 1},
	{STR("a REPLACE {3}\r\n4 x\r\n"), IMAP_FRAME_WHOLE, 20, 1},
	{STR("a APPEND box CATENATE (URL {9}\r\n"), IMAP_FRAME_MESSAGE, 32, 0},
	{STR("a APPEND box CATENATE (URL /a/;UID=1)\r\n"), IMAP_FRAME_WHOLE, 39, 0},
};

static enum imap_frame_state scan_all(struct imap_frame *frame, struct str got,
				      size_t step, size_t *gos)
{
	enum imap_frame_state state = IMAP_FRAME_MORE;

	*gos = 0;
	*frame = (struct imap_frame){0};
	for (size_t have = step; state == IMAP_FRAME_MORE || state == IMAP_FRAME_GO;) {
		if (have > got.len)
			have = got.len;
		state = imap_frame_scan(frame, str_first(got, have),
					&imap_frame_after_login);
		*gos += state == IMAP_FRAME_GO;
		if (have == got.len && state == IMAP_FRAME_MORE)
			break;
		have += step;
	}
	return state;
}

TEST(commands_end_where_their_last_line_ends)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t step = 1; step < 50; step += 7) {
			struct imap_frame frame;
			size_t gos;

			CHECK(scan_all(&frame, cases[i].input, step, &gos) ==
			      cases[i].last);
			CHECK(gos == cases[i].gos);
			CHECK(cases[i].len == 0 || frame.len == cases[i].len);
		}
	}
}

TEST(before_log_in_nothing_is_big)
{
	static char line[30 << 10];
	struct imap_frame frame = {0};

	memset(line, 'x', sizeof line);
	CHECK(imap_frame_scan(&frame, (struct str){line, 17 << 10},
			      &imap_frame_before_login) == IMAP_FRAME_TOO_LONG);
	CHECK(!frame.is_synchronising);
	frame = (struct imap_frame){0};
	CHECK(imap_frame_scan(&frame, STR("a LOGIN {25000}\r\n"),
			      &imap_frame_before_login) == IMAP_FRAME_TOO_LONG);
	CHECK(frame.is_synchronising);
	frame = (struct imap_frame){0};
	CHECK(imap_frame_scan(&frame, STR("a APPEND x {10}\r\n"),
			      &imap_frame_before_login) == IMAP_FRAME_GO);
	frame = (struct imap_frame){0};
	CHECK(imap_frame_scan(&frame, STR("a LOGIN {25000+}\r\n"),
			      &imap_frame_before_login) == IMAP_FRAME_TOO_LONG);
	CHECK(!frame.is_synchronising);
}
