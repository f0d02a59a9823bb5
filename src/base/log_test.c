#include "base/log.h"

#include <unistd.h>

#include "base/test.h"

/* The last lines that were logged, as the panic report shows them. */
static struct str recent(char *room, size_t size)
{
	int ends[2];

	if (pipe(ends) != 0)
		return STR("");
	log_dump_recent(ends[1]);
	(void)close(ends[1]);
	size_t len = 0;

	for (ssize_t got; len < size; len += (size_t)got) {
		got = read(ends[0], room + len, size - len);
		if (got <= 0)
			break;
	}
	(void)close(ends[0]);
	return (struct str){room, len};
}

TEST(what_a_terminal_obeys_is_escaped_and_what_people_read_is_not)
{
	static char room[60000];

	LOG(ERROR, "test", KV("from", "J\xc3\xbcrgen \"x\\y\""),
	    KV("why", "a\x1b[2J\r\n\x7f"),
	    KV("host", "\xc2\x9b"
		       "31m"),
	    KV("rcpt", "\xe2\x80\xae"
		       "gpj.exe"),
	    KV("peer", "\xff\xc3"));
	struct str lines = recent(room, sizeof room);

	CHECK(str_find(lines, STR(" from=\"J\xc3\xbcrgen \\\"x\\\\y\\\"\" ")) <
	      lines.len);
	CHECK(str_find(lines, STR(" why=\"a\\x1b[2J\\x0d\\x0a\\x7f\" ")) < lines.len);
	CHECK(str_find(lines, STR(" host=\"\\xc2\\x9b31m\" ")) < lines.len);
	CHECK(str_find(lines, STR(" rcpt=\"\\xe2\\x80\\xaegpj.exe\" ")) < lines.len);
	CHECK(str_find(lines, STR(" peer=\"\\xff\\xc3\"\n")) < lines.len);
}
